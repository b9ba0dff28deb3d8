"""Configurations of made-up connectors and notifiers, and short ways to load a file with them."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from listener.domain.errors import ConfigError
from listener.domain.policy import Policy
from listener.rules.load import Loaded, load


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Feed(Settings):
    """A feed and where it is."""

    url: str
    allow_private: bool = False
    title: str | None = None


class Search(Settings):
    tags: tuple[str, ...] = ()
    code: str = Field(default="a", pattern="^[a-z]+$")
    since: date | None = None


class Console(Settings):
    pass


class Chat(Settings):
    webhook: SecretStr
    flavour: Literal["slack", "mattermost"] = "slack"
    key: SecretStr | None = None

    @field_validator("webhook")
    @classmethod
    def address(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith("https://"):
            raise ValueError(f"{value.get_secret_value()} should begin with https; copy it again")
        return value


class Mail(Settings):
    to: tuple[str, ...] = Field(min_length=1)
    sender: str | None = Field(default=None, alias="from")
    port: int = 25
    user: str | None = None
    password: SecretStr | None = None

    @model_validator(mode="after")
    def both(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together; give both")
        return self


CONNECTORS: Mapping[str, type[BaseModel]] = {"feed": Feed, "search": Search}
NOTIFIERS: Mapping[str, type[BaseModel]] = {"console": Console, "chat": Chat, "mail": Mail}


def loaded(text: str, env: Mapping[str, str] | None = None) -> Loaded:
    return load(text, file="rules.yaml", connectors=CONNECTORS, notifiers=NOTIFIERS, env=env or {})


def policy(text: str, env: Mapping[str, str] | None = None) -> Policy:
    return loaded(text, env).policy


def errors(text: str, env: Mapping[str, str] | None = None) -> list[str]:
    """Every error of the file as people see it."""
    with pytest.raises(ConfigError) as caught:
        loaded(text, env)
    return [problem.sentence("rules.yaml").removeprefix("rules.yaml:") for problem in caught.value.problems]


def warnings(text: str, env: Mapping[str, str] | None = None) -> list[str]:
    return [problem.sentence("rules.yaml").removeprefix("rules.yaml:") for problem in loaded(text, env).warnings]
