"""The memory of the daemon, as the kernel counts it, after it has polled a thousand feeds twice."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.polling import feed_server, rules
from benchmarks.row import Row, at_most
from benchmarks.timing import clean_environment
from benchmarks.triage import LISTENER
from listener.domain.errors import StoreError
from listener.store import SqlStore

MOST_MB = 200.0
_PATIENCE_SECONDS = 90.0


def daemon(feeds: int = 1_000, every: str = "5s") -> Iterator[Row]:
    """Resident memory of `listener run`, now and at its highest; the highest counts."""
    with tempfile.TemporaryDirectory(prefix="listener-bench-") as name, feed_server(feeds) as url:
        folder = Path(name)
        (folder / "rules.yaml").write_text(rules(url, feeds, every=every), encoding="utf-8")
        with _running(folder) as process:
            _wait_for_polls(folder, feeds)
            resident, highest = _memory(process.pid)
    yield Row(
        what=f"daemon: memory with {feeds:,} feeds ({resident:.0f} MB at rest)",
        ours=f"{highest:.0f} MB",
        peer=f"{MOST_MB:.0f} MB",
        ratio=highest / MOST_MB,
        wanted=at_most(1.0),
    )


@contextmanager
def _running(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environment = clean_environment(
        LISTENER_RULES=str(folder / "rules.yaml"), LISTENER_DB=_database(folder), LISTENER_LOG_LEVEL="warning"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([LISTENER, "run"], cwd=folder, env=environment, stdout=log, stderr=log)  # noqa: S603
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
        process.kill()
        process.wait()


def _wait_for_polls(folder: Path, feeds: int) -> None:
    """Until every source was heard, and once more after that. Raises `RuntimeError` if that does not come."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    since = datetime.min.replace(tzinfo=UTC)
    for _ in range(2):
        while _heard_since(folder, since) < feeds:
            if time.monotonic() > deadline:
                raise RuntimeError("the daemon does not hear all feeds: " + (folder / "log").read_text()[-2_000:])
            time.sleep(0.2)
        since = datetime.now(UTC)


def _heard_since(folder: Path, since: datetime) -> int:
    store = SqlStore(_database(folder))
    try:
        with store.reading() as uow:
            heard = [state.last_success_at for state in uow.sources()]
    except StoreError:  # it is only being made
        return 0
    finally:
        store.close()
    return sum(1 for at in heard if at is not None and at > since)


def _database(folder: Path) -> str:
    return f"sqlite:///{folder / 'listener.db'}"


def _memory(pid: int) -> tuple[float, float]:
    """Resident memory of a process now and at its highest, in MB (10^6 bytes); see proc(5), VmRSS and VmHWM."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    kib = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines) if value.endswith("kB")}
    return int(kib["VmRSS"]) * 1024 / 1e6, int(kib["VmHWM"]) * 1024 / 1e6
