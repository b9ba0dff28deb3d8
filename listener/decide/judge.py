"""Step 3: what the author thinks of the brand, and what is at stake, as far as a model can tell.

A text that no model reads is UNKNOWN, with the reason. That is a verdict of its own and never the same as neutral.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from listener.decide.fold import fold
from listener.decide.match import Found
from listener.domain.mention import Mention
from listener.domain.verdict import Judgement, Label, Sentiment, Stakes


class SentimentModel(Protocol):
    """A judge of texts. `name` names the model and its version ("vader 3.3.2"); it stands in every verdict."""

    name: str

    def reads(self, mention: Mention) -> bool:
        """Can it judge this mention's writing and language?"""
        ...

    def judge(self, text: str) -> Sentiment:
        """Judge a text of any length and content in bounded time."""
        ...


class StakesModel(Protocol):
    """A judge of what is at stake. `name` names the model and its version ("stakes-ko 1")."""

    name: str

    def reads(self, mention: Mention) -> bool:
        """Can it judge this mention's writing and language?"""
        ...

    def judge(self, text: str) -> Stakes:
        """Judge a text of any length and content in bounded time."""
        ...


def judge(
    mention: Mention, found: Found, models: Sequence[SentimentModel], stakes: Sequence[StakesModel] = ()
) -> Judgement:
    """The judgements of the first models that read the mention: of its sentiment, UNKNOWN, and why, if none does; of what
    is at stake, `None` if none does.

    Sentences that name a rival and not the brand are left out, for what happens there does not happen to us; unless there
    are no others.
    """
    text = mention.full_text
    ours = _without_rivals(text, found) if found.rivals else text
    if not _has_letters(ours):
        ours = text
    sentiment = _sentiment(mention, ours, models)
    if ours != text and sentiment.label is not Label.UNKNOWN:
        why = f"{sentiment.why}; without the sentences on {', '.join(found.rivals)}"
        sentiment = replace(sentiment, why=why)
    return Judgement(
        sentiment=sentiment, topics=found.topics, intents=found.intents, stakes=_stakes(mention, ours, stakes)
    )


def _sentiment(mention: Mention, text: str, models: Sequence[SentimentModel]) -> Sentiment:
    if not _has_letters(text):
        return _unknown("too short to judge")
    model = next((model for model in models if model.reads(mention)), None)
    return model.judge(text) if model else _unknown(f"no model reads {_writing(mention)} yet")


def _stakes(mention: Mention, text: str, models: Sequence[StakesModel]) -> Stakes | None:
    model = next((model for model in models if model.reads(mention)), None) if _has_letters(text) else None
    return model.judge(text) if model else None


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])\s+|\n")


def _without_rivals(text: str, found: Found) -> str:
    rivals = [fold(rival.strip('"')) for rival in found.rivals]
    brand = [match.span.start for match in found.matches if match.span and match.query_id.startswith("brands.")]
    ends = [end.span() for end in _SENTENCE_END.finditer(text)]
    starts = [0, *(end for _, end in ends)]
    sentences = [slice(*place) for place in zip(starts, [*(start for start, _ in ends), len(text)], strict=True)]
    ours = [
        text[place]
        for place in sentences
        if any(place.start <= start < place.stop for start in brand) or not _names(text[place], rivals)
    ]
    return text if len(ours) == len(sentences) else "\n".join(ours)


def _names(sentence: str, names: Sequence[str]) -> bool:
    folded = fold(sentence)
    return any(name in folded for name in names)


def _unknown(why: str) -> Sentiment:
    return Sentiment(label=Label.UNKNOWN, value=None, p_negative=None, model="none", why=why)


# Languages that sources announce most. One that is missing here is named by its tag.
_LANGUAGES = {
    "ar": "Arabic",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ru": "Russian",
    "th": "Thai",
    "tr": "Turkish",
    "vi": "Vietnamese",
    "zh": "Chinese",
}

# What the writing itself tells where the source does not name the language.
_SCRIPTS = {
    "hangul": "Korean",
    "kana": "Japanese",
    "han": "Chinese characters",
    "latin": "this language in Latin letters",
    "none": "a text without words",
}


def _writing(mention: Mention) -> str:
    """How people call what the mention is written in. The script wins over the tag where it can belong to one language."""
    if mention.script in ("hangul", "kana") or mention.lang is None:
        return _SCRIPTS.get(mention.script, f"{mention.script.capitalize()} script")
    return _LANGUAGES.get(mention.lang, f'the language "{mention.lang}"')
