"""Discovery: every connector and notifier that is installed, by listing folders and entry points. Nothing is registered.

A module in the folder `connectors` or `listener/notifiers`, or an object behind an entry point of the group
`listener.connectors` or `listener.notifiers`, holds one class with `name`, `Config` and `limits`. Modules whose name begins
with "_" are parts of others.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType, ModuleType
from typing import Any, cast

from pydantic import BaseModel

from listener.connector import Connector, ConnectorConfig
from listener.connector import Limits as ConnectorLimits
from listener.domain.errors import ConfigError, Problem
from listener.notifier import Limits as NotifierLimits
from listener.notifier import Notifier, NotifierConfig

__all__ = ["Configurations", "connector_configs", "connectors", "discover", "notifier_configs", "notifiers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kit:
    """What is looked for, and where."""

    word: str
    package: str
    group: str
    config: type
    limits: type
    methods: tuple[str, ...]


_CONNECTORS = _Kit(
    word="connector",
    package="connectors",
    group="listener.connectors",
    config=ConnectorConfig,
    limits=ConnectorLimits,
    methods=("check", "poll"),
)
_NOTIFIERS = _Kit(
    word="notifier",
    package="listener.notifiers",
    group="listener.notifiers",
    config=NotifierConfig,
    limits=NotifierLimits,
    methods=("check", "send"),
)


@cache
def connectors() -> Mapping[str, type[Connector]]:
    """Every connector by its name. Imports them all, once. Raises `ConfigError` if one of them is not as the kit wants it."""
    return cast("Mapping[str, type[Connector]]", discover(_CONNECTORS))


@cache
def notifiers() -> Mapping[str, type[Notifier]]:
    """Every notifier by its name. Imports them all, once. Raises `ConfigError` if one of them is not as the kit wants it."""
    return cast("Mapping[str, type[Notifier]]", discover(_NOTIFIERS))


class Configurations(Mapping[str, type[BaseModel]]):
    """The configuration of each plug-in of a kit by the plug-in's name.

    One that is asked for by name is looked for in the module of that name, which is imported alone: a tool that reads
    rules.yaml starts in two thirds of the time. To list them all, or to find any other, it takes `discover`.
    """

    def __init__(self, kit: _Kit, everything: Callable[[], Mapping[str, type[Any]]]) -> None:
        self._kit = kit
        self._everything = everything

    def __getitem__(self, name: str) -> type[BaseModel]:
        kind = _alone(self._kit, name) or self._everything()[name]
        return cast("type[BaseModel]", kind.Config)

    def __iter__(self) -> Iterator[str]:
        return iter(self._everything())

    def __len__(self) -> int:
        return len(self._everything())


def connector_configs() -> Configurations:
    """What sources may be configured with."""
    return Configurations(_CONNECTORS, connectors)


def notifier_configs() -> Configurations:
    """What channels may be configured with."""
    return Configurations(_NOTIFIERS, notifiers)


def _alone(kit: _Kit, name: str) -> type[Any] | None:
    """The class of that name in our module of that name; `None` for anything else, of which `discover` knows more."""
    if not name.isidentifier() or name.startswith("_"):
        return None
    try:
        module = importlib.import_module(f"{kit.package}.{name}")
    except Exception:  # noqa: BLE001 - whatever a module raises, `discover` meets it too, and says so
        return None
    kinds = [kind for kind in _classes(module, kit) if _fault(kind, kit) is None]
    return kinds[0] if len(kinds) == 1 and kinds[0].name == name else None


def discover(kit: _Kit) -> Mapping[str, type[Any]]:
    """Look into the kit's folder and entry points. All that is wrong is told at once."""
    found: dict[str, type[Any]] = {}
    places: dict[str, str] = {}
    problems: list[Problem] = []
    for place, kind in _candidates(kit, problems):
        name = str(kind.name)
        if name not in found:
            found[name], places[name] = kind, place
        elif found[name] is not kind:
            problems.append(_problem(place, f'the name "{name}" is taken by {places[name]}', "give it another name"))
    if problems:
        raise ConfigError(f"{kit.word}s", tuple(sorted(problems, key=lambda problem: problem.path)))
    return MappingProxyType(dict(sorted(found.items())))


def _candidates(kit: _Kit, problems: list[Problem]) -> Iterator[tuple[str, type[Any]]]:
    """Each class found, with its place; places without one become problems."""
    for place, loaded in (*_modules(kit, problems), *_entry_points(kit, problems)):
        kinds = [loaded] if isinstance(loaded, type) else _classes(loaded, kit)
        if len(kinds) != 1:
            what = f"no {kit.word}" if not kinds else f"{len(kinds)} {kit.word}s"
            problems.append(_problem(place, f"there is {what} in it", _ONE_CLASS))
            continue
        fault = _fault(kinds[0], kit)
        if fault:
            problems.append(_problem(place, fault, f"see listener/{kit.word}.py for what a {kit.word} declares"))
        else:
            yield place, kinds[0]


_ONE_CLASS = "write one class with name, Config and limits; begin the file's name with _ if it is a part of others"


def _modules(kit: _Kit, problems: list[Problem]) -> Iterator[tuple[str, Any]]:
    try:
        package = importlib.import_module(kit.package)
    except ModuleNotFoundError as error:
        if error.name != kit.package:
            raise
        return
    for module in pkgutil.iter_modules(package.__path__):
        place = f"{kit.package}.{module.name}"
        if not module.name.startswith("_"):
            try:
                yield place, importlib.import_module(place)
            except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything; its owner is told which and why
                problems.append(_broken(place, error))


def _entry_points(kit: _Kit, problems: list[Problem]) -> Iterator[tuple[str, Any]]:
    for point in entry_points(group=kit.group):
        place = _origin(point)
        try:
            yield place, point.load()
        except Exception as error:  # noqa: BLE001 - as above
            problems.append(_broken(place, error))


def _origin(point: EntryPoint) -> str:
    package = f" of the package {point.dist.name}" if point.dist else ""
    return f"{point.value}{package}"


def _classes(module: ModuleType, kit: _Kit) -> list[type[Any]]:
    """Classes defined in the module that look like what we want; imported ones and configurations do not count."""
    named = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    return [kind for kind in named if hasattr(kind, "Config") and not issubclass(kind, kit.config)]


def _fault(kind: type[Any], kit: _Kit) -> str | None:
    name = getattr(kind, "name", None)
    config = getattr(kind, "Config", None)
    missing = [method for method in kit.methods if not callable(getattr(kind, method, None))]
    if not isinstance(name, str) or not name.isidentifier():
        return f"the class {kind.__name__} has no name of letters, digits and _"
    if not isinstance(config, type) or not issubclass(config, kit.config):
        return f"the Config of {kind.__name__} is not a {kit.config.__name__}"
    if not isinstance(getattr(kind, "limits", None), kit.limits):
        return f"the class {kind.__name__} declares no limits"
    return f"the class {kind.__name__} has no method {' and no '.join(missing)}" if missing else None


def _broken(place: str, error: Exception) -> Problem:
    return _problem(place, f"it cannot be imported ({type(error).__name__}: {error})", "mend or uninstall it")


def _problem(place: str, message: str, remedy: str) -> Problem:
    return Problem(message=message, path=place, remedy=remedy)
