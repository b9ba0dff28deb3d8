"""The one set of migrations for SQLite and PostgreSQL. Each is written by hand and stays as it was released."""
