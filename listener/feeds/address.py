"""Addresses in a connector's configuration."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

__all__ = ["SecretAddress", "WebAddress"]

_WHOLE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s/]\S*|file:///\S*")


def _check(address: str) -> None:
    """Only its shape. Which schemes and hosts may be reached is decided where the connection is made."""
    if not _WHOLE.fullmatch(address) or len(address) > 2048:
        raise ValueError("write the whole address, as in https://forum.example/latest.rss")


def _address(value: str) -> str:
    _check(value)
    return value


def _secret(value: SecretStr) -> SecretStr:
    _check(value.get_secret_value())
    return value


# Not a secret, but not shown either: people paste addresses with tokens in them.
WebAddress = Annotated[str, AfterValidator(_address), Field(repr=False)]
SecretAddress = Annotated[SecretStr, AfterValidator(_secret)]
