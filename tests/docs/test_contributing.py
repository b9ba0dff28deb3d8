"""CONTRIBUTING's walk-through "Add a connector" is followed to the letter, in a copy of the folders it names."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The copy is not the code whose coverage is counted.
ENV = {name: value for name, value in os.environ.items() if not name.startswith("COV")}


@pytest.mark.slow
def test_one_module_and_one_recording_make_a_connector(tmp_path: Path) -> None:
    """Nothing else changes: the inherited suite finds both by itself and passes."""
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add a connector")[2]
    module = re.search(r"Write `(connectors/\w+\.py)`:\s+```python\n(.*?)```", section, re.DOTALL)
    recording = re.search(r"in `(tests/recordings/connectors/\w+\.yaml)`:\s+```yaml\n(.*?)```", section, re.DOTALL)
    assert module is not None
    assert recording is not None
    for folder in ("connectors", "listener", "tests/connectors", "tests/recordings"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests" / "__init__.py").touch()
    for path, text in (module.groups(), recording.groups()):
        (tmp_path / path).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "tests/connectors/test_every_connector.py"],
        cwd=tmp_path,
        env=ENV,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    lobby = subprocess.run(
        [sys.executable, "-c", "from listener.registry import connectors; print(connectors()['lobby'].__module__)"],
        cwd=tmp_path,
        env=ENV,
        capture_output=True,
        text=True,
        check=False,
    )
    assert lobby.stdout.strip() == "connectors.lobby"
