"""The tables of `python -m tools.measure.triage`."""

import json
from pathlib import Path

import pytest

from listener.domain.verdict import Severity, Verdict
from tests.decide.examples import verdict
from tools.measure import triage


def judged(true: str, said: Severity, **row: str) -> tuple[dict[str, str], Verdict]:
    return {"severity": true, "lang": "en", **row}, verdict(said)


def test_recall_precision_and_false_alarms() -> None:
    posts = [
        judged("urgent", Severity.URGENT),
        judged("urgent", Severity.HIGH),
        judged("high", Severity.URGENT),
        judged("low", Severity.HIGH, lang="ko"),
        judged("low", Severity.LOW),
    ]
    lines = triage.severity_table(posts)
    assert lines[2:] == [
        "| all | 5 | 0.50 / 0.50 | 1.00 / 0.75 | 0.50 |",
        "| en | 4 | 0.50 / 0.50 | 1.00 / 1.00 | 0.00 |",
        "| ko | 1 | - / - | - / 0.00 | 1.00 |",
    ]
    assert triage.confusion_table(posts)[2] == "| urgent | 1 | 1 | 0 | 0 |"


def test_real_posts_are_told_by_their_sentiment() -> None:
    posts = [
        ({"label": "negative"}, verdict(Severity.HIGH)),
        ({"label": "negative"}, verdict(Severity.LOW)),
        ({"label": "positive"}, verdict(Severity.NORMAL)),
    ]
    assert triage.real_row("forum", posts) == "| forum | 3 | 0.50; 0.50 | 1.00; 0.00 | -; - |"


def test_it_says_which_data_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LISTENER_DATA", "")
    monkeypatch.setattr("sys.argv", ["triage"])
    with pytest.raises(SystemExit, match="no labelled posts here: set LISTENER_DATA"):
        triage.main()
    (tmp_path / "measure").mkdir()
    (tmp_path / "triage").mkdir()
    post = {"id": "1", "text": "충전기에서 연기가 나요", "brand": "Nook", "lang": "ko", "severity": "urgent"}
    (tmp_path / "triage" / "mine.jsonl").write_text(json.dumps(post) + "\n")
    monkeypatch.setattr("sys.argv", ["triage", str(tmp_path), "--mistakes", "1"])
    triage.main()
    told = capsys.readouterr().out
    assert "### mine" in told
    assert "| ko | 1 | 1.00 / 1.00 |" in told
    assert "not measured: airline.dev.jsonl.gz is not here" in told
