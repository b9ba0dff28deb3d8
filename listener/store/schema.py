"""Which schema a database has, and which one this program knows."""

from sqlalchemy import Connection, inspect, text

from listener.domain.errors import StoreError

HEAD = "0002"
"""The newest migration. A test holds it against the migrations themselves, so that asking needs no alembic."""

VERSION_TABLE = "alembic_version"


def revision_of(connection: Connection) -> str | None:
    """The migration that the database is at; `None` if it has none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 (a constant)
    return revision


def refuse_other_schema(connection: Connection, where: str) -> None:
    """Raise `StoreError` unless the database is at this program's schema."""
    revision = revision_of(connection)
    if revision is None:
        raise StoreError(f"{where} is empty: start the service once (listener run), which prepares it")
    if revision > HEAD:
        raise newer(where, revision)
    if revision < HEAD:
        raise StoreError(
            f"{where} has the older schema {revision}: restart the service (listener run), which upgrades it"
        )


def newer(where: str, revision: str) -> StoreError:
    """The database was written by a later version of the program."""
    return StoreError(
        f"{where} has schema {revision}, but this version of listener knows none after {HEAD}: install the version that "
        "wrote it, or put the backup that was made before the upgrade in its place"
    )
