"""The tests that every connector inherits. A connector is tested by its recording alone:

    class TestLobby(ConnectorSuite):
        @pytest.fixture
        def connector(self): return Lobby

        @pytest.fixture
        def recording(self): return Recording.read(Path("lobby.yaml"))

`connector_recording` says what a recording holds.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from listener.connector import Connector, ConnectorConfig
from listener.decide.normalise import normalise_page
from listener.domain.errors import (
    Fault,
    SourceChanged,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    TransportError,
)
from listener.domain.mention import RawItem
from listener.ports import HttpClient, Request, Response
from listener.testing.connector_recording import Player, Recording, matches, poll_all
from listener.testing.fakes import FakeClock, FakeHttp, response

__all__ = ["ConnectorSuite", "Recording"]

Make = Callable[..., Connector]

_STATUSES: tuple[tuple[int, type[SourceError], Fault], ...] = (
    (400, SourceChanged, Fault.BAD_REQUEST),
    (401, SourceRefused, Fault.REFUSED),
    (403, SourceRefused, Fault.REFUSED),
    (404, SourceRefused, Fault.NOT_FOUND),
    (410, SourceRefused, Fault.GONE),
    (429, SourceUnavailable, Fault.RATE_LIMITED),
    (500, SourceUnavailable, Fault.SERVER_ERROR),
    (503, SourceUnavailable, Fault.SERVER_ERROR),
)
_BROKEN: tuple[tuple[Fault, type[SourceError]], ...] = (
    (Fault.DNS, SourceUnavailable),
    (Fault.CONNECT, SourceUnavailable),
    (Fault.TLS, SourceUnavailable),
    (Fault.TIMEOUT, SourceUnavailable),
    (Fault.TRUNCATED, SourceUnavailable),
    (Fault.TOO_LARGE, SourceUnavailable),
    (Fault.BOMB, SourceUnavailable),
    (Fault.BLOCKED_ADDRESS, SourceRefused),
    (Fault.BAD_SCHEME, SourceRefused),
)


class ConnectorSuite:
    """Inherit, and provide the fixtures `connector` and `recording`."""

    @pytest.fixture
    def connector(self) -> type[Connector]:
        """The class under test."""
        raise NotImplementedError("provide a fixture `connector` that returns the class")

    @pytest.fixture
    def recording(self, connector: type[Connector]) -> Recording:
        """Its recording."""
        raise NotImplementedError("provide a fixture `recording`")

    @pytest.fixture
    def make(self, connector: type[Connector], recording: Recording, tmp_path: Path) -> Make:
        """Builds the connector with the recording's configuration, against the recorded place or `http`."""

        def build(http: HttpClient | None = None, clock: FakeClock | None = None) -> Connector:
            return recording.build(connector, http or Player(recording.exchanges), tmp_path, clock)

        return build

    @pytest.fixture
    def http_only(self, recording: Recording) -> None:
        """For tests that say something about HTTP."""
        if not recording.exchanges:
            pytest.skip("this connector makes no requests")

    # --- declaration

    def test_is_declared_in_full(self, connector: type[Connector]) -> None:
        """A name, a page of documentation, limits, and a typed configuration in which every key is explained."""
        assert re.fullmatch(r"[a-z][a-z0-9_]*", connector.name)
        assert issubclass(connector.Config, ConnectorConfig)
        page = connector.__doc__ or ""
        assert all(word in page for word in ("Hears:", "Needs:", "Hides:")), "the docstring is the connector's page"
        explained = f"{page} {connector.Config.__doc__} `allow_private`"
        unexplained = [
            key
            for key, field in connector.Config.model_fields.items()
            if not field.description and f"`{key}`" not in explained
        ]
        assert unexplained == []
        limits = connector.limits
        assert min(limits.min_interval, limits.max_pages, limits.max_seconds, limits.max_bytes) > 0

    def test_refuses_unknown_keys(self, connector: type[Connector], recording: Recording, tmp_path: Path) -> None:
        """A key that is misspelt is an error, not a setting that does nothing."""
        with pytest.raises(ValidationError, match="Extra inputs"):
            connector.Config.model_validate({**recording.settings(tmp_path), "no_such_key": 1})

    def test_prints_secrets_as_stars(self, connector: type[Connector], recording: Recording, tmp_path: Path) -> None:
        """Neither the configuration nor an error about it shows a secret."""
        settings = recording.settings(tmp_path)
        config = connector.Config.model_validate(settings)
        with pytest.raises(ValidationError) as error:
            connector.Config.model_validate({**settings, "no_such_key": 1})
        for secret in recording.secrets:
            assert secret not in f"{config!r} {config} {error.value}"

    def test_touches_nothing_when_it_is_made(self, make: Make, recording: Recording) -> None:
        """Building it asks nothing, and so does calling `poll` before the first page is wanted."""
        player = Player(recording.exchanges)
        make(player).poll(None)
        assert player.requests == []

    # --- what it hears

    def test_a_recorded_poll_gives_the_expected_items(self, make: Make, recording: Recording) -> None:
        """Each item in order, with everything that was written down of it."""
        items, _ = poll_all(make(), None)
        _compare(items, recording.items)

    def test_a_second_poll_repeats_nothing(self, make: Make, recording: Recording) -> None:
        """Not even after a restart: the checkpoint goes through JSON, and the connector is a new one."""
        player = Player(recording.exchanges)
        _, checkpoints = poll_all(make(player), None)
        items, _ = poll_all(make(player), checkpoints[-1])
        _compare(items, recording.again)

    def test_every_checkpoint_on_the_way_loses_nothing(self, make: Make, recording: Recording) -> None:
        """A poll that was cut off after any of its pages is completed by the next."""
        pages = list(make().poll(None))
        everything = _identities(item for page in pages for item in page.items)
        for count, page in enumerate(pages, start=1):
            before = _identities(item for page in pages[:count] for item in page.items)
            after, _ = poll_all(make(), page.checkpoint)
            assert everything <= before | _identities(after)

    def test_ids_are_unique_and_do_not_depend_on_the_order(
        self, make: Make, recording: Recording, connector: type[Connector], tmp_path: Path
    ) -> None:
        """A place that shows its items in another order shows the same items."""
        items, _ = poll_all(make(), None)
        given = [item.native_id for item in items if item.native_id is not None]
        assert len(given) == len(set(given))
        turned = _turned(recording)
        again, _ = poll_all(turned.build(connector, Player(turned.exchanges), tmp_path), None)
        assert _identities(again) == _identities(items)

    def test_items_become_mentions_with_honest_times(self, make: Make, recording: Recording) -> None:
        """Times are aware; once normalised, none is in the future, and every item has words and keys."""
        items, _ = poll_all(make(), None)
        claimed = [when for item in items for when in (item.published_at, item.found_at) if when is not None]
        assert all(when.utcoffset() == timedelta(0) for when in claimed)
        mentions = normalise_page(items, source_id="tested", seen_at=recording.now)
        assert all(mention.full_text and mention.keys for mention in mentions)
        assert all(mention.said_at <= recording.now for mention in mentions)

    # --- the platform's bad days

    @pytest.mark.usefixtures("http_only")
    @pytest.mark.parametrize(("status", "kind", "fault"), _STATUSES)
    def test_every_status_maps_to_its_error(
        self, make: Make, recording: Recording, status: int, kind: type[SourceError], fault: Fault
    ) -> None:
        """Who must act is in the type; the pause that the platform asks for is kept; no error shows a secret."""
        for call in _calls(make(FakeHttp(lambda _: response(status, headers={"Retry-After": "7"})))):
            with pytest.raises(kind) as error:
                call()
            assert error.value.fault is fault
            assert error.value.retry_after == 7
            _assert_silent(error.value, recording)

    @pytest.mark.usefixtures("http_only")
    @pytest.mark.parametrize(("fault", "kind"), _BROKEN)
    def test_every_broken_exchange_maps_to_its_error(
        self, make: Make, recording: Recording, fault: Fault, kind: type[SourceError]
    ) -> None:
        """A timeout, a body that is cut or too large: nobody acts. Our own guard: the owner does."""

        def break_off(request: Request) -> Response:
            raise TransportError(fault, "the exchange did not end well")

        for call in _calls(make(FakeHttp(break_off))):
            with pytest.raises(kind) as error:
                call()
            assert error.value.fault is fault
            _assert_silent(error.value, recording)

    @pytest.mark.usefixtures("http_only")
    def test_not_modified_gives_nothing(self, make: Make, recording: Recording) -> None:
        """304 to a poll with a checkpoint is no news; to one that did not ask for it, an error of its own or no news."""
        _, checkpoints = poll_all(make(), None)
        unchanged = FakeHttp(lambda _: response(304))
        for checkpoint in (None, checkpoints[-1]):
            try:
                items, _ = poll_all(make(unchanged), checkpoint)
            except SourceError as error:
                _assert_silent(error, recording)
            else:
                assert items == []

    @pytest.mark.usefixtures("http_only")
    def test_a_web_page_is_not_an_answer(self, make: Make, recording: Recording) -> None:
        """A login page with status 200 is told to a developer, and is no reason to forget where we were."""
        page = "<!DOCTYPE html><html><head><title>Log in</title></head><body><p>Please log in.</p></body></html>"
        portal = FakeHttp(lambda _: response(200, page, headers={"Content-Type": "text/html"}))
        with pytest.raises(SourceChanged) as error:
            poll_all(make(portal), None)
        assert error.value.fault is Fault.NOT_A_FEED
        _assert_silent(error.value, recording)

    @pytest.mark.usefixtures("http_only")
    def test_an_empty_answer_is_an_error(self, make: Make) -> None:
        """Nothing at all, with status 200, is never "no news"."""
        with pytest.raises(SourceError):
            poll_all(make(FakeHttp(lambda _: response(200, b" \n"))), None)

    @pytest.mark.usefixtures("http_only")
    def test_half_an_answer_loses_nothing(self, make: Make, recording: Recording) -> None:
        """Whole items at most, no half ones, and the next good answer brings the rest."""
        everything, _ = poll_all(make(), None)
        for share in (0.3, 0.6, 0.95):
            cut = tuple(_cut(exchange, share) for exchange in recording.exchanges)
            try:
                heard, checkpoints = poll_all(make(Player(cut)), None)
            except SourceError:
                continue
            assert _identities(heard) <= _identities(everything)
            rest, _ = poll_all(make(), checkpoints[-1])
            assert _identities(heard) | _identities(rest) == _identities(everything)

    # --- manners

    @pytest.mark.usefixtures("http_only")
    def test_asks_no_more_than_its_limits(self, make: Make, recording: Recording, connector: type[Connector]) -> None:
        """Requests are bounded in number and in bytes; every one of them, also of the check, is in the recording."""
        player = Player(recording.exchanges)
        poll_all(make(player), None)
        assert 0 < len(player.requests) <= connector.limits.max_pages
        make(player).check()
        assert all(request.max_bytes <= connector.limits.max_bytes for request in player.requests)

    @pytest.mark.usefixtures("http_only")
    def test_stops_at_its_time_budget(self, make: Make, recording: Recording, connector: type[Connector]) -> None:
        """Where each answer takes as long as a whole poll may, at most one more request is made."""
        clock = FakeClock(recording.now)
        player = Player(recording.exchanges)

        def slowly(request: Request) -> Response:
            clock.advance(timedelta(seconds=connector.limits.max_seconds))
            return player.answer(request)

        slow = FakeHttp(slowly)
        poll_all(make(slow, clock), None)
        assert len(slow.requests) <= 2


# --- pieces ------------------------------------------------------------------------------------------------------------


def _compare(items: list[RawItem], expected: tuple[dict[str, Any], ...]) -> None:
    for item, wanted in zip(items, expected, strict=False):
        assert matches(item, wanted), f"expected {wanted}, heard {item}"
    assert len(items) == len(expected), [item.native_id or item.url or item.title for item in items]


def _identities(items: Iterable[RawItem]) -> set[tuple[str | None, str | None, str | None, str]]:
    return {(item.native_id, item.url, item.title, item.text) for item in items}


def _calls(connector: Connector) -> tuple[Callable[[], object], ...]:
    return (connector.check, lambda: poll_all(connector, None))


def _assert_silent(error: SourceError, recording: Recording) -> None:
    """The sentence holds no secret, and there is one."""
    assert len(str(error)) > 10
    assert not any(secret in f"{error} {error!r}" for secret in recording.secrets)


def _cut(exchange: Any, share: float) -> Any:
    body = exchange.response.body
    return replace(exchange, response=replace(exchange.response, body=body[: int(len(body) * share)]))


def _turned(recording: Recording) -> Recording:
    """The recording of a place that shows its items the other way round: of each answer, file and list in it."""
    exchanges = tuple(
        replace(exchange, response=replace(exchange.response, body=_turned_body(exchange.response.body)))
        for exchange in recording.exchanges
    )
    files = {name: "\n".join(reversed(content.splitlines())) + "\n" for name, content in recording.files.items()}
    return replace(recording, exchanges=exchanges, files=files)


_ITEMS = re.compile(r"<(item|entry)[\s>].*?</\1>", re.DOTALL)


def _turned_body(body: bytes) -> bytes:
    text = body.decode()
    try:
        return json.dumps(_turned_lists(json.loads(text))).encode()
    except ValueError:
        items = [match.group() for match in _ITEMS.finditer(text)]
        return _ITEMS.sub(lambda _: items.pop(), text).encode()


def _turned_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _turned_lists(part) for key, part in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_turned_lists(part) for part in reversed(value)]
    return value
