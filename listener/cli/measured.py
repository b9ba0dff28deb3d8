"""Tables and JSON of what was measured, for `listener evaluate` and `listener calibrate`."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from listener.decide.measure import Hits, SentimentReport, SeverityReport
from listener.display import severity_text
from listener.domain.verdict import Severity


def share(part: float | None, of: int) -> str:
    """`0.88 of 50`; a dash where there is nothing to divide by."""
    return "-" if part is None else f"{part:.2f} of {of}"


def severity_table(rows: Sequence[tuple[str, SeverityReport]], *, title: str, first: str) -> Table:
    """One line a group: recall is of those that truly are, precision of those that were said to be."""
    table = _table(title)
    table.add_column(f"\n{first}")
    for header in ("\nn", "Urgent:\nrecall", "\nprecision", "≥ high:\nrecall", "\nprecision", "Low\nalerted"):
        table.add_column(header, justify="right", no_wrap=True)
    for name, report in rows:
        table.add_row(
            name,
            str(report.n),
            share(report.urgent.recall, report.urgent.truly),
            share(report.urgent.precision, report.urgent.said),
            share(report.alerted.recall, report.alerted.truly),
            share(report.alerted.precision, report.alerted.said),
            f"{report.low_alerted} of {report.low}",
        )
    return table


def confusion_table(name: str, report: SeverityReport) -> Table:
    """Rows are the truth, columns what was said; the diagonal is right."""
    table = _table(f"Severity, {name}: truth (rows) and verdict (columns)")
    table.add_column("")
    for said in Severity:
        table.add_column(str(said), justify="right")
    for truth in Severity:
        counts = [(report.confusion.get((truth, said), 0), said) for said in Severity]
        cells = [Text(str(count), style="bold" if said is truth else "") for count, said in counts]
        table.add_row(severity_text(truth), *cells)
    return table


def sentiment_table(rows: Sequence[tuple[str, SentimentReport]]) -> Table:
    """Negative against the rest; what nobody could judge stands apart."""
    table = _table("Negative towards the brand, among the posts that could be judged")
    table.add_column("\nLanguage")
    for header in ("\nn", "\nRecall", "\nPrecision", "\nF1", "\nPR-AUC", "\nUnknown", "of them\nnegative"):
        table.add_column(header, justify="right", no_wrap=True)
    for name, report in rows:
        negative = report.negative
        table.add_row(
            name,
            str(report.n),
            share(negative.recall, negative.truly),
            share(negative.precision, negative.said),
            _figure(negative.f1),
            _figure(report.average_precision),
            str(report.unknown),
            str(report.unknown_negative),
        )
    return table


def _table(title: str) -> Table:
    """Narrow enough for 80 columns."""
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def severity_json(report: SeverityReport) -> dict[str, Any]:
    """All counts; shares are null where there is nothing to divide by."""
    return {
        "n": report.n,
        "confusion": {
            str(truth): {str(said): report.confusion.get((truth, said), 0) for said in Severity} for truth in Severity
        },
        "urgent": hits_json(report.urgent),
        "high_or_above": hits_json(report.alerted),
        "low": report.low,
        "low_alerted": report.low_alerted,
    }


def sentiment_json(report: SentimentReport) -> dict[str, Any]:
    """All counts; `n` includes the unknown, the figures of `negative` do not."""
    return {
        "n": report.n,
        "negative": {**hits_json(report.negative), "f1": rounded(report.negative.f1)},
        "pr_auc": rounded(report.average_precision),
        "unknown": report.unknown,
        "unknown_negative": report.unknown_negative,
    }


def hits_json(hits: Hits) -> dict[str, Any]:
    """Counts and shares."""
    return {
        "recall": rounded(hits.recall),
        "precision": rounded(hits.precision),
        "found": hits.found,
        "missed": hits.missed,
        "false": hits.false,
    }


def rounded(value: float | None) -> float | None:
    """To four places: more would claim what no file of labels can show."""
    return None if value is None else round(value, 4)
