"""Neutral Korean of the kinds that public sentiment data lacks: headlines, questions to people and assistants, plain facts.

Film reviews have no neutral class, so a model learned from them takes every unknown noun for a complaint. These sentences
are put together from our own word lists: nothing here was collected. They are training data and nothing else.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import yaml

SEED = 20_260
SIZE = 9_000


def sentences(size: int = SIZE, seed: int = SEED) -> Iterator[str]:
    """Neutral Korean sentences, the same ones every time."""
    chance = random.Random(seed)
    lists = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    words = {slot: [word.replace("_", " ") for word in listed.split()] for slot, listed in lists["words"].items()}
    patterns = lists["patterns"].splitlines()
    for at in range(size):
        pattern = patterns[at % len(patterns)]
        yield "".join(
            literal + (chance.choice(words[slot]) if slot else "") for literal, slot, _, _ in Formatter().parse(pattern)
        )
