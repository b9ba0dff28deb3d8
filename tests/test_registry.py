"""Connectors and notifiers are found, not registered; a module that is not as its kit wants it is told by name."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from listener import registry
from listener.connector import ConnectorConfig, Limits
from listener.domain.errors import ConfigError
from listener.notifier import NotifierConfig

GOOD = """
from listener.connector import ConnectorConfig, Limits

class {name}Config(ConnectorConfig):
    pass

class {name}:
    name = "{name}"
    Config = {name}Config
    limits = Limits()
    def check(self): ...
    def poll(self, checkpoint): ...
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of connectors of its own, with no entry points beside it."""
    package = tmp_path / "places"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == "places"]:
        del sys.modules[name]


def kit_of(package: str = "places") -> registry._Kit:
    return registry._Kit(
        word="connector",
        package=package,
        group="listener.connectors",
        config=ConnectorConfig,
        limits=Limits,
        methods=("check", "poll"),
    )


def find(package: str = "places") -> list[str]:
    return list(registry.discover(kit_of(package)))


def configurations() -> registry.Configurations:
    return registry.Configurations(kit_of(), lambda: registry.discover(kit_of()))


def problems() -> list[str]:
    with pytest.raises(ConfigError) as error:
        find()
    assert all(problem.remedy for problem in error.value.problems)
    return [f"{problem.path}: {problem.message}" for problem in error.value.problems]


def test_ours_are_found() -> None:
    assert {"rss", "google_alerts", "hackernews", "spool"} <= set(registry.connectors())
    assert {"console", "email", "slack", "webhook"} <= set(registry.notifiers())
    assert all(issubclass(kind.Config, ConnectorConfig) for kind in registry.connectors().values())
    assert all(issubclass(kind.Config, NotifierConfig) for kind in registry.notifiers().values())


def test_they_are_looked_for_once() -> None:
    assert registry.connectors() is registry.connectors()


def test_a_module_in_the_folder_is_a_connector(folder: Path) -> None:
    (folder / "b.py").write_text(GOOD.format(name="Bada"))
    (folder / "a.py").write_text(GOOD.format(name="Acme"))
    (folder / "_part.py").write_text("raise RuntimeError")
    assert find() == ["Acme", "Bada"]


def test_an_entry_point_is_one_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names a class or a module."""
    (folder / "_acme.py").write_text(GOOD.format(name="Acme"))
    (folder / "_bada.py").write_text(GOOD.format(name="Bada"))
    points = [
        EntryPoint(name="acme", value="places._acme:Acme", group="listener.connectors"),
        EntryPoint(name="bada", value="places._bada", group="listener.connectors"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert find() == ["Acme", "Bada"]


def test_the_same_class_by_two_ways_is_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "acme.py").write_text(GOOD.format(name="Acme"))
    point = EntryPoint(name="acme", value="places.acme:Acme", group="listener.connectors")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    assert find() == ["Acme"]


def test_a_missing_folder_is_no_connectors(folder: Path) -> None:
    assert find("no_such_places") == []


def test_a_folder_that_cannot_be_imported_is_a_bug(folder: Path) -> None:
    (folder / "__init__.py").write_text("import no_such_module_at_all")
    with pytest.raises(ModuleNotFoundError):
        find()


def test_everything_wrong_is_told_at_once(folder: Path) -> None:
    good = GOOD.format(name="Acme")
    (folder / "a.py").write_text(good)
    (folder / "b.py").write_text(good)
    (folder / "c.py").write_text("")
    (folder / "d.py").write_text(good + GOOD.format(name="Bada"))
    (folder / "e.py").write_text("1 / 0")
    (folder / "f.py").write_text(good.replace('name = "Acme"', 'name = "two words"'))
    (folder / "g.py").write_text(good.replace("Config = AcmeConfig", "Config = dict"))
    (folder / "h.py").write_text(good.replace("limits = Limits()", "limits = None"))
    (folder / "i.py").write_text(good.replace("def poll", "def pull"))
    assert problems() == [
        'places.b: the name "Acme" is taken by places.a',
        "places.c: there is no connector in it",
        "places.d: there is 2 connectors in it",
        "places.e: it cannot be imported (ZeroDivisionError: division by zero)",
        "places.f: the class Acme has no name of letters, digits and _",
        "places.g: the Config of Acme is not a ConnectorConfig",
        "places.h: the class Acme declares no limits",
        "places.i: the class Acme has no method poll",
    ]


def test_a_broken_entry_point_is_told_with_its_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = SimpleNamespace(value="lobby:Lobby", dist=SimpleNamespace(name="listener-lobby"), load=lambda: 1 / 0)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    (problem,) = problems()
    assert problem.startswith("lobby:Lobby of the package listener-lobby: it cannot be imported")


def test_a_configuration_that_is_named_costs_the_import_of_its_own_module(folder: Path) -> None:
    for name in ("Ara", "Bada"):
        (folder / f"{name}.py").write_text(GOOD.format(name=name))
    assert configurations()["Ara"].__name__ == "AraConfig"
    assert "places.Ara" in sys.modules
    assert "places.Bada" not in sys.modules


def test_a_configuration_is_found_whatever_its_module_is_called(folder: Path) -> None:
    (folder / "a.py").write_text(GOOD.format(name="Ara"))
    (folder / "b.py").write_text(GOOD.format(name="a"))
    assert configurations()["Ara"].__name__ == "AraConfig"
    assert configurations()["a"].__name__ == "aConfig"


@pytest.mark.parametrize("name", ["nothing", "_part", "os.path", "../x", ""])
def test_there_is_no_configuration_of_what_is_not_there(folder: Path, name: str) -> None:
    (folder / "a.py").write_text(GOOD.format(name="Ara"))
    (folder / "_part.py").write_text(GOOD.format(name="_part"))
    assert configurations().get(name) is None
    assert list(configurations()) == ["Ara"]
    assert len(configurations()) == 1


def test_a_named_module_that_is_wrong_is_told_like_any_other(folder: Path) -> None:
    (folder / "a.py").write_text("import nowhere_at_all")
    with pytest.raises(ConfigError, match="nowhere_at_all"):
        configurations()["a"]
