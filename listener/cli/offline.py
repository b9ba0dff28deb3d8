"""Rules for commands that judge without the network: secrets that are not set do not matter to them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from listener.app import compile_rules, embedder, judging_ruleset, read_rules
from listener.rules.load import Loaded
from listener.ruleset import Ruleset
from listener.settings import load_settings


class AnySecret(Mapping[str, str]):
    """An environment in which every name is set, to an address that cannot exist (RFC 2606)."""

    def __getitem__(self, name: str) -> str:
        return f"https://{name.lower().replace('_', '-')}.invalid/unset"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __contains__(self, name: object) -> bool:
        return True


def rules_path(given: Path | None) -> Path:
    """The file named on the command line, else the configured one."""
    return given or load_settings().rules


def offline_rules(given: Path | None) -> Loaded:
    """The compiled file. Raises `ConfigError` with everything that is wrong but missing secrets."""
    path = rules_path(given)
    return compile_rules(read_rules(path), file=str(path), env=AnySecret())


def offline_ruleset(given: Path | None) -> Ruleset:
    """What judging needs. Somebody waits for the best answer, so the embedding is given all the time that it takes."""
    return judging_ruleset(offline_rules(given).policy, embedder(load_settings(), hurried=False))


def may_fork() -> bool:
    """Not where the embedding is in use: it is a process of its own, which several cannot share."""
    return embedder(load_settings()) is None
