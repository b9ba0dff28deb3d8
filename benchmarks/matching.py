"""Matching posts with 10,000 terms against ten, and reading 10,000 terms from a rules file.

Ten terms are words that the posts hold; the others are mostly names that nobody says, as in a long watch list, every
tenth of them a rare word of the posts. A regular expression of all terms, as most people would write it, is shown beside.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from benchmarks.posts import english
from benchmarks.row import Row, at_most, lasting
from benchmarks.timing import ROUNDS, cpu, in_turns
from listener.app import compile_rules
from listener.decide.match import Matcher
from listener.decide.normalise import normalise
from listener.domain.mention import Mention, RawItem
from listener.domain.policy import Policy

FEW = 10
MOST_TIMES = 8.0
RELOAD_SECONDS = 0.2

_FIRST_WORDS = ("refund", "charged", "account", "broken", "waiting", "support", "cancel", "order", "app", "login")
_TERMS_A_TOPIC = 500
_SYLLABLES = re.findall("[a-z]{2}|[가-힣]", "badefigokulamoniparosutivawexoza가나다라마바사아")
_NOW = datetime(2026, 3, 2, tzinfo=UTC)


def matching(many: int = 10_000, posts: int = 4_000, rounds: int = ROUNDS) -> Iterator[Row]:
    """All rows on matching."""
    texts = english(posts)
    terms = _terms(many, texts)
    yield _growth(terms, texts, rounds)
    yield _alternation(terms, texts[: max(posts // 20, 1)], rounds)
    yield _reload(terms, rounds)


def _growth(terms: Sequence[str], texts: Sequence[str], rounds: int) -> Row:
    mentions = _mentions(texts)
    few, many = _matcher(terms[:FEW]), _matcher(terms)
    fast, slow = in_turns(lambda: _matched(few, mentions), lambda: _matched(many, mentions), rounds=rounds)
    return Row(
        what=f"matching: {len(terms):,} terms against {FEW}",
        ours=f"{lasting(slow / len(texts))} a post",
        peer=f"{lasting(fast / len(texts))} a post",
        ratio=slow / fast,
        wanted=at_most(MOST_TIMES),
    )


def _alternation(terms: Sequence[str], texts: Sequence[str], rounds: int) -> Row:
    """The same growth for one pattern `(?:a|b|c)` between word boundaries, ignoring case."""
    few, many = (
        re.compile(rf"\b(?:{'|'.join(map(re.escape, some))})\b", re.IGNORECASE) for some in (terms[:FEW], terms)
    )
    fast, slow = in_turns(lambda: _searched(few, texts), lambda: _searched(many, texts), rounds=rounds)
    return Row(
        what="matching: the same for one regular expression of all terms",
        ours=f"{lasting(slow / len(texts))} a post",
        peer=f"{lasting(fast / len(texts))} a post",
        ratio=slow / fast,
    )


def _reload(terms: Sequence[str], rounds: int) -> Row:
    text = _rules(terms)
    (seconds,) = in_turns(lambda: cpu(lambda: _matcher_of(_policy(text))), rounds=rounds)
    return Row(
        what=f"rules.yaml with {len(terms):,} terms, from its text to a matcher",
        ours=lasting(seconds),
        peer=lasting(RELOAD_SECONDS),
        ratio=seconds / RELOAD_SECONDS,
        wanted=at_most(1.0),
    )


def _matched(matcher: Matcher, mentions: Sequence[Mention]) -> float:
    return cpu(lambda: [matcher.match(mention) for mention in mentions])


def _searched(expression: re.Pattern[str], texts: Sequence[str]) -> float:
    return cpu(lambda: [expression.findall(text) for text in texts])


def _matcher(terms: Sequence[str]) -> Matcher:
    return _matcher_of(_policy(_rules(terms)))


def _matcher_of(policy: Policy) -> Matcher:
    return Matcher(policy.brands, policy.topics, policy.intents)


def _policy(text: str) -> Policy:
    return compile_rules(text, file="rules.yaml", env={}).policy


def _rules(terms: Sequence[str]) -> str:
    """A rules file with the terms spread over topics."""
    topics = "".join(
        f"  topic{start}:\n    points: 5\n    any:\n"
        + "".join(f"      - {term}\n" for term in terms[start : start + _TERMS_A_TOPIC])
        for start in range(0, len(terms), _TERMS_A_TOPIC)
    )
    return f"version: 1\ntopics:\n{topics}"


def _terms(count: int, texts: Sequence[str]) -> list[str]:
    """Distinct terms, always the same. The words of the posts among them are rare ones."""
    dice = random.Random(10_000)
    spoken = Counter(word for text in texts for word in re.findall(r"[a-z]{5,}", text))
    rare = (word for word, times in sorted(spoken.items()) if times <= max(len(texts) // 100, 1))
    terms = dict.fromkeys(_FIRST_WORDS)
    while len(terms) < count:
        invented = "".join(dice.choices(_SYLLABLES, k=dice.randint(3, 5)))
        spoken_word = next(rare, invented) if len(terms) % 10 == 0 else invented
        terms[spoken_word if dice.random() < 0.8 else f"{invented} {dice.choice(_SYLLABLES)}"] = None
    return list(terms)[:count]


def _mentions(texts: Sequence[str]) -> list[Mention]:
    return [
        normalise(RawItem(native_id=str(number), text=text), source_id="bench", seen_at=_NOW)
        for number, text in enumerate(texts)
    ]
