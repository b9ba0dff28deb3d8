"""Doubles that keep the contract of `listener.ports`: a clock that is set by hand and an HTTP client that plays a script."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from listener.ports import Request, Response


class FakeClock:
    """Time that moves only when told."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """The time that was set."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that only `advance` moves."""
        return self._monotonic

    def advance(self, delta: timedelta) -> None:
        """Let time go by."""
        self._now += delta
        self._monotonic += delta.total_seconds()

    def jump(self, delta: timedelta) -> None:
        """Set the wall clock, forward or back, as an administrator does; monotonic time stays."""
        self._now += delta


class FakeHttp:
    """Answers each request through `answer` and keeps what was asked in `requests`.

    `answer` may return a `Response` or raise `TransportError`, as the real client does.
    """

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self._answer = answer
        self.requests: list[Request] = []

    def fetch(self, request: Request) -> Response:
        """Record the request and answer it."""
        self.requests.append(request)
        return self._answer(request)


def response(
    status: int = 200,
    body: bytes | str = b"",
    *,
    headers: Mapping[str, str] | None = None,
    url: str = "https://x.example/",
) -> Response:
    """A response with lower-case header names."""
    raw = body.encode() if isinstance(body, str) else body
    lowered = {name.lower(): value for name, value in (headers or {}).items()}
    return Response(status=status, headers=lowered, body=raw, url=url)
