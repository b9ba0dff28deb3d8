"""Sources and the service's own memory."""

from sqlalchemy import select

from listener.domain.source import SourceState
from listener.store import mapping
from listener.store.tables import MEMORY, SOURCES
from listener.store.transaction import Transaction


class Sources(Transaction):
    """The part of the unit of work that remembers where each source continues."""

    def sources(self) -> tuple[SourceState, ...]:
        """All sources that were ever saved, by id."""
        rows = self.rows(select(SOURCES))
        return tuple(sorted((mapping.source_of(row) for row in rows), key=lambda source: source.id))

    def source(self, source_id: str) -> SourceState | None:
        """The source of that id."""
        row = self.row(select(SOURCES).where(SOURCES.c.id == source_id))
        return mapping.source_of(row) if row else None

    def save_source(self, state: SourceState) -> None:
        """Insert or replace."""
        self.upsert(SOURCES, mapping.source_values(state))

    def remember(self, name: str, value: str) -> None:
        """Keep a small fact across restarts."""
        self.upsert(MEMORY, {"name": name, "value": mapping.storable(value)})

    def recall(self, name: str) -> str | None:
        """The fact of that name, if it was ever kept."""
        value: str | None = self.scalar(select(MEMORY.c.value).where(MEMORY.c.name == name))
        return value
