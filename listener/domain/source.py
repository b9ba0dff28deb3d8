"""A source: one configured use of a connector, its checkpoint and its health."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where a source continues. `data` is JSON that only its connector understands; `version` guards its shape."""

    version: int
    data: dict[str, Any]


class Health(StrEnum):
    """How a source is. REFUSED needs its owner (401, 403, 404, 410), BROKEN a developer (not a feed)."""

    NEW = "new"
    OK = "ok"
    FAILING = "failing"
    REFUSED = "refused"
    BROKEN = "broken"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What the store remembers of a source. `failures` counts failed polls in a row; times are `None` until they happen."""

    id: str
    connector: str
    health: Health = Health.NEW
    checkpoint: Checkpoint | None = None
    next_poll_at: datetime | None = None
    last_poll_at: datetime | None = None
    last_success_at: datetime | None = None
    last_item_at: datetime | None = None
    failures: int = 0
    error_code: str | None = None
    error: str | None = None
    items_total: int = 0
