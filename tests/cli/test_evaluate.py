"""`listener evaluate`: labelled posts in, figures and mistakes out."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from listener.cli import cli
from listener.domain.errors import ConfigError, UsageError
from tests.cli.scores import FLOORED, rules, text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a rules.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.yaml").write_text(rules(), encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["evaluate", *arguments], env={"COLUMNS": "120"})


def write(folder: Path, *posts: dict[str, Any] | str) -> str:
    lines = [post if isinstance(post, str) else json.dumps(post, ensure_ascii=False) for post in posts]
    (folder / "labelled.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "labelled.jsonl"


def figures(*arguments: str) -> dict[str, Any]:
    done = run("--json", *arguments)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output)
    return found


def severe(number: int, score: int, truth: str, **more: Any) -> dict[str, Any]:
    return {"id": f"s{number}", "text": text(score), "severity": truth, "lang": "ja", **more}


SEVERE = (
    severe(1, 80, "urgent", published_at="2026-03-01T00:00:00Z"),
    severe(2, 60, "urgent", published_at="2026-03-02T00:00:00Z"),
    severe(3, 50, "high", published_at="2026-03-03T00:00:00"),
    severe(4, 75, "low", published_at="2026-03-05T00:00:00+09:00"),
    severe(5, 10, "low", published_at="2026-03-05T00:00:00Z"),
    {"id": "s6", "text": FLOORED, "severity": "urgent", "lang": "ja"},
)


def test_severity_is_compared_band_by_band(folder: Path) -> None:
    found = figures(write(folder, *SEVERE))["languages"]["all"]
    severity = found["severity"]
    assert severity["n"] == 6
    assert severity["confusion"]["urgent"] == {"urgent": 2, "high": 1, "normal": 0, "low": 0}
    assert severity["urgent"] == {"recall": 0.6667, "precision": 0.6667, "found": 2, "missed": 1, "false": 1}
    assert severity["high_or_above"]["recall"] == 1.0
    assert (severity["low"], severity["low_alerted"]) == (2, 1)
    assert found["sentiment"] is None


def test_a_recall_has_its_threshold_and_its_price_in_alerts_a_day(folder: Path) -> None:
    """Four days of dated posts: two urgent now; three at the threshold that finds all three urgent ones."""
    pace = figures(write(folder, *SEVERE), "--recall", "1")["for_recall"]
    assert (pace["threshold"], pace["recall"], pace["precision"]) == (60, 1.0, 0.75)
    assert (pace["dated_posts"], pace["days"]) == (5, 4.0)
    assert (pace["urgent_a_day_now"], pace["urgent_a_day_then"]) == (0.5, 0.75)
    shown = " ".join(run("labelled.jsonl", "--recall", "1").output.split())
    assert "To find 100% of the urgent posts, scoring.severity.urgent would have to be 60 or lower" in shown
    assert "(5 dated posts in 4.0 days) that is 0.8 urgent alerts a day; with your rules as they are it is 0.5" in shown


def test_a_threshold_that_cannot_be_is_named_as_such(folder: Path) -> None:
    """Urgent has to begin above high."""
    write(folder, severe(1, 30, "urgent"), severe(2, 80, "urgent"))
    shown = " ".join(run("labelled.jsonl").output.split())
    assert "would have to be 30 or lower (not above that for high, 45: mend the rules instead" in shown


def test_without_times_there_is_no_rate_and_it_says_so(folder: Path) -> None:
    posts = [{key: value for key, value in post.items() if key != "published_at"} for post in SEVERE]
    pace = figures(write(folder, *posts))["for_recall"]
    assert (pace["urgent_a_day_now"], pace["days"]) == (None, 0.0)
    assert "carry no published_at" in " ".join(run("labelled.jsonl").output.split())


def test_rules_with_a_floor_may_reach_the_recall_alone(folder: Path) -> None:
    write(folder, SEVERE[-1], severe(9, 10, "low"))
    assert figures("labelled.jsonl")["for_recall"]["threshold"] is None
    assert "at_least: urgent reach that alone" in " ".join(run("labelled.jsonl").output.split())


def test_without_an_urgent_post_there_is_no_recall_to_choose(folder: Path) -> None:
    write(folder, severe(1, 50, "high"))
    assert figures("labelled.jsonl")["for_recall"] is None
    assert "No post is labelled urgent" in run("labelled.jsonl").output


def test_unknown_is_counted_apart(folder: Path) -> None:
    """The Japanese posts could not be judged: neither neutral nor missed."""
    write(
        folder,
        {"id": "1", "text": "I hate it, this is terrible, awful and horrible", "label": "negative", "lang": "en"},
        {
            "id": "2",
            "text": "I love it, what a wonderful and great day",
            "sentiment_to_brand": "positive",
            "lang": "en",
        },
        {"id": "3", "text": text(1), "label": "negative", "lang": "ja"},
        {"id": "4", "text": text(1), "label": "neutral", "sentiment_to_brand": "negative", "lang": "ja"},
    )
    languages = figures("labelled.jsonl")["languages"]
    assert list(languages) == ["all", "en", "ja"]
    assert languages["en"]["sentiment"]["negative"] == {
        "recall": 1.0, "precision": 1.0, "f1": 1.0, "found": 1, "missed": 0, "false": 0,
    }  # fmt: skip
    assert languages["en"]["sentiment"]["pr_auc"] == 1.0
    unknown = languages["ja"]["sentiment"]
    assert (unknown["n"], unknown["unknown"], unknown["unknown_negative"]) == (2, 2, 2)
    assert unknown["negative"]["recall"] is None
    assert languages["all"]["severity"] is None
    shown = run("labelled.jsonl").output
    assert "PR-AUC" in shown
    assert "Urgent" not in shown


def test_mistakes_come_worst_first_with_reasons_and_can_do_no_harm(folder: Path) -> None:
    """Markup is shown as it is, control characters are not obeyed, one line stays one line."""
    hostile = severe(7, 3, "urgent") | {"text": f"[bold]おい[/bold]\x1b[31m\u202eあか\r\n {text(3)}", "id": "x\x1b[2J"}
    write(folder, *SEVERE, hostile)
    found = figures("labelled.jsonl", "--worst", "2")["worst"]["severity"]
    assert [one["id"] for one in found] == ["x\x1b[2J", "s4"]
    assert found[0]["severity"] == {"truth": "urgent", "verdict": "low", "score": 3}
    assert found[1]["reasons"][0].startswith("+75 topic p75: pt75 [topics.p75]")
    shown = run("labelled.jsonl").output
    assert "should be urgent, was low with score 3" in shown
    assert "[bold]おい[/bold]" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "Worst mistakes" not in run("labelled.jsonl", "--worst", "0").output


def test_sentiment_mistakes_say_how_sure_the_model_was(folder: Path) -> None:
    write(
        folder,
        {"id": "wrong", "text": "I love it, what a wonderful, great, lovely day", "label": "negative", "lang": "en"},
        {"id": "right", "text": "I love it, what a wonderful, great, lovely day", "label": "positive", "lang": "en"},
    )
    assert [one["id"] for one in figures("labelled.jsonl")["worst"]["sentiment"]] == ["wrong"]
    assert "wrong (en): should be negative, was positive with p_negative 0." in run("labelled.jsonl").output


def test_only_a_language_with_enough_posts_gets_a_table_of_its_own(folder: Path) -> None:
    many = [severe(number, 50, "high") for number in range(25)]
    write(folder, *many, {"id": "ko", "text": "안녕하세요 반갑습니다 여러분", "severity": "low", "lang": "ko"})
    shown = run("labelled.jsonl").output
    assert "Severity, ja" in shown
    assert "Severity, ko" not in shown


def test_a_packed_file_is_unpacked(folder: Path) -> None:
    """Whatever it is called, with a byte order mark or without."""
    lines = "\ufeff" + "\n".join(json.dumps(post) for post in SEVERE)
    (folder / "posts").write_bytes(gzip.compress(lines.encode()))
    assert figures("posts")["posts"] == 6


def test_a_damaged_packed_file_is_one_sentence(folder: Path) -> None:
    packed = gzip.compress(json.dumps(SEVERE[0]).encode() * 100)
    for name, content in (("short.gz", packed[:-20]), ("bent.gz", packed[:30] + b"\xff\xff\xff" + packed[33:])):
        (folder / name).write_bytes(content)
        done = run(name)
        assert isinstance(done.exception, UsageError)
        assert f"{name} is damaged" in str(done.exception)


def test_bad_lines_are_said_one_by_one_and_the_others_measured(folder: Path) -> None:
    write(
        folder,
        SEVERE[0],
        "{nonsense",
        {"id": "2", "text": "a", "severity": "terrible"},
        "",
        {"id": "3", "text": "a", "label": "bad"},
        "[1]",
        SEVERE[1],
    )
    done = run("labelled.jsonl", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["posts"] == 2
    assert json.loads(done.stdout)["bad_lines"] == [2, 3, 5, 6]
    lines = done.stderr.splitlines()
    assert [line.split(":")[1].strip() for line in lines[:4]] == ["line 2", "line 3", "line 5", "line 6"]
    assert "severity: Input should be 'urgent', 'high', 'normal' or 'low'" in lines[1]
    assert lines[-1] == "Error: 4 line(s) could not be read; the others were measured"


def test_a_file_without_labels_has_nothing_to_measure(folder: Path) -> None:
    """Exit 2: a `UsageError` is that on the command line."""
    done = run(write(folder, {"id": "1", "text": "a"}, {"id": "2", "text": "b", "severity": None}))
    assert isinstance(done.exception, UsageError)
    assert 'carries a label; add "severity"' in str(done.exception)


@pytest.mark.parametrize("arguments", [("missing.jsonl",), ("labelled.jsonl", "--recall", "0"), ()])
def test_a_wrong_call_is_refused_by_its_name(folder: Path, arguments: tuple[str, ...]) -> None:
    write(folder, *SEVERE)
    assert run(*arguments).exit_code == 2


def test_other_rules_can_be_tried(folder: Path) -> None:
    (folder / "strict.yaml").write_text(rules().replace("urgent: 70 ", "urgent: 77 "), encoding="utf-8")
    write(folder, *SEVERE)
    found = figures("labelled.jsonl", "--rules", "strict.yaml")["languages"]["all"]["severity"]
    assert found["low_alerted"] == 1
    assert found["urgent"]["false"] == 0
    assert isinstance(run("labelled.jsonl", "--rules", "none.yaml").exception, ConfigError)
