"""Runs the examples that topics and intents carry: what `listener rules check` does beside loading."""

from collections.abc import Iterator
from datetime import UTC, datetime

from listener.decide.match import Found, Matcher
from listener.decide.normalise import normalise
from listener.domain.errors import Problem
from listener.domain.mention import RawItem
from listener.domain.policy import Topic
from listener.rules.load import Loaded
from listener.rules.problems import Path, dotted

# Examples are judged as posts of no particular time; no topic depends on it.
_SEEN_AT = datetime(2026, 1, 1, tzinfo=UTC)


def selftest(loaded: Loaded) -> tuple[Problem, ...]:
    """Every example that does not behave, with its place. Empty if all do."""
    policy = loaded.policy
    matcher = Matcher(policy.brands, policy.topics, policy.intents)
    problems = [
        _problem(loaded, path, message, remedy, text)
        for topic in (*policy.topics, *policy.intents)
        for path, message, remedy, text in _failures(matcher, topic)
    ]
    return tuple(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))


def example_count(loaded: Loaded) -> int:
    """How many examples the file has."""
    topics = (*loaded.policy.topics, *loaded.policy.intents)
    return sum(len(topic.examples.match) + len(topic.examples.ignore) for topic in topics)


def _failures(matcher: Matcher, topic: Topic) -> Iterator[tuple[Path, str, str, str]]:
    section, _, name = topic.place.partition(".")
    for index, text in enumerate(topic.examples.match):
        if not _applies(_found(matcher, text), topic):
            path = (section, name, "examples", "match", index)
            yield path, f"this example should match {name}, but does not", _why_not(topic), text
    for index, text in enumerate(topic.examples.ignore):
        found = _found(matcher, text)
        if _applies(found, topic):
            path = (section, name, "examples", "ignore", index)
            yield path, f"{name} should ignore this example, but matches", _why(found, topic), text


def _found(matcher: Matcher, text: str) -> Found:
    return matcher.match(normalise(RawItem(text=text), source_id="example", seen_at=_SEEN_AT))


def _applies(found: Found, topic: Topic) -> bool:
    names = found.topics if topic.place.startswith("topics.") else found.intents
    return topic.id in names


def _why_not(topic: Topic) -> str:
    near = f", and name a brand within {topic.near_brand} words in the example" if topic.near_brand is not None else ""
    return f"add a term to any, or look whether none hides it{near}"


def _why(found: Found, topic: Topic) -> str:
    terms = dict.fromkeys(match.term for match in found.matches if match.query_id == topic.place)
    shown = ", ".join(f'"{term}"' for term in terms)
    return f"narrow {shown or 'any'}, or put the harmless phrase into none"


def _problem(loaded: Loaded, path: Path, message: str, remedy: str, text: str) -> Problem:
    line, column = loaded.places.at(path)
    excerpt = text if len(text) <= 80 else f"{text[:79]}…"
    return Problem(message=message, line=line, column=column, path=dotted(path), excerpt=excerpt, remedy=remedy)
