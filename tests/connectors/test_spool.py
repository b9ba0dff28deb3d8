"""A folder of JSON lines: no line is heard twice, none is lost without a word, and no file is trusted to be one."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from connectors import spool
from connectors.spool import LINE_MAX, Spool, SpoolConfig
from listener.connector import Checkpoint, Limits
from listener.domain.errors import Fault, SourceRefused
from listener.testing.connector_recording import through_json
from listener.testing.fakes import FakeClock, FakeHttp, response


class Folder:
    """A spool folder, polled again and again as the daemon would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoint: Checkpoint | None = None
        self.warnings: list[tuple[Fault, str]] = []

    def write(self, name: str, *texts: str, mode: str = "a") -> None:
        with (self.path / name).open(mode, encoding="utf-8") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in texts)

    def poll(self) -> list[str]:
        connector = Spool(SpoolConfig(path=self.path), http=FakeHttp(lambda _: response(500)), clock=FakeClock())
        heard: list[str] = []
        self.warnings = []
        for page in connector.poll(through_json(self.checkpoint)):
            heard += [item.text or item.title or "" for item in page.items]
            self.checkpoint = page.checkpoint
            self.warnings += page.warnings
        return heard


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_growing_file_is_heard_line_by_line(folder: Folder) -> None:
    folder.write("a.jsonl", "one", "two")
    assert folder.poll() == ["one", "two"]
    folder.write("a.jsonl", "three")
    assert folder.poll() == ["three"]
    assert folder.poll() == []


def test_a_half_written_line_waits(folder: Folder) -> None:
    path = folder.path / "a.jsonl"
    path.write_text('{"text": "one"}\n{"text": "tw')
    assert folder.poll() == ["one"]
    path.write_text('{"text": "one"}\n{"text": "two"}\n')
    assert folder.poll() == ["two"]


def test_a_renamed_file_is_not_heard_again(folder: Folder) -> None:
    folder.write("a.jsonl", "one")
    folder.poll()
    (folder.path / "a.jsonl").rename(folder.path / "a.old.jsonl")
    folder.write("a.jsonl", "two")
    folder.write("a.old.jsonl", "late")
    assert folder.poll() == ["two", "late"]
    assert folder.poll() == []


def test_a_file_that_was_cut_begins_anew(folder: Folder) -> None:
    folder.write("a.jsonl", "one", "two")
    folder.poll()
    folder.write("a.jsonl", "new", mode="w")
    assert folder.poll() == ["new"]


def test_a_file_that_was_cut_and_grew_past_its_place_begins_anew(folder: Folder) -> None:
    folder.write("a.jsonl", "one")
    folder.poll()
    folder.write("a.jsonl", "three", "four", "five", mode="w")
    assert folder.poll() == ["three", "four", "five"]


def test_a_file_that_is_gone_is_forgotten(folder: Folder) -> None:
    folder.write("a.jsonl", "one")
    folder.write("b.jsonl", "two")
    folder.poll()
    (folder.path / "a.jsonl").unlink()
    folder.write("b.jsonl", "three")
    folder.poll()
    assert folder.checkpoint is not None
    assert set(folder.checkpoint.data["files"]) == {"b.jsonl"}


def test_a_file_replaced_between_look_and_read_waits_for_the_next_poll(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("a.jsonl", "one")
    real = spool._open_all

    def replaced(*args: Any) -> Any:
        result = real(*args)
        folder.write("new", "another", "file")
        (folder.path / "new").rename(folder.path / "a.jsonl")
        return result

    monkeypatch.setattr(spool, "_open_all", replaced)
    assert folder.poll() == []
    monkeypatch.undo()
    assert folder.poll() == ["another", "file"]


def test_only_plain_files_are_read(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A link could lead anywhere, a pipe would never end. Each is told once."""
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_text('{"text": "secret"}\n')
    (folder.path / "link.jsonl").symlink_to(secret)
    (folder.path / "folder.jsonl").mkdir()
    os.mkfifo(folder.path / "pipe.jsonl")
    folder.write(".hidden.jsonl", "still being written")
    folder.write("notes.txt", "not ours")
    folder.write("z.jsonl", "one")
    assert folder.poll() == ["one"]
    assert [text.partition(" ")[0] for _, text in folder.warnings] == ["folder.jsonl", "link.jsonl", "pipe.jsonl"]
    folder.write("z.jsonl", "two")
    assert folder.poll() == ["two"]
    assert folder.warnings == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"not JSON", Fault.BAD_JSON),
        (b"[" * 100_000, Fault.BAD_JSON),
        (b"[1]", Fault.MALFORMED),
        (b'{"id": 1}', Fault.MALFORMED),
        (b'{"text": ["a"]}', Fault.MALFORMED),
        (b'{"text": "' + b"x" * LINE_MAX + b'"}', Fault.TOO_LARGE),
    ],
)
def test_a_line_that_cannot_be_read_is_told_with_its_place(folder: Folder, line: bytes, fault: Fault) -> None:
    folder.write("a.jsonl", "one")
    with (folder.path / "a.jsonl").open("ab") as file:
        file.write(b"\r\n" + line + b"\n")
    folder.write("a.jsonl", "two")
    assert folder.poll() == ["one", "two"]
    assert all(warned is fault and text.startswith("a.jsonl:3: ") for warned, text in folder.warnings)
    assert folder.warnings


@pytest.mark.parametrize(
    "post",
    [
        {"published_at": "soon"},
        {"published_at": 1e30},
        {"published_at": True},
        {"followers": "many"},
        {"likes": -1},
        {"id": 1.5},
        {"author": ["a"]},
        {"author": {"handle": {}}},
        {"brand": 7},
        {"brand": ["acme", None]},
        {"url": {}},
    ],
)
def test_a_bad_field_costs_the_field_and_not_the_post(folder: Folder, post: dict[str, Any]) -> None:
    (folder.path / "a.jsonl").write_text(json.dumps({"text": "kept", **post}) + "\n")
    assert folder.poll() == ["kept"]
    ((fault, text),) = folder.warnings
    assert (fault, text.partition(" ")[0]) == (Fault.MALFORMED, "a.jsonl:1:")


def test_bytes_that_are_not_utf8_are_replaced_with_a_word(folder: Folder) -> None:
    (folder.path / "a.jsonl").write_bytes(b'{"text": "caf\xe9"}\n')
    assert folder.poll() == ["caf\ufffd"]
    assert [fault for fault, _ in folder.warnings] == [Fault.DECODING]


def test_a_line_that_grows_beyond_all_bounds_is_skipped_once_it_ends(folder: Folder) -> None:
    path = folder.path / "a.jsonl"
    path.write_bytes(b"x" * (4 * LINE_MAX))
    assert folder.poll() == []
    with path.open("ab") as file:
        file.write(b"x\n")
    folder.write("a.jsonl", "next")
    assert folder.poll() == ["next"]
    assert [text.partition(":")[2][:2] for _, text in folder.warnings] == ["1:"]


def test_a_long_file_is_read_over_several_polls(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "PAGE_BYTES", 64)
    monkeypatch.setattr(Spool, "limits", Limits(max_pages=2))
    folder.write("a.jsonl", *(f"post {number}" for number in range(20)))
    heard: list[str] = []
    for _ in range(10):
        heard += folder.poll()
    assert heard == [f"post {number}" for number in range(20)]


def test_times_without_a_zone_are_utc(folder: Folder) -> None:
    (folder.path / "a.jsonl").write_text('{"text": "a", "published_at": "2026-03-02T08:00:00"}\n')
    connector = Spool(SpoolConfig(path=folder.path), http=FakeHttp(lambda _: response(500)), clock=FakeClock())
    (page,) = connector.poll(None)
    assert str(page.items[0].published_at) == "2026-03-02 08:00:00+00:00"


def test_a_missing_folder_is_told_with_a_remedy(tmp_path: Path) -> None:
    connector = Spool(SpoolConfig(path=tmp_path / "none"), http=FakeHttp(lambda _: response(500)), clock=FakeClock())
    with pytest.raises(SourceRefused, match="create it"):
        connector.check()
    with pytest.raises(SourceRefused):
        list(connector.poll(None))


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    connector = Spool(SpoolConfig(path=tmp_path / "file"), http=FakeHttp(lambda _: response(500)), clock=FakeClock())
    with pytest.raises(SourceRefused) as error:
        connector.check()
    assert error.value.fault is Fault.REFUSED


def test_a_checkpoint_of_another_version_is_a_fresh_start(folder: Folder) -> None:
    folder.write("a.jsonl", "one")
    folder.checkpoint = Checkpoint(version=99, data={"files": 3})
    assert folder.poll() == ["one"]
