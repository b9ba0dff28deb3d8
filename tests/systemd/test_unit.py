"""The files for systemd, judged by systemd's own tools."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
UNIT = (SYSTEMD / "listener.service").read_text()


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on this machine")
    return path


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def seconds(key: str) -> int:
    """The value of a time span that the unit gives as plain seconds or minutes."""
    found = re.search(rf"^{key}=(\d+)(min)?$", UNIT, re.MULTILINE)
    assert found, key
    return int(found[1]) * (60 if found[2] else 1)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists on this machine, since `verify` looks for it."""
    copy = tmp_path / "listener.service"
    copy.write_text(UNIT.replace("/opt/listener/bin/listener", shutil.which("true") or "/bin/true"))
    return copy


def test_systemd_understands_every_line(unit: Path) -> None:
    """`verify` exits 0 even for keys that it does not know; only its standard error tells."""
    done = run(tool("systemd-analyze"), "verify", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_verify_would_have_told(unit: Path) -> None:
    unit.write_text(UNIT.replace("ProtectHome=yes", "ProtectHome=yes\nProtectHoem=yes"))
    assert "ProtectHoem" in run(tool("systemd-analyze"), "verify", unit).stderr


def test_the_exposure_is_at_most_one_point_two(unit: Path) -> None:
    done = run(tool("systemd-analyze"), "security", "--offline=true", "--threshold=12", "--no-pager", unit)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "Type=notify",
        "NotifyAccess=main",
        "ExecStart=/opt/listener/bin/listener run",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "WatchdogSec=60",
        "Restart=on-failure",
        "RestartPreventExitStatus=78",
        "User=listener",
        "StateDirectory=listener",
        "StateDirectoryMode=0700",
        "UMask=0077",
    ],
)
def test_the_unit_says_what_the_program_relies_on(line: str) -> None:
    assert line in UNIT.splitlines()


def test_the_service_may_speak_to_the_internet_and_to_systemd() -> None:
    (families,) = re.findall(r"^RestrictAddressFamilies=(.*)$", UNIT, re.MULTILINE)
    assert set(families.split()) == {"AF_INET", "AF_INET6", "AF_UNIX"}
    assert not re.search(r"^IPAddressDeny=.*(127\.|localhost|any)", UNIT, re.MULTILINE)


def test_a_drain_of_twenty_seconds_fits_before_the_kill() -> None:
    assert seconds("TimeoutStopSec") >= 20 + 5


def test_a_restarting_database_does_not_exhaust_the_restarts() -> None:
    burst = int(re.findall(r"^StartLimitBurst=(\d+)$", UNIT, re.MULTILINE)[0])
    tried_for = burst * seconds("RestartSec")
    assert 5 * 60 <= tried_for < seconds("StartLimitIntervalSec")


def test_the_user_is_one_that_sysusers_makes(tmp_path: Path) -> None:
    copy = shutil.copy(SYSTEMD / "listener.sysusers", tmp_path / "listener.conf")
    done = run(tool("systemd-sysusers"), "--dry-run", f"--root={tmp_path}", copy)
    assert done.returncode == 0, done.stderr
    assert "Creating user 'listener' (Listener service)" in done.stdout + done.stderr


def test_the_configuration_is_for_root_to_write_and_the_service_to_read(tmp_path: Path) -> None:
    """On a root of our own; root's part is played by whoever runs the test."""
    program = tool("systemd-tmpfiles")
    etc = tmp_path / "etc"
    (etc / "listener").mkdir(parents=True)
    (etc / "passwd").write_text(f"me:x:{os.getuid()}:{os.getgid()}::/:/bin/sh\n")
    (etc / "group").write_text(f"me:x:{os.getgid()}:\nlistener:x:{os.getgid()}:\n")
    for name in ("rules.yaml", ".env", "listener.env"):
        (etc / "listener" / name).touch(0o666)
    rules = (SYSTEMD / "listener.tmpfiles").read_text()
    assert re.findall(r"^[dz] +\S+ +\d+ (\w+) (\w+)", rules, re.MULTILINE) == [
        *[("root", "listener")] * 3,
        ("root", "root"),
    ]
    copy = tmp_path / "listener.conf"
    copy.write_text(rules.replace(" root", " me  "))
    done = run(program, f"--root={tmp_path}", "--create", copy)
    assert (done.returncode, done.stderr) == (0, "")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (etc / "listener", *(etc / "listener").iterdir())}
    assert modes == {"listener": 0o750, "rules.yaml": 0o640, ".env": 0o640, "listener.env": 0o600}
