"""The store: SQLite or PostgreSQL behind `ports.Store`, its migrations, its backup and its lock.

Importing it costs a third of a second, so only `listener.app` does, and only when a command needs the database.
"""

from listener.store.backup import backup
from listener.store.lock import ProcessLock
from listener.store.migrate import Migrated, migrate
from listener.store.sql_store import SqlStore

__all__ = ["Migrated", "ProcessLock", "SqlStore", "backup", "migrate"]
