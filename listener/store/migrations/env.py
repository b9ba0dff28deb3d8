"""What alembic runs: the migrations, on the connection that `migrate` gives it and in that connection's transaction."""

from alembic import context

from listener.store.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
