"""The unit of work: all that one transaction can read and write."""

from listener.store.cases import Cases
from listener.store.outbox import Outbox
from listener.store.sources import Sources


class SqlUnitOfWork(Sources, Cases, Outbox):
    """One transaction; implements `ports.UnitOfWork`. Made by `SqlStore.reading` and `SqlStore.writing` only."""

    def finish(self) -> None:
        """Write what is left, before the commit."""
        self.count_added()
        self.settle()
