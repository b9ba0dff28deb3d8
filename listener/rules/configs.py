"""Sources and receivers: their own keys are ours, all others go to the connector's or notifier's typed configuration.

A key `<field>_env: NAME` takes the value of that field from the environment, so that no secret stands in the file. No
message ever holds such a value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from listener.domain.policy import ChannelSpec, Receiver, SourceSpec
from listener.rules.problems import Path, Report, in_words, one_of
from listener.rules.shape import ChannelText, ReceiverText, RulesText, SourceText

CONSOLE = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the file may name: connectors and notifiers with their configuration models, and the environment."""

    connectors: Mapping[str, type[BaseModel]]
    notifiers: Mapping[str, type[BaseModel]]
    env: Mapping[str, str]


def sources(report: Report, rules: RulesText, around: Surroundings) -> tuple[SourceSpec, ...]:
    """Every source that is right; what is wrong with the others is in the report."""
    specs = (_source(report, name, text, around) for name, text in rules.sources.items())
    return tuple(spec for spec in specs if spec is not None)


def receivers(report: Report, rules: RulesText, around: Surroundings) -> Mapping[str, Receiver]:
    """Every receiver by its name. A file without receivers prints to the console."""
    written = rules.receivers
    if not report.places.names("receivers"):
        written = {CONSOLE: ReceiverText(notify=(ChannelText(notifier=CONSOLE),))}
    return {name: _receiver(report, name, text, around) for name, text in written.items()}


def _source(report: Report, name: str, text: SourceText, around: Surroundings) -> SourceSpec | None:
    path = ("sources", name)
    if text.every.total_seconds() < 1:
        report.error((*path, "every"), "is too often", remedy="write at least 1s")
    config = None
    model = around.connectors.get(text.connector)
    if model is None:
        remedy = one_of(text.connector, around.connectors)
        report.error((*path, "connector"), f'there is no connector "{text.connector}"', remedy=remedy)
    else:
        config = _Settings(report, path, model, SourceText).read(text.model_extra or {}, around.env)
    if config is None:
        return None
    return SourceSpec(
        id=name,
        connector=text.connector,
        config=config,
        every=text.every,
        brands=text.brands,
        mode=text.mode,
        silent_after=text.silent_after,
    )


def _receiver(report: Report, name: str, text: ReceiverText, around: Surroundings) -> Receiver:
    channels = (_channel(report, name, index, channel, around) for index, channel in enumerate(text.notify))
    return Receiver(id=name, channels=tuple(channel for channel in channels if channel is not None))


def _channel(report: Report, receiver: str, index: int, text: ChannelText, around: Surroundings) -> ChannelSpec | None:
    path = ("receivers", receiver, "notify", index)
    model = around.notifiers.get(text.notifier)
    if model is None:
        remedy = one_of(text.notifier, around.notifiers)
        report.error((*path, "notifier"), f'there is no notifier "{text.notifier}"', remedy=remedy)
        return None
    config = _Settings(report, path, model, ChannelText).read(text.model_extra or {}, around.env)
    if config is None:
        return None
    return ChannelSpec(
        name=f"{receiver}/{index}:{text.notifier}", receiver=receiver, notifier=text.notifier, config=config
    )


@dataclass(frozen=True, slots=True)
class _Settings:
    """Reads one entry's keys into `model`; `ours` has the keys that were taken out before."""

    report: Report
    path: Path
    model: type[BaseModel]
    ours: type[BaseModel]

    def read(self, written: Mapping[str, Any], env: Mapping[str, str]) -> BaseModel | None:
        """The typed configuration, or `None` with the problems reported."""
        fields = set(_names(self.model))
        values = {key: value for key, value in written.items() if key in fields and value is not None}
        for key in values:
            self._warn_of_secret(key)
        variables, good = self._variables({key: value for key, value in written.items() if key not in fields}, fields)
        good &= self._check_twice(values, variables)
        for field, variable in variables.items():
            fault = env_fault(variable, env)
            if fault is None:
                values[field] = env[str(variable)].strip()
            else:
                self.report.error((*self.path, f"{field}_env"), fault[0], remedy=fault[1])
                good = False
        return self._validate(values, variables, good)

    def _variables(self, others: Mapping[str, Any], fields: set[str]) -> tuple[dict[str, Any], bool]:
        """The variable that each `<field>_env` names, and whether all other keys were known."""
        variables: dict[str, Any] = {}
        good = True
        for key, value in others.items():
            field = key.removesuffix("_env")
            if field != key and field in fields:
                variables[field] = value
                continue
            known = [*_names(self.ours), *fields, *(f"{name}_env" for name in fields)]
            self.report.error((*self.path, key), f'unknown key "{key}"', remedy=one_of(key, known), key=True)
            good = False
        return variables, good

    def _check_twice(self, values: Mapping[str, Any], variables: Mapping[str, Any]) -> bool:
        twice = [field for field in variables if field in values]
        for field in twice:
            message = f'"{field}" and "{field}_env" say the same thing'
            self.report.error((*self.path, f"{field}_env"), message, remedy="keep one of them", key=True)
        return not twice

    def _validate(self, values: Mapping[str, Any], variables: Mapping[str, Any], good: bool) -> BaseModel | None:
        try:
            config = self.model.model_validate(values)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                field = str(detail["loc"][0]) if detail["loc"] else ""
                if field in variables and field in values:
                    self._bad_value(field, variables[field], values[field], in_words(detail)[0])
                elif field not in variables:
                    self.report.detail(detail, self.path, self.model)
            return None
        return config if good else None

    def _bad_value(self, field: str, variable: str, value: str, message: str) -> None:
        """Say what is wrong with a value of the environment without showing any of it."""
        for part in [value, *re.findall(r"[\w.-]{6,}", value)]:
            message = message.replace(part, "***")
        self.report.error(
            (*self.path, f"{field}_env"),
            f"the value of {variable} is not accepted: {message}",
            remedy=f"correct {variable} in .env",
        )

    def _warn_of_secret(self, key: str) -> None:
        fields = {field.alias or name: field for name, field in self.model.model_fields.items()}
        if "SecretStr" in repr(fields[key].annotation) or fields[key].annotation is SecretStr:
            self.report.warn(
                (*self.path, key),
                "a secret stands in this file, where everyone who can read the file can read it",
                remedy=f'write "{key}_env: NAME" and put NAME=... into .env',
                key=True,
            )


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACEHOLDER = re.compile(
    r"change[-_ ]?me.*|x{3,}|todo|tbd|placeholder|replace[-_ ]?(me|this).*|your[-_ ].*|<.*>|\.{3}|…", re.IGNORECASE
)


def env_fault(name: object, env: Mapping[str, str]) -> tuple[str, str] | None:
    """Why the variable of that name has no usable value, and what to do; `None` if it has one. Never shows the value."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "should be the name of an environment variable", "write a name like SLACK_ONCALL"
    if name not in env:
        return f"the environment variable {name} is not set", f"add {name}=... to .env"
    value = env[name].strip()
    if not value:
        return f"the environment variable {name} is empty", f"write its value after {name}= in .env"
    if _PLACEHOLDER.fullmatch(value):
        return (
            f"the environment variable {name} still holds a placeholder",
            f"put the real value into .env after {name}=",
        )
    return None
