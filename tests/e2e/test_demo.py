"""`make demo` keeps its promise."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.loopback import LISTENER, Program

pytestmark = pytest.mark.slow


def test_the_demo_delivers_to_both_sinks_and_tidies_up(tmp_path: Path) -> None:
    """Exit 0 says that an urgent English and an urgent Korean alert reached chat and mailbox; nothing of it stays."""
    env = Program(tmp_path, "http://127.0.0.1:9").env(TMPDIR=str(tmp_path))
    picture = tmp_path / "demo.svg"
    done = subprocess.run(
        [LISTENER, "demo", "--svg", str(picture)], env=env, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for part in ("chat: URGENT", "mail: URGENT", "포도페이", "is yours, you"):
        assert part in done.stdout
    assert "포도페이" in picture.read_text(encoding="utf-8")
    assert list(tmp_path.glob("listener-demo-*")) == []
