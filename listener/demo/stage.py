"""Puts the demo on: starts the internet, the sinks and the real daemon, watches, acknowledges, and tidies up."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from rich.console import Console
from rich.live import Live

from listener.demo.internet import SmallInternet
from listener.demo.screen import Arrival, screen
from listener.demo.story import LENGTH, Place
from listener.domain.case import Case
from listener.domain.errors import ListenerError
from listener.domain.verdict import Severity
from listener.ports import Store

PATIENCE = 25.0
"""Seconds after the last post in which everything must have arrived."""


@dataclass(slots=True)
class Sinks:
    """What the chat and the mailbox received, as it came in."""

    clock: Callable[[], float]
    arrivals: list[Arrival] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def chat(self, payload: dict[str, object]) -> None:
        """A chat message arrived."""
        self._keep("chat", str(payload.get("text", "")).splitlines()[0], str(payload))

    def mail(self, mail: EmailMessage) -> None:
        """A mail arrived."""
        body = mail.get_body(("plain",))
        self._keep("mail", str(mail["Subject"]), body.get_content() if body else "")

    def _keep(self, sink: str, headline: str, text: str) -> None:
        with self.lock:
            self.arrivals.append(Arrival(sink=sink, at=self.clock(), headline=headline, text=text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that runs."""

    folder: Path
    internet: SmallInternet
    sinks: Sinks
    daemon: subprocess.Popen[bytes]
    env: dict[str, str]

    @property
    def database(self) -> str:
        """The daemon's database."""
        return self.env["LISTENER_DB"]


def play(*, keep: bool, svg: str | None) -> int:
    """Play the whole story; 0 if an urgent English and an urgent Korean alert reached both sinks."""
    console = Console(width=None if sys.stdout.isatty() else 130)
    began = time.monotonic()
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # ended by a program is ended as by Ctrl-C: all is shut down
    try:
        with _stage() as stage:
            complete = _watch(stage, console)
            _acknowledge(stage, console)
            if svg:
                _picture(stage, svg)
            _say_where(stage, console, time.monotonic() - began, complete=complete)
            if keep:
                _wait(console)
            return 0 if complete else 1
    except KeyboardInterrupt:
        console.print("\nStopped; everything was shut down.")
        return 0


@contextmanager
def _stage() -> Iterator[Stage]:
    try:
        from listener.demo.mailbox import Mailbox  # noqa: PLC0415 - an extra, so that a server need not carry it
    except ImportError as error:
        raise ListenerError("the demo needs a mail server to show: pip install 'listener-daemon[demo]'") from error
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="listener-demo-"))
        stack.callback(_tidy, folder)
        sinks = Sinks(clock=lambda: internet.elapsed)
        internet = SmallInternet(sinks.chat)
        mailbox = Mailbox(sinks.mail)
        internet.start()
        stack.callback(internet.close)
        mailbox.start()
        stack.callback(mailbox.close)
        env = _furnish(folder, internet.url, mailbox.port)
        internet.begin()
        daemon = _start(folder, env)
        stack.callback(_stop, daemon)
        yield Stage(folder=folder, internet=internet, sinks=sinks, daemon=daemon, env=env)


def _furnish(folder: Path, url: str, port: int) -> dict[str, str]:
    """Write the rules and the secrets, and return the daemon's environment."""
    rules = (Path(__file__).parent / "rules.yaml").read_text(encoding="utf-8")
    (folder / "rules.yaml").write_text(rules.replace("INTERNET", url).replace("SMTP", str(port)), encoding="utf-8")
    dotenv = folder / ".env"
    dotenv.touch(mode=0o600)
    dotenv.write_text(f"DEMO_WEBHOOK={url}/services/T000/B000/demo\nDEMO_ALERTS={url}/alerts\n", encoding="utf-8")
    ours = {
        "LISTENER_RULES": str(folder / "rules.yaml"),
        "LISTENER_DB": f"sqlite:///{folder / 'listener.db'}",
        "LISTENER_LOG": "json",
    }
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LISTENER_", "NOTIFY_", "WATCHDOG_"))
    }
    return {**kept, **ours}


def _start(folder: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    with (folder / "listener.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "listener", "run"],
            cwd=folder,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the demo alone; it stops the daemon in good order
        )


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    if daemon.poll() is None:
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(timeout=30)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _tidy(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _watch(stage: Stage, console: Console) -> bool:
    """Show what happens until all has been told, or patience ends."""
    live = Live(console=console, refresh_per_second=4, transient=False)
    printed = 0
    with live:
        while True:
            _still_running(stage)
            cases = _queue(stage)
            with stage.sinks.lock:
                arrivals = list(stage.sinks.arrivals)
            live.update(screen(stage.internet, cases, arrivals))
            if not console.is_terminal:
                printed = _narrate(console, arrivals, printed)
            now = stage.internet.elapsed
            done = _complete(stage, cases, arrivals)
            if now > LENGTH + 2 and (done or now > LENGTH + PATIENCE):
                return done
            time.sleep(0.25)


def _narrate(console: Console, arrivals: list[Arrival], printed: int) -> int:
    """Without a terminal there is no live view: say each arrival on a line of its own."""
    for arrival in arrivals[printed:]:
        console.print(f"{arrival.at:5.1f} s  {arrival.sink}: {arrival.headline}", markup=False, highlight=False)
    return len(arrivals)


def _still_running(stage: Stage) -> None:
    if stage.daemon.poll() is not None:
        log = (stage.folder / "listener.log").read_text(encoding="utf-8", errors="replace")
        raise ListenerError(f"the daemon stopped with exit code {stage.daemon.returncode}:\n{log[-2000:]}")


def _open(stage: Stage) -> Store:
    from listener.store import SqlStore  # noqa: PLC0415 - only once the daemon has made the database

    return SqlStore(stage.database)


def _queue(stage: Stage) -> tuple[Case, ...]:
    if not (stage.folder / "listener.db").exists():
        return ()
    try:
        with _open(stage).reading() as uow:
            return uow.triage_queue(limit=10)
    except Exception:  # noqa: BLE001 - the daemon is just creating its tables; the next look is a quarter second away
        return ()


def _complete(stage: Stage, cases: tuple[Case, ...], arrivals: list[Arrival]) -> bool:
    """Has an urgent English and an urgent Korean case reached both sinks?"""
    urgent = [case for case in cases if case.severity is Severity.URGENT]
    told = {
        (sink, korean)
        for sink in ("chat", "mail")
        for case in urgent
        for korean in [not case.title.isascii()]
        if any(a.sink == sink and case.name in a.text + a.headline for a in arrivals)
    }
    return len(told) == 4 and len(stage.internet.appeared(Place.FORUM)) > 0


def _acknowledge(stage: Stage, console: Console) -> None:
    """Take the first case of the queue with the real command."""
    cases = _queue(stage)
    if not cases:
        return
    command = [sys.executable, "-m", "listener", "ack", cases[0].name, "--by", "you"]
    done = subprocess.run(command, cwd=stage.folder, env=stage.env, capture_output=True, text=True, check=False)  # noqa: S603
    console.print(f"$ listener ack {cases[0].name} --by you\n{(done.stdout or done.stderr).strip()}", markup=False)


_WEB_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def _picture(stage: Stage, svg: str) -> None:
    """The last screen as a picture that loads nothing from anywhere: the reader's own monospace font will do."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        camera = Console(record=True, width=130, file=nowhere)
        camera.print(screen(stage.internet, _queue(stage), stage.sinks.arrivals))
        picture = camera.export_svg(title="listener demo")
    Path(svg).write_text(_WEB_FONTS.sub("", picture), encoding="utf-8")


def _say_where(stage: Stage, console: Console, seconds: float, *, complete: bool) -> None:
    lines = [
        f"rules    {stage.folder / 'rules.yaml'}",
        f"log      {stage.folder / 'listener.log'}",
        f"database {stage.folder / 'listener.db'}",
        "These are removed when the demo ends; `make demo DEMO_ARGS=--keep` leaves everything running.",
        f"The demo took {seconds:.0f} s.",
    ]
    if not complete:
        lines.append("Not every urgent alert arrived in time; the log above says why.")
    for line in lines:
        console.print(line, markup=False, highlight=False)


def _wait(console: Console) -> None:
    console.print("Running until Ctrl-C.")
    threading.Event().wait()
