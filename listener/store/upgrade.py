"""Running the migrations: the only place that needs alembic, which takes a tenth of a second to import."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from listener.domain.errors import StoreError


def migration_config(scripts: str) -> Config:
    """Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", scripts)
    return config


def upgrade(connection: Connection, scripts: str) -> None:
    """Run what is missing in the transaction of the connection."""
    config = migration_config(scripts)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        _refuse_broken_links(connection)


def _refuse_broken_links(connection: Connection) -> None:
    """Foreign keys were not checked while tables were rebuilt: check them all before the commit."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken:
        raise StoreError(
            f"the upgrade would leave {broken[0]} pointing to rows of {broken[2]} that are not there; undone"
        )
