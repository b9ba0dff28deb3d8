"""rules.yaml -> `Policy`, or every problem that it has, at once and each with its place."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from listener.domain.errors import ConfigError, Problem
from listener.domain.policy import Policy
from listener.rules import build
from listener.rules.changes import changes
from listener.rules.configs import Surroundings
from listener.rules.problems import Places, Report
from listener.rules.shape import RulesText
from listener.rules.yaml_text import Group, plain, read

__all__ = ["Loaded", "changes", "load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A policy that can be used, what is odd about its file, and where things stand in it."""

    policy: Policy
    warnings: tuple[Problem, ...]
    places: Places


def load(
    text: str,
    *,
    file: str,
    connectors: Mapping[str, type[BaseModel]],
    notifiers: Mapping[str, type[BaseModel]],
    env: Mapping[str, str],
) -> Loaded:
    """Read the text of a rules file. `file` is its name for messages; the models are the plug-ins' configurations.

    Raises `ConfigError` with all errors in the order of the file; warnings come with the result.
    """
    reading = read(text)
    if reading.root is None:
        raise ConfigError(file, reading.problems)
    report = Report(reading.root, reading.problems)
    if not isinstance(reading.root, Group):
        report.error((), 'the file should consist of sections like "brands:"', remedy='begin with "version: 1"')
        raise ConfigError(file, report.ordered())
    rules = _shape(report, plain(reading.root))
    around = Surroundings(connectors=connectors, notifiers=notifiers, env=env)
    policy = build.policy(report, rules, around, digest=_digest(rules))
    problems = report.ordered()
    if report.failed:
        raise ConfigError(file, tuple(problem for problem in problems if problem.severity == "error"))
    return Loaded(policy=policy, warnings=problems, places=report.places)


def _shape(report: Report, data: Any) -> RulesText:
    """The validated shape. What is wrong is reported and left out, as little as possible, so that the rest is checked."""
    for prune in (_prune_values, _prune_entries, _prune_sections):
        try:
            return RulesText.model_validate(data)
        except ValidationError as error:
            if prune is _prune_values:
                report.validation(error, (), RulesText)
            for detail in error.errors(include_url=False):
                prune(data, detail["loc"])
    return RulesText.model_validate(data)


def _prune_values(data: Any, loc: tuple[Any, ...]) -> None:
    """Take out the one value. Nothing goes out of a list, so that places behind it keep their numbers."""
    holder = None
    for part in loc:
        inside = isinstance(data, dict) and part in data
        if not inside and not (isinstance(data, list) and isinstance(part, int)):
            break
        holder, name, data = data, part, data[part]
    if isinstance(holder, dict):
        del holder[name]


def _prune_entries(data: dict[str, Any], loc: tuple[Any, ...]) -> None:
    section = data.get(loc[0])
    if isinstance(section, dict) and len(loc) > 1:
        section.pop(loc[1], None)
    else:
        data.pop(loc[0], None)


def _prune_sections(data: dict[str, Any], loc: tuple[Any, ...]) -> None:
    data.pop(loc[0], None)


def _digest(rules: RulesText) -> str:
    """Twelve hexadecimal digits of SHA-256 over what the file means: not its comments, its spelling or its examples."""
    no_examples = {"__all__": {"examples"}}
    meaning = rules.model_dump(mode="json", exclude={"topics": no_examples, "intents": no_examples})
    text = json.dumps(meaning, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
