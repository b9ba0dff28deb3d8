"""Runs the examples that topics and intents carry: what `listener rules check` does beside loading."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from listener.decide.match import Found, Matcher
from listener.decide.normalise import normalise
from listener.domain.errors import Problem
from listener.domain.mention import RawItem
from listener.domain.policy import Policy, Topic
from listener.rules.problems import Path, Places, dotted

# Examples are judged as posts of no particular time; no topic depends on it.
_SEEN_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleFailure:
    """An example that does not behave. `path` is its place in rules.yaml; `text` is the example."""

    path: Path
    message: str
    remedy: str
    text: str

    def __str__(self) -> str:
        """One sentence with the place, the example and what to do."""
        return f"{dotted(self.path)}: {self.message}: {_cut(self.text)!r}; {self.remedy}"

    def problem(self, places: Sequence[Places]) -> Problem:
        """The same with its file, line and column. `places` are those of the documents whose lists were joined."""
        document, path = _written(self.path, places)
        line, column = document.at(path)
        return Problem(
            message=self.message,
            line=line,
            column=column,
            path=dotted(path),
            excerpt=_cut(self.text),
            remedy=self.remedy,
            file=document.file,
        )


def _written(path: Path, places: Sequence[Places]) -> tuple[Places, Path]:
    """The document in which the entry of a joined list stands, and its path there."""
    holder, index = path[:-1], int(path[-1])
    for document in places[:-1]:
        count = document.count(holder)
        if index < count:
            return document, (*holder, index)
        index -= count
    return places[-1], (*holder, index)


def run_examples(policy: Policy, matcher: Matcher) -> tuple[ExampleFailure, ...]:
    """Every example that does not behave, in the order of the file. `matcher` is that of the policy."""
    topics = (*policy.topics, *policy.intents)
    return tuple(failure for topic in topics for failure in _failures(matcher, topic))


def _failures(matcher: Matcher, topic: Topic) -> Iterator[ExampleFailure]:
    section, _, name = topic.place.partition(".")
    for index, text in enumerate(topic.examples.match):
        if not _applies(_found(matcher, text), topic):
            path = (section, name, "examples", "match", index)
            message = f"this example should match {name}, but does not"
            yield ExampleFailure(path=path, message=message, remedy=_why_not(topic), text=text)
    for index, text in enumerate(topic.examples.ignore):
        found = _found(matcher, text)
        if _applies(found, topic):
            path = (section, name, "examples", "ignore", index)
            message = f"{name} should ignore this example, but matches"
            yield ExampleFailure(path=path, message=message, remedy=_why(found, topic), text=text)


def _found(matcher: Matcher, text: str) -> Found:
    return matcher.match(normalise(RawItem(text=text), source_id="example", seen_at=_SEEN_AT))


def _applies(found: Found, topic: Topic) -> bool:
    names = found.topics if topic.place.startswith("topics.") else found.intents
    return topic.id in names


def _why_not(topic: Topic) -> str:
    if topic.near_brand is not None:
        return f"add a term to any, or name a brand within {topic.near_brand} words of it in the example"
    return "add a term to any, or look whether none hides it"


def _why(found: Found, topic: Topic) -> str:
    terms = dict.fromkeys(match.term for match in found.matches if match.query_id == topic.place)
    shown = ", ".join(f'"{term}"' for term in terms)
    return f"narrow {shown or 'any'}, or put the harmless phrase into none"


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
