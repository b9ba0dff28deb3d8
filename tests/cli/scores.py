"""Posts whose score is what their text says, so that tests need not know how the models judge.

No model reads Japanese, and unknown posts get no points here: `post(74)` scores 74, from the points of its one topic.
"""

RULES = """version: 1   # 최고의 규칙
brands:
  nook: {{name: Nook, query: nook}}
sources: {{}}
topics:
{topics}
  outage: {{any: [まっくろ], points: 5, at_least: urgent}}
scoring:
  unknown: {{points: 0, review: false}}
  severity:
    urgent: 70     # Kim, after the outage in March
    high: 45
    normal: 20
receivers: {{team: {{notify: [{{notifier: console}}]}}}}
routes: {{receiver: team}}
"""


def rules() -> str:
    """A file with a topic for every score."""
    topics = "\n".join(f"  p{points}: {{any: [pt{points}], points: {points}}}" for points in range(1, 100))
    return RULES.format(topics=topics)


def text(score: int) -> str:
    """A text that scores so much."""
    return f"これはわたしのことばです。よろしくおねがいします。 nook pt{score} です。"


FLOORED = "これはわたしのことばです。よろしくおねがいします。 nook まっくろ です。"
"""Scores 5, and is urgent by a rule."""
