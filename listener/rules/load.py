"""rules.yaml -> `Policy`, or every problem that it has, at once and each with its place."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from listener.domain.errors import ConfigError, Problem
from listener.domain.policy import Policy
from listener.rules import build
from listener.rules.changes import changes
from listener.rules.configs import Surroundings
from listener.rules.document import open_document
from listener.rules.packs import SHIPPED, Pack, included
from listener.rules.problems import Places
from listener.rules.shape import RulesText

__all__ = ["Loaded", "changes", "load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A policy that can be used, what is odd about its file, and where things stand in it.

    `places` has the packs that the file includes, in its order, and then the file itself: the order in which their lists
    are joined.
    """

    policy: Policy
    warnings: tuple[Problem, ...]
    places: tuple[Places, ...]


def load(
    text: str,
    *,
    file: str,
    connectors: Mapping[str, type[BaseModel]],
    notifiers: Mapping[str, type[BaseModel]],
    env: Mapping[str, str],
    packs: Mapping[str, str] = SHIPPED,
) -> Loaded:
    """Read the text of a rules file. `file` is its name for messages; the models are the plug-ins' configurations.

    `packs` has the texts of the packs that it may include, by name. Raises `ConfigError` with all errors in the order of
    the file, then those of its packs; warnings come with the result.
    """
    document = open_document(text, RulesText, file=file)
    taken = included(document.report, document.text.include, packs)
    around = Surroundings(connectors=connectors, notifiers=notifiers, env=env)
    policy = build.policy(document, taken, around, digest=_digest(document.text, taken))
    reports = (document.report, *(pack.report for pack in taken))
    problems = tuple(problem for report in reports for problem in report.ordered())
    if any(report.failed for report in reports):
        raise ConfigError(file, tuple(problem for problem in problems if problem.severity == "error"))
    places = (*(pack.report.places for pack in taken), document.report.places)
    return Loaded(policy=policy, warnings=problems, places=places)


def _digest(rules: RulesText, packs: Sequence[Pack]) -> str:
    """Twelve hexadecimal digits of SHA-256 over what the file and its packs mean: not their comments or examples."""
    parts = [part.model_dump(mode="json", exclude=_EXAMPLES) for part in (rules, *(pack.text for pack in packs))]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


_EXAMPLES = {"topics": {"__all__": {"examples"}}, "intents": {"__all__": {"examples"}}}
