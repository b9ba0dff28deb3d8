"""Step 2: what a mention is about: brands, topics, intents, and where in the text each was found.

A brand is found by its query unless its `exclude` is true too, or because the place itself is about it (`Mention.brands`).
A topic applies where one of its `any` stands that is not hidden: a `none` hides what it overlaps and what shares a
sentence with it ("on fire sale"), and `near_brand` hides what is too far from every term of a brand. Where the place is
about the brand, its whole text is near. What stands in a sentence that names a rival and not the brand is about the rival.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from listener.decide.asking import Ask, Chooser, TermNumbers, compile_query
from listener.decide.fold import fold
from listener.decide.reading import Hit, Hits, Keep, Reading, within
from listener.decide.terms import TermIndex
from listener.decide.urls import host_of
from listener.domain.mention import Mention
from listener.domain.policy import Brand, Topic
from listener.domain.query import And, Field, FieldName, Near, Or, Query, Term
from listener.domain.verdict import Match, Span

__all__ = ["Found", "Matcher", "literals"]

_MOST_MATCHES = 50
"""Matches of one query that a verdict keeps: enough to show why, whatever a hostile text repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a mention is about. Ids are in the order of rules.yaml, brands that the source itself named come first.

    `own` says that one of our own accounts posted it. `rivals` are names as rules.yaml writes them, of competitors of the
    brands found; `matches` holds the places of brands, topics and intents.
    """

    brands: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()
    own: bool = False
    rivals: tuple[str, ...] = ()


_NOTHING = Found()


@dataclass(frozen=True, slots=True)
class _BrandAsk:
    id: str
    query: Ask
    exclude: Ask | None


@dataclass(frozen=True, slots=True)
class _TopicAsk:
    topic: Topic
    any: Ask
    none: Ask | None


class Matcher:
    """All queries of a policy, ready for any number of mentions. It holds no state and may be used by many threads."""

    def __init__(self, brands: Sequence[Brand], topics: Sequence[Topic], intents: Sequence[Topic]) -> None:
        numbers = TermNumbers()
        self._brands = [_brand_ask(brand, numbers) for brand in brands]
        self._topics = [_topic_ask(topic, numbers) for topic in (*topics, *intents)]
        self._topic_count = len(topics)
        self._rivals = _rivals(brands, numbers)
        self._terms = TermIndex(numbers.terms)
        self._choose_brand = Chooser(brand.query for brand in self._brands)
        self._choose_topic = Chooser(topic.any for topic in self._topics)
        self._names = {name: brand.id for brand in brands for name in (fold(brand.name), fold(brand.id))}
        self._accounts = _OwnAccounts(account for brand in brands for account in brand.accounts)

    def match(self, mention: Mention) -> Found:
        """What the mention is about. Spans are in `mention.full_text`."""
        text = mention.full_text
        folded = fold(text)
        reading = Reading(mention, text, folded, self._terms.find(folded))
        brand_hits = self._match_brands(reading)
        named = [hit for hits in brand_hits.values() for hit in hits]
        topic_hits = self._match_topics(reading, named, self._sentences_of_rivals(reading, named))
        own = self._accounts.posted(mention)
        if not (brand_hits or topic_hits or own or reading.brands):
            return _NOTHING
        topics = [self._topics[place].topic for place in topic_hits]
        places = {f"brands.{brand}": hits for brand, hits in brand_hits.items()}
        places |= {topic.place: hits for topic, hits in zip(topics, topic_hits.values(), strict=True)}
        return Found(
            brands=reading.brands,
            topics=tuple(self._topics[place].topic.id for place in topic_hits if place < self._topic_count),
            intents=tuple(self._topics[place].topic.id for place in topic_hits if place >= self._topic_count),
            matches=tuple(match for query, hits in places.items() for match in _matches(reading, query, hits)),
            own=own,
            rivals=self._match_rivals(reading),
        )

    def _match_brands(self, reading: Reading) -> dict[str, Hits]:
        """The hits of each brand found in the text. Leaves all brands in `reading.brands`, named by their ids."""
        given = [self._names.get(fold(name), name) for name in reading.mention.brands]
        reading.brands = tuple(dict.fromkeys(given))
        found: dict[str, Hits] = {}
        for place in self._choose_brand.candidates(reading.spans):
            brand = self._brands[place]
            hits = brand.query.ask(reading, None)
            if hits is not None and (brand.exclude is None or brand.exclude.ask(reading, None) is None):
                found[brand.id] = hits
        reading.brands = tuple(dict.fromkeys((*given, *found)))
        return found

    def _match_topics(self, reading: Reading, brand_hits: Hits, silent: frozenset[int]) -> dict[int, Hits]:
        found: dict[int, Hits] = {}
        for place in self._choose_topic.candidates(reading.spans):
            hits = _match_topic(self._topics[place], reading, brand_hits, silent)
            if hits is not None:
                found[place] = hits
        return found

    def _sentences_of_rivals(self, reading: Reading, brand_hits: Hits) -> frozenset[int]:
        """The numbers of the sentences that name a rival of a brand found, and no brand of ours."""
        places = [
            span
            for number, spans in reading.spans.items()
            if any(brand in reading.brands for brand, _ in self._rivals.get(number, ()))
            for span in spans
        ]
        ours = [(hit.start, hit.end) for hit in brand_hits if hit.start >= 0] if places else []
        return _sentences(reading, places) - _sentences(reading, ours)

    def _match_rivals(self, reading: Reading) -> tuple[str, ...]:
        named = [rival for number in reading.spans for rival in self._rivals.get(number, ())]
        return tuple(dict.fromkeys(rival for brand, rival in sorted(named) if brand in reading.brands))


def _brand_ask(brand: Brand, numbers: TermNumbers) -> _BrandAsk:
    exclude = compile_query(brand.exclude, numbers) if brand.exclude else None
    return _BrandAsk(brand.id, compile_query(brand.query, numbers), exclude)


def _topic_ask(topic: Topic, numbers: TermNumbers) -> _TopicAsk:
    none = compile_query(topic.none, numbers) if topic.none else None
    return _TopicAsk(topic, compile_query(topic.any, numbers), none)


def _rivals(brands: Iterable[Brand], numbers: TermNumbers) -> dict[int, list[tuple[str, str]]]:
    """Term number -> brand and the name of its rival. A rival is a name, without operators."""
    rivals: dict[int, list[tuple[str, str]]] = {}
    for brand in brands:
        for rival in brand.rivals:
            number = numbers.number(Term(rival, fold(rival.strip('"'))))
            rivals.setdefault(number, []).append((brand.id, rival))
    return rivals


def _match_topic(topic: _TopicAsk, reading: Reading, brand_hits: Hits, silent: frozenset[int]) -> Hits | None:
    hits = topic.any.ask(reading, None)
    if hits is None:
        return None
    hidden = topic.none.ask(reading, None) if topic.none is not None else None
    if hidden is not None or silent:
        keep = _not_hidden(reading, hidden, silent)
        hits = topic.any.ask(reading, keep) if keep else None
    if hits is None or topic.topic.near_brand is None or reading.mention.brands:
        return hits
    return _near_brand(topic, reading, hits, brand_hits)


def _sentences(reading: Reading, places: Iterable[tuple[int, int]]) -> frozenset[int]:
    return frozenset(sentence for start, end in places for sentence in reading.sentences(start, end))


def _not_hidden(reading: Reading, hidden: Hits | None, silent: frozenset[int]) -> Keep | None:
    """What a `none` and the `silent` sentences leave; `None` if the `none` is about the whole mention ("lang:ja")."""
    if hidden is not None:
        if not hidden or any(hit.start < 0 for hit in hidden):
            return None
        silent |= _sentences(reading, [(hit.start, hit.end) for hit in hidden])

    def keep(start: int, end: int) -> bool:
        return silent.isdisjoint(reading.sentences(start, end))

    return keep


def _near_brand(topic: _TopicAsk, reading: Reading, hits: Hits, brand_hits: Hits) -> Hits | None:
    """The topic asked again, of the hits near the brand alone: an AND may lose a part that stands too far away."""
    brands = [hit for hit in brand_hits if hit.start >= 0]
    near = within(reading, (hit for hit in hits if hit.start >= 0), brands, topic.topic.near_brand or 0)
    places = {(hit.start, hit.end) for hit in near}
    return topic.any.ask(reading, lambda start, end: (start, end) in places) if places else None


def _matches(reading: Reading, query_id: str, hits: Iterable[Hit]) -> list[Match]:
    distinct = sorted(set(hits), key=lambda hit: (hit.start, hit.end, hit.term))
    return [Match(query_id=query_id, term=hit.term, span=_span(reading, hit)) for hit in distinct[:_MOST_MATCHES]]


def _span(reading: Reading, hit: Hit) -> Span | None:
    if hit.start < 0:
        return None
    offsets = reading.mapped.offsets
    return Span(start=offsets[hit.start], end=offsets[hit.end])


class _OwnAccounts:
    """Our handles and sites. A link to our site by somebody with a name of his own is not a post of ours."""

    def __init__(self, accounts: Iterable[str]) -> None:
        folded = [fold(account) for account in accounts]
        self._handles = frozenset(account.removeprefix("@") for account in folded)
        self._sites = frozenset(account.removeprefix("www.") for account in folded if "." in account)

    def posted(self, mention: Mention) -> bool:
        if not self._handles:
            return False
        author = mention.author
        if author.handle and fold(author.handle).removeprefix("@") in self._handles:
            return True
        site = author.url or (None if author.handle else mention.url)
        return bool(site) and host_of(site).removeprefix("www.") in self._sites


def literals(query: Query) -> tuple[str, ...]:
    """Plain terms of which every text has one for which the query is true, for places that can only search for words.

    As few as possible: of parts that must all be there, the one with the fewest alternatives. A part without words (a
    regex, a field) has none, so that a query of only such parts gives an empty tuple.
    """
    return tuple(dict.fromkeys(_literals(query)))


def _literals(query: Query) -> list[str]:
    if isinstance(query, Term):
        return [query.text]
    if isinstance(query, Field):
        return [query.value.removesuffix("*")] if query.name is FieldName.TITLE else []
    if isinstance(query, Or):
        return [text for part in query.parts for text in _literals(part)]
    if isinstance(query, And | Near):
        parts = query.parts if isinstance(query, And) else (query.left, query.right)
        return min((texts for part in parts if (texts := _literals(part))), key=len, default=[])
    return []
