"""Every document of the corpus, and as many of its kinds with other content, over a real socket to the real command.

`tests/feeds` holds what the parser makes of them; here they come with the headers of a server, are asked for by
`listener fetch` or by the pipeline on a real database, and end as items, as one sentence, or as rows.
"""

import gzip
import json
import os
import shutil
import sqlite3
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner

from connectors.rss import Rss, RssConfig
from listener.app import judging_ruleset
from listener.cli.fetch import fetch
from listener.http import AiohttpClient
from listener.pipeline import ChannelPace, deliver, poll
from listener.rules.load import load
from listener.ruleset import Ruleset, World
from listener.store import SqlStore, migrate
from listener.testing.fakes import FakeClock
from tests.e2e.further_feeds import FURTHER
from tests.e2e.loopback import Program
from tests.feeds.corpus import HEAD, ROWS, Row, body, feed, item
from tests.http.hostile_server import HostileServer
from tests.pipeline.world import Bells, Tape, TapeConfig

pytestmark = pytest.mark.slow

FORMS: tuple[Literal["NFC"], Literal["NFKC"]] = ("NFC", "NFKC")
ALL = [*ROWS, *FURTHER]


def _answer(row: Row) -> bytes:
    """The bytes of an HTTP answer with the row's headers; a `content_type` of null is no header."""
    content = row["body"] if "body" in row else body(row)
    fields = {"Content-Length": str(len(content)), **row.get("headers", {})}
    if row["content_type"] is not None:
        fields["Content-Type"] = row["content_type"]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return b"HTTP/1.1 200 OK\r\n" + head.encode() + b"\r\n" + content


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """A server that has them all, each below its name."""
    with HostileServer() as server:
        for row in ALL:
            server.answers["/" + row["file"]] = _answer(row)
        yield server


# --- listener fetch ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one run of the command gave."""

    code: int
    items: list[dict[str, Any]]
    said: list[str]


def _fetch(server: HostileServer, row: Row) -> Fetched:
    """In this process: the command as a person runs it, but for the start of Python."""
    with warnings.catch_warnings():
        done = CliRunner().invoke(fetch, ["--url", server.url("/" + row["file"]), "--allow-private", "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Fetched(done.exit_code, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.splitlines())


@pytest.mark.parametrize("row", ALL, ids=lambda row: row["file"])
def test_fetch_gives_the_declared_outcome(server: HostileServer, row: Row) -> None:
    """Items and exit 0, or the class of the fault in one line and exit 1; never half of one and half of the other."""
    got, expect = _fetch(server, row), row["expect"]
    if "error" in expect:
        assert (got.code, got.items, len(got.said)) == (1, [], 1), got
        assert got.said[0].startswith(f"{expect['error']}: ")
        return
    warned = {line.split(": ")[1] for line in got.said}
    assert (got.code, len(got.items), warned) == (0, expect["items"], {expect["warn"]} if "warn" in expect else set())
    for one in got.items:
        _check_every(one)
    if got.items:
        _check_first(got.items[0], row.get("check", {}))


def _check_every(one: dict[str, Any]) -> None:
    """What holds for the items of any document."""
    said = f"{one['title'] or ''}{one['text']}{one['author'] or ''}"
    said.encode("utf-8")
    assert not [c for c in said if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert len(one["id"]) <= 512
    assert one["url"] is None or one["url"].startswith(("http://", "https://"))
    if one["published_at"] is not None:
        assert datetime(2000, 1, 1, tzinfo=UTC) <= datetime.fromisoformat(one["published_at"])
        assert datetime.fromisoformat(one["published_at"]) <= datetime.now(UTC) + timedelta(minutes=1)


def _check_first(one: dict[str, Any], wanted: dict[str, Any]) -> None:
    said = f"{one['title'] or ''}\n{one['text']}"
    assert one["title"] == wanted.get("title", one["title"])
    assert one["url"] == wanted.get("link", one["url"])
    assert one["published_at"] == wanted.get("time", one["published_at"])
    composed, compatible = (unicodedata.normalize(form, one["title"] or "") for form in FORMS)
    assert composed == wanted.get("title_nfc", composed)
    assert compatible == wanted.get("title_nfkc", compatible)
    assert not [part for part in wanted.get("text_contains", ()) if part not in said]
    assert not [part for part in wanted.get("text_not_contains", ()) if part in said]
    assert not wanted.get("links_absolute") or one["url"]


@pytest.mark.parametrize(
    ("head", "body", "items"),
    [
        ("Content-Length: 9000", feed(item(1), item(2)), 2),
        ("Content-Length: 9000", feed(item(1), item(2))[:-60], 1),
        ("Transfer-Encoding: chunked", b"400\r\n" + feed(item(1), item(2))[:-60], 1),
        ("Transfer-Encoding: chunked", b"%x\r\n" % len(feed(item(1))) + feed(item(1)) + b"\r\n", 1),
        ("Content-Encoding: gzip", gzip.compress(feed(item(1)) + os.urandom(5000))[:-500], 1),
    ],
)
def test_an_answer_that_breaks_off_gives_its_whole_items(
    listening: "Listening", head: str, body: bytes, items: int
) -> None:
    """No half of an item, and no validator: the next good answer completes them, and none is there twice."""
    start = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Type: application/rss+xml\r\n'
    listening.hears(start + head.encode() + b"\r\n\r\n" + body)
    assert listening.count("mentions") == items
    whole = feed(item(1), item(2))
    listening.hears(start + f"Content-Length: {len(whole)}".encode() + b"\r\n\r\n" + whole)
    assert "if-none-match" not in listening.server.hits[-1].headers
    assert (listening.count("mentions"), listening.count("revisions")) == (2, 0)


def test_an_answer_that_breaks_off_before_its_first_item_is_truncated(server: HostileServer) -> None:
    server.answers["/early"] = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + HEAD.encode()
    done = CliRunner().invoke(fetch, ["--url", server.url("/early"), "--allow-private"])
    assert (done.exit_code, done.stderr.partition(":")[0]) == (1, "TRUNCATED")


def test_no_document_made_us_ask_for_another(server: HostileServer) -> None:
    """Entities, stylesheets, includes and outlines name places; nobody goes there."""
    before = len(server.hits)
    rows = [row for row in ALL if row["kind"] in ("xmlattack", "shape", "notfeed")]
    for row in rows:
        _fetch(server, row)
    assert [hit.path for hit in server.hits[before:]] == ["/" + row["file"] for row in rows]


@pytest.mark.parametrize(
    "name",
    [
        "108_euckr_labelled_utf8.rss",
        "603_trunc_mid_multibyte.rss",
        "702_xxe_file.rss",
        "801_gzip_bomb_300mb.rss.gz",
        "700_",
    ],
)
def test_the_installed_command_says_the_same(server: HostileServer, tmp_path: Path, name: str) -> None:
    """As a process: what is on stdout and stderr, and how it ends."""
    row = next(row for row in ALL if row["file"].startswith(name))
    done = Program(tmp_path, server.url("")).call(
        "fetch", "--url", server.url("/" + row["file"]), "--allow-private", "--json"
    )
    assert done.returncode == (1 if "error" in row["expect"] else 0)
    assert len(done.stdout.splitlines()) == row["expect"].get("items", 0)
    assert "Traceback" not in done.stderr
    said = row["expect"].get("error") or row["expect"].get("warn")
    assert (said or "") in done.stderr
    assert len(done.stderr.splitlines()) == (1 if said else 0)


# --- through the pipeline into a database ------------------------------------------------------------------------------

RULES = """
version: 1
brands: {{any: {{name: Any, query: '/./'}}}}
sources: {{{sources}}}
topics:
  breach: {{any: [data breach, 먹통], at_least: urgent}}
receivers: {{oncall: {{notify: [{{notifier: tape}}]}}}}
routes:
  receiver: oncall
  group_wait: 0s
  group_interval: 1s
  routes: [{{when: [severity=normal], receiver: none}}, {{when: [severity=low], receiver: none}}]
"""


class Listening:
    """The pipeline on a database of its own, polling feeds of the server by the real client."""

    def __init__(self, server: HostileServer, http: AiohttpClient, database: Path, sources: int = 1) -> None:
        self.server = server
        self.database = database
        self.clock = FakeClock(datetime(2026, 11, 22, 9, 0, tzinfo=UTC))
        self.world = World(store=SqlStore(f"sqlite:///{database}"), clock=self.clock, bell=Bells())
        places = ", ".join(
            f'f{n}: {{connector: rss, url: "{server.url(f"/now/{n}")}", every: 1m, allow_private: true}}'
            for n in range(sources)
        )
        policy = load(
            RULES.format(sources=places),
            file="r",
            connectors={"rss": RssConfig},
            notifiers={"tape": TapeConfig},
            env={},
        ).policy
        judging = judging_ruleset(policy)
        self.tape = Tape()
        self.rules = Ruleset(
            policy=policy,
            matcher=judging.matcher,
            models=judging.models,
            connectors={spec.id: Rss(spec.config, http=http, clock=self.clock) for spec in policy.sources},
            notifiers=dict.fromkeys(policy.channels, self.tape),
        )

    def hears(self, answer: bytes, source: int = 0) -> None:
        """Let the feed be this answer, poll it when it is due, and deliver."""
        self.server.answers[f"/now/{source}"] = answer
        self.clock.advance(timedelta(hours=8))
        poll(self.world, self.rules, f"f{source}")
        for channel in self.rules.policy.channels:
            deliver(self.world, self.rules, channel, ChannelPace())

    def forget(self, source: int = 0) -> None:
        """Lose the checkpoint: everything is heard again."""
        with self.world.store.writing() as uow:
            state = uow.source(f"f{source}")
            assert state is not None
            uow.save_source(replace(state, checkpoint=None))

    def count(self, table: str) -> int:
        """Rows of a table."""
        with sqlite3.connect(self.database) as db:
            return int(db.execute(f"select count(*) from {table}").fetchone()[0])


@pytest.fixture(scope="module")
def http() -> Iterator[AiohttpClient]:
    with AiohttpClient(user_agent="listener-test/1") as client:
        yield client


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "listener.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def listening(server: HostileServer, http: AiohttpClient, template: Path, tmp_path: Path) -> Listening:
    """One feed, heard into an empty database."""
    return _listening(server, http, template, tmp_path)


def _listening(server: HostileServer, http: AiohttpClient, template: Path, folder: Path, sources: int = 1) -> Listening:
    return Listening(server, http, Path(shutil.copy(template, folder / "listener.db")), sources)


# What is one item does not depend on its encoding, compression or cost.
KINDS = ("control", "identity", "dates", "shape", "platform", "json", "damaged")
SMALL = [row for row in ALL if row["kind"] in KINDS and row["expect"].get("items")]


@pytest.mark.parametrize("row", SMALL, ids=lambda row: row["file"])
def test_every_item_is_one_row_however_often_it_is_heard(listening: Listening, row: Row) -> None:
    """Also when the checkpoint is lost, so that the whole document is read again."""
    listening.hears(_answer(row))
    assert listening.count("mentions") == row["expect"]["items"]
    listening.forget()
    listening.hears(_answer(row))
    assert listening.count("mentions") == row["expect"]["items"]
    assert listening.count("revisions") == 0


GROUPS: dict[str, list[Row]] = {}
for _row in ALL:
    if "seq" in _row:
        GROUPS.setdefault(_row["seq"]["group"], []).append(_row)


@pytest.mark.parametrize("group", GROUPS)
def test_a_feed_that_changes_tells_its_story_once(
    server: HostileServer, http: AiohttpClient, template: Path, tmp_path: Path, group: str
) -> None:
    """The documents of a group, one after the other: rows, revisions and alerts are as declared after each."""
    steps = sorted(GROUPS[group], key=lambda row: row["seq"]["step"])
    listening = _listening(server, http, template, tmp_path, sources=2)
    for row in steps:
        seq = row["seq"]
        listening.hears(_answer(row), source=1 if seq.get("other_source") else 0)
        assert listening.count("mentions") == seq["total_after"], row["file"]
        if "revisions" in seq:
            # the first text is the mention itself; each change of it is a row
            assert listening.count("revisions") == seq["revisions"] - 1, row["file"]
        if "alerts" in seq:
            assert len(listening.tape.sent) == seq["alerts"], row["file"]
