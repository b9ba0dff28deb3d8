"""Step 3: what the author thinks of the brand, as far as a model can tell.

A text that no model reads is UNKNOWN, with the reason. That is a verdict of its own and never the same as neutral.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from listener.decide.fold import fold
from listener.decide.match import Found
from listener.domain.mention import Mention
from listener.domain.verdict import Judgement, Label, Sentiment


class SentimentModel(Protocol):
    """A judge of texts. `name` names the model and its version ("vader 3.3.2"); it stands in every verdict."""

    name: str

    def reads(self, mention: Mention) -> bool:
        """Can it judge this mention's writing and language?"""
        ...

    def judge(self, text: str) -> Sentiment:
        """Judge a text of any length and content in bounded time."""
        ...


def judge(mention: Mention, found: Found, models: Sequence[SentimentModel]) -> Judgement:
    """The judgement of the first model that reads the mention; UNKNOWN, and why, if none does.

    Sentences that name a rival are left out, for anger at them is not anger at us; unless there are no others.
    """
    return Judgement(sentiment=_sentiment(mention, found, models), topics=found.topics, intents=found.intents)


def _sentiment(mention: Mention, found: Found, models: Sequence[SentimentModel]) -> Sentiment:
    text = mention.full_text
    if not _has_letters(text):
        return _unknown("too short to judge")
    model = next((model for model in models if model.reads(mention)), None)
    if model is None:
        return _unknown(f"no model reads {_writing(mention)} yet")
    ours = _without_rivals(text, found.rivals) if found.rivals else text
    if ours == text or not _has_letters(ours):
        return model.judge(text)
    judged = model.judge(ours)
    return replace(judged, why=f"{judged.why}; without the sentences on {', '.join(found.rivals)}")


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])\s+|\n")


def _without_rivals(text: str, rivals: Sequence[str]) -> str:
    names = [fold(rival) for rival in rivals]
    sentences = _SENTENCE_END.split(text)
    ours = [sentence for sentence in sentences if not any(name in fold(sentence) for name in names)]
    return text if len(ours) == len(sentences) else "\n".join(ours)


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
