"""Errors, in three kinds, because three people act: nobody (wait and retry), the owner of the configuration, a developer.

The kind is in the type, never in the text. A message is one sentence with a remedy; it holds no secret and no token.
"""

from dataclasses import dataclass
from enum import StrEnum


class ListenerError(Exception):
    """Base of everything that we raise on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a file that people edit. Lines and columns count from 1; `None` where there is no place.

    `severity` is "error" (the file cannot be used) or "warning". `file` is given if it is not the file that people named:
    a pack that theirs includes.
    """

    message: str
    line: int | None = None
    column: int | None = None
    path: str = ""
    excerpt: str | None = None
    remedy: str | None = None
    severity: str = "error"
    file: str | None = None

    def sentence(self, file: str) -> str:
        """`rules.yaml:12:7: topics.billing.point: unknown key "point"; did you mean "points"?`"""
        place = ":".join(str(part) for part in (self.file or file, self.line, self.column) if part is not None)
        where = f"{self.path}: " if self.path else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{place}: {where}{self.message}{remedy}"


class ConfigError(ListenerError):
    """The configuration cannot be used; `problems` holds all that is wrong with it, not only the first."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        self.file = file
        self.problems = problems
        super().__init__("\n".join(problem.sentence(file) for problem in problems))


class UsageError(ListenerError):
    """A person asked for something that is not there (an unknown case, a bad duration)."""


class StoreError(ListenerError):
    """The database cannot be used (corrupt, read-only, newer than the program, held by another process)."""


class StoreBusy(StoreError):
    """Another process holds the database; it is not damaged."""


class Fault(StrEnum):
    """Classes of faults of a document or an exchange; `listener fetch` prints them and status groups by them."""

    # the exchange
    DNS = "DNS"
    CONNECT = "CONNECT"
    TLS = "TLS"
    TIMEOUT = "TIMEOUT"
    PROTOCOL = "PROTOCOL"
    TRUNCATED = "TRUNCATED"
    TOO_LARGE = "TOO_LARGE"
    BOMB = "BOMB"
    BLOCKED_ADDRESS = "BLOCKED_ADDRESS"
    BAD_SCHEME = "BAD_SCHEME"
    REDIRECTS = "REDIRECTS"
    # the status
    REFUSED = "REFUSED"
    NOT_FOUND = "NOT_FOUND"
    GONE = "GONE"
    RATE_LIMITED = "RATE_LIMITED"
    SERVER_ERROR = "SERVER_ERROR"
    BAD_REQUEST = "BAD_REQUEST"
    # the document
    NOT_A_FEED = "NOT_A_FEED"
    EMPTY = "EMPTY"
    DTD = "DTD"
    DEPTH = "DEPTH"
    DECODING = "DECODING"
    MALFORMED = "MALFORMED"
    BAD_JSON = "BAD_JSON"
    UNEXPECTED = "UNEXPECTED"


class TransportError(ListenerError):
    """An HTTP exchange did not end with a complete response.

    `ambiguous` is True if the request was fully written, so that the other side may have acted on it.
    """

    def __init__(self, fault: Fault, message: str, *, ambiguous: bool = False) -> None:
        self.fault = fault
        self.ambiguous = ambiguous
        super().__init__(message)


class SourceError(ListenerError):
    """A poll failed. `retry_after` is in seconds, if the platform asked for a pause."""

    def __init__(self, fault: Fault, message: str, *, retry_after: float | None = None) -> None:
        self.fault = fault
        self.retry_after = retry_after
        super().__init__(message)


class SourceUnavailable(SourceError):
    """Nobody acts: the place is away or busy; we try again later."""


class SourceRefused(SourceError):
    """The owner acts: the place says no (401, 403, 404, 410), or our guard does (a private address)."""


class SourceChanged(SourceError):
    """A developer acts: the answer is not what the connector knows (a web page where a feed was)."""


class DeliveryError(ListenerError):
    """A notification was not confirmed. `ambiguous` is True if it may have arrived all the same."""

    def __init__(self, message: str, *, retry_after: float | None = None, ambiguous: bool = False) -> None:
        self.retry_after = retry_after
        self.ambiguous = ambiguous
        super().__init__(message)


class DeliveryDelayed(DeliveryError):
    """Nobody acts: try this one again, not before `retry_after` seconds if given."""


class DeliveryRefused(DeliveryError):
    """The owner acts: this notification will never be accepted as it is.

    `channel_dead` is True if nothing will be accepted there (401, 403, 404, 410, failed login): stop knocking.
    """

    def __init__(self, message: str, *, channel_dead: bool = False) -> None:
        self.channel_dead = channel_dead
        super().__init__(message)
