"""The inherited suite is worth something: connectors with the usual faults do not pass it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from listener.connector import Checkpoint, ConnectorConfig, ConnectorQuery, Limits, Page, fetch, parse_json
from listener.domain.errors import SourceRefused
from listener.domain.mention import RawItem
from listener.ports import Clock, HttpClient, Request
from listener.testing.connector_recording import Exchange, Player, Recording
from listener.testing.connector_suite import ConnectorSuite
from listener.testing.fakes import response

URL = "https://lobby.example/book?token=aSecretToken"
BOOK = '[{"id": 2, "says": "b"}, {"id": 1, "says": "a"}]'
RECORDING = Recording(
    config={"url": URL},
    queries=(),
    secrets=("aSecretToken",),
    now=Recording.read(Path(__file__).parents[1] / "recordings" / "connectors" / "hackernews.yaml").now,
    exchanges=(Exchange(request=f"GET {URL}", response=response(200, BOOK)),),
    files={},
    items=({"native_id": "2"}, {"native_id": "1"}),
    again=(),
)


class LobbyConfig(ConnectorConfig):
    """`url` is the address."""

    url: str


class Lobby:
    """A guest book. Hears: entries. Needs: nothing. Hides: nothing."""

    name: ClassVar[str] = "lobby"
    Config: ClassVar[type[ConnectorConfig]] = LobbyConfig
    limits: ClassVar[Limits] = Limits(max_pages=1)
    remembers: ClassVar[bool] = True

    def __init__(
        self, config: Any, *, http: HttpClient, clock: Clock, queries: tuple[ConnectorQuery, ...] = ()
    ) -> None:
        self._config, self._http, self._clock = config, http, clock

    def check(self) -> None:
        next(iter(self.poll(None)))

    def poll(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        request = Request(url=self._config.url, max_bytes=self.limits.max_bytes)
        entries = parse_json(fetch(self._http, request, clock=self._clock).body)
        seen = checkpoint.data["last"] if checkpoint and self.remembers else 0
        items = tuple(self.item(place, entry) for place, entry in enumerate(entries) if entry["id"] > seen)
        yield Page(
            items=items, checkpoint=Checkpoint(version=1, data={"last": max([seen, *(e["id"] for e in entries)])})
        )

    def item(self, place: int, entry: dict[str, Any]) -> RawItem:
        return RawItem(native_id=str(entry["id"]), text=entry["says"])


class Forgetful(Lobby):
    """Forgets what it told."""

    remembers: ClassVar[bool] = False


class Positional(Lobby):
    """Takes the place in the answer for an id."""

    def item(self, place: int, entry: dict[str, Any]) -> RawItem:
        return RawItem(native_id=str(place), text=entry["says"])


class Talkative(Lobby):
    """Puts its address into an error."""

    def poll(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        try:
            yield from super().poll(checkpoint)
        except SourceRefused as error:
            raise SourceRefused(error.fault, f"{self._config.url} refused us", retry_after=error.retry_after) from error


class Wandering(Lobby):
    """Asks for something that nobody recorded."""

    def check(self) -> None:
        fetch(self._http, Request(url="https://elsewhere.example/"), clock=self._clock)


def make(kind: type[Lobby], folder: Path) -> Any:
    def build(http: HttpClient | None = None, clock: Any = None) -> Any:
        return RECORDING.build(kind, http or Player(RECORDING.exchanges), folder, clock)

    return build


class TestLobby(ConnectorSuite):
    """One that is right passes all of it."""

    @pytest.fixture
    def connector(self) -> type[Lobby]:
        return Lobby

    @pytest.fixture
    def recording(self) -> Recording:
        return replace(RECORDING, secrets=())


def test_one_that_repeats_itself_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        ConnectorSuite().test_a_second_poll_repeats_nothing(make(Forgetful, tmp_path), RECORDING)


def test_one_whose_ids_are_places_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        ConnectorSuite().test_ids_are_unique_and_do_not_depend_on_the_order(
            make(Positional, tmp_path), RECORDING, Positional, tmp_path
        )


def test_one_that_shows_a_secret_fails(tmp_path: Path) -> None:
    kind, fault = SourceRefused, next(fault for status, _, fault in _statuses() if status == 403)
    with pytest.raises(AssertionError):
        ConnectorSuite().test_every_status_maps_to_its_error(make(Talkative, tmp_path), RECORDING, 403, kind, fault)


def _statuses() -> Any:
    from listener.testing import connector_suite

    return connector_suite._STATUSES


def test_one_that_asks_elsewhere_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="not in the recording"):
        ConnectorSuite().test_asks_no_more_than_its_limits(make(Wandering, tmp_path), RECORDING, Wandering)


def test_one_that_expects_other_items_fails(tmp_path: Path) -> None:
    other = replace(RECORDING, items=({"native_id": "2"}, {"native_id": "3"}))
    with pytest.raises(AssertionError):
        ConnectorSuite().test_a_recorded_poll_gives_the_expected_items(make(Lobby, tmp_path), other)
