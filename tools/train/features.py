"""From texts to n-grams and to matrices. What the trainer counts is what the automaton finds at run time."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np
from ahocorasick_rs import AhoCorasick, Implementation
from scipy import sparse

from listener.sentiment.ngrams import prepare
from tools.train.posts import STAND_IN

Candidates = Callable[[str], set[str]]


def words_and_stems(prepared: str) -> set[str]:
    """English: one to three words in a row, and the first three to five letters of words, so that forms share evidence."""
    words = prepared.split()
    found: set[str] = set()
    for at, word in enumerate(words):
        for count in (1, 2, 3):
            if at + count <= len(words):
                found.add(f" {' '.join(words[at : at + count])} ")
        found.update(f" {word[:length]}" for length in (4, 5) if len(word) > length)
        if len(word) > 3:
            found.add(f" {word[:3]}" if len(word) == 4 else f" {word[:6]}")
    return found


def pieces(prepared: str) -> set[str]:
    """Korean: every one to five characters in a row, across spaces, and one or two whole words."""
    words = prepared.split()
    found = {f" {word} " for word in words}
    found.update(f" {one} {two} " for one, two in pairwise(words))
    for length in range(1, 6):
        found.update(prepared[at : at + length] for at in range(len(prepared) - length + 1))
    found.discard(" ")
    return found


def vocabulary(texts: Iterable[str], candidates: Candidates, least: int) -> list[str]:
    """The n-grams that stand in at least `least` of the texts, sorted."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(candidates(prepare(text)))
    return sorted(ngram for ngram, count in counts.items() if count >= least and not _UNWANTED.intersection(ngram))


_UNWANTED = frozenset((STAND_IN, "@", "🔗"))
"""Handles and links say more about where a text is from than about what it says."""


def matrix(texts: Sequence[str], ngrams: Sequence[str]) -> "sparse.csr_matrix":
    """One row for each text: 1 / sqrt(how many distinct n-grams it holds) for each of them."""
    find = AhoCorasick(ngrams, implementation=Implementation.ContiguousNFA).find_matches_as_indexes
    found = [sorted({number for number, _, _ in find(prepare(text), overlapping=True)}) for text in texts]
    counts = np.array([len(row) for row in found])
    values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts)
    columns = np.fromiter((number for row in found for number in row), dtype=np.int32, count=int(counts.sum()))
    starts = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_matrix((values, columns, starts), shape=(len(texts), len(ngrams)))
