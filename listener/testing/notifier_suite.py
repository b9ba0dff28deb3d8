"""The tests that every notifier inherits. A notifier is tested by its recording alone:

    class TestPager(NotifierSuite):
        @pytest.fixture
        def notifier(self): return Pager

        @pytest.fixture
        def recording(self): return Recording.read(Path("pager.yaml"))

A recording is YAML: `sink` (http, smtp or stdout), `config` (a whole configuration), `variants` (settings that change the
form, each tried by every test), `secret_settings` and `secrets` (further keys that hold secrets, and the strings that may
never show), and `exchanges`: which of `MESSAGES` was sent with which settings, exactly what arrived, what was answered, and
the receipt.
"""

import html.parser
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import SecretStr, ValidationError

from listener.domain.errors import DeliveryDelayed, DeliveryError, DeliveryRefused, Fault
from listener.domain.message import Message, Post
from listener.domain.notification import Why
from listener.domain.verdict import Severity
from listener.notifier import Notifier, NotifierConfig, Sent
from listener.testing.notifier_sinks import HttpSink, Sink, SmtpSink, StdoutSink, View

_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_SAID = datetime(2026, 3, 2, 8, 56, tzinfo=UTC)

ALERT = Message(
    dedupe_key="C42:first:1:oncall/0",
    thread_key="case:42",
    why=Why.FIRST,
    severity=Severity.URGENT,
    case_name="C42",
    headline="URGENT · Haneul Air · billing — Charged twice for one ticket, and nobody answers…",
    brands=("Haneul Air",),
    topics=("billing",),
    reasons=("billing is at least urgent (+15)", "reads as negative; 91% sure that the author is unhappy (+32)"),
    clock="answer within 1 min",
    do=("Phone the customer now",),
    avoid=("Never ask them to prove it in public",),
    handle_by="phone",
    how="listener ack C42",
    post=Post(
        author="Minji (@minji)",
        reach="12,400 followers, 38 reactions",
        title="Charged twice",
        text="Charged twice for one ticket, and nobody answers.\nI want my money back.",
        url="https://forum.example/t/8812?page=2&sort=new",
        host="forum.example",
        source="forum",
        age="posted 4 min ago",
        said_at=_SAID,
    ),
    created_at=_NOW,
)
KOREAN = replace(
    ALERT,
    dedupe_key="C43:more:1:oncall/0",
    thread_key="case:43",
    why=Why.MORE,
    severity=Severity.HIGH,
    case_name="C43",
    headline="MORE · HIGH · 하늘항공 · outage — 앱이 또 안 열려요",
    body="More about the same matter: 3 posts in this case now.",
    clock="overdue by 3 min",
    handle_by=None,
    how="listener ack C43",
    post=replace(
        ALERT.post, author="@nari", reach="reach unknown", title=None, text="앱이 또 안 열려요 😡", url=None, host=None
    )
    if ALERT.post
    else None,
    mention_count=3,
)
NOTICE = Message(
    dedupe_key="notice:source:forum:refused:2026-03-02T09:00:00+00:00:oncall/0",
    thread_key="notice:source:forum:refused",
    why=Why.NOTICE,
    severity=None,
    case_name=None,
    headline="Listener · The source forum refuses us",
    body="The place refused us (HTTP 403); check its key or its terms.",
    created_at=_NOW,
)
MESSAGES = {"alert": ALERT, "korean": KOREAN, "notice": NOTICE}

HOSTILE = (
    "<!channel> <!here> <!everyone|click> <@U012AB3CD> <#C012|general> <!subteam^S1> <!date^1^{date}^https://evil.example|x>",
    "@everyone @here @channel @all ＠everyone @\u200beveryone &#64;all &commat;here",
    "<https://evil.example|https://bank.example> [bank](https://evil.example) ![x](https://evil.example/t.png)",
    "```\nfence *bold* _it_ ~no~ # heading\n> quote\n| a | b |\n===",
    "\x1b[31mred\x1b]8;;https://evil.example\x07link\x1b]8;;\x07 \x1b]52;c;ZXZpbA==\x07\r overwritten \x9b31m \x00",
    "[bold red]x[/] [link=https://evil.example]y[/link] [/] \\[z",
    "\u202etxet desrever\u202c \u2066iso\u2069 \u200f\u061c",
    "<script>alert(1)</script><img src=https://evil.example/t.gif><style>*{display:none}</style><base href=//evil.example>",
    "\"><svg onload=alert(1)> ' onfocus='alert(1)' autofocus=' <!--[if mso]><x><![endif]--> <meta http-equiv=refresh>",
    "x\r\nBcc: victim@x.example\r\n\r\nbody\u2028Bcc: v\u0085Cc: w =?utf-8?B?QWNtZQ0KQmNjOiBhQGIuYw==?=",
    "\ud800 lone \udfff \ufffe \uffff \U0001fffe \ufdd0 Z\u0351\u036b\u0343\u0324\u032e\u0351\u036b\u0343\u0324\u032e",
    "{{7*7}} ${jndi:ldap://127.0.0.1/a} %s %n {0} $root <% x %>",
)
"""One line for each kind of hostile text; the same kinds with other content are to be expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What stands in a recording's file; see the module's docstring."""

    sink: str
    config: dict[str, Any]
    variants: tuple[dict[str, Any], ...]
    secret_settings: dict[str, Any]
    secrets: tuple[str, ...]
    exchanges: tuple[dict[str, Any], ...]

    @classmethod
    def read(cls, path: Path) -> "Recording":
        """The recording in a file."""
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        return cls(
            sink=data["sink"],
            config=data.get("config") or {},
            variants=tuple(data.get("variants") or ({},)),
            secret_settings=data.get("secret_settings") or {},
            secrets=tuple(data.get("secrets") or ()),
            exchanges=tuple(data["exchanges"]),
        )


Make = Callable[..., Notifier]


class NotifierSuite:
    """Inherit, and provide the fixtures `notifier` and `recording`."""

    @pytest.fixture
    def notifier(self) -> type[Notifier]:
        """The class under test."""
        raise NotImplementedError("provide a fixture `notifier` that returns the class")

    @pytest.fixture
    def recording(self, notifier: type[Notifier]) -> Recording:
        """Its recording."""
        raise NotImplementedError("provide a fixture `recording`")

    @pytest.fixture
    def sink(
        self, recording: Recording, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Sink]:
        """Where it arrives; a terminal is 80 columns wide and takes no colours, whoever runs the tests."""
        monkeypatch.setenv("COLUMNS", "80")
        for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            monkeypatch.delenv(name, raising=False)
        sinks: dict[str, Callable[[], Sink]] = {
            "http": HttpSink,
            "smtp": SmtpSink,
            "stdout": lambda: StdoutSink(lambda: capsys.readouterr().out),
        }
        opened = sinks[recording.sink]()
        yield opened
        opened.close()

    @pytest.fixture
    def make(self, notifier: type[Notifier], recording: Recording, sink: Sink) -> Make:
        """Builds the notifier with the recording's configuration and further settings."""

        def build(**settings: Any) -> Notifier:
            config = notifier.Config.model_validate({**recording.config, **sink.settings(), **settings})
            return notifier(config, sink.surroundings)

        return build

    # --- declaration

    def test_is_declared_in_full(self, notifier: type[Notifier]) -> None:
        """A name, a page of documentation, limits, and a typed configuration in which every key is explained."""
        assert re.fullmatch(r"[a-z][a-z0-9_]*", notifier.name)
        assert len(notifier.__doc__ or "") > 60
        assert issubclass(notifier.Config, NotifierConfig)
        assert [key for key, field in notifier.Config.model_fields.items() if not field.description] == []
        limits = notifier.limits
        assert min(limits.max_title, limits.max_body, limits.per_minute) > 0
        assert limits.markup

    def test_refuses_unknown_keys(self, notifier: type[Notifier], recording: Recording) -> None:
        """A key that is misspelt is an error, not a setting that does nothing."""
        with pytest.raises(ValidationError, match="Extra inputs"):
            notifier.Config.model_validate({**recording.config, "no_such_key": 1})

    def test_prints_secrets_as_stars(self, notifier: type[Notifier], recording: Recording) -> None:
        """Neither the configuration nor an error about it shows a secret."""
        whole = {**recording.config, **recording.secret_settings}
        config = notifier.Config.model_validate(whole)
        with pytest.raises(ValidationError) as error:
            notifier.Config.model_validate({**whole, "no_such_key": 1})
        for secret in recording.secrets:
            assert secret not in repr(config) + str(config) + str(error.value)
        assert bool(recording.secrets) == any(map(_is_secret, notifier.Config.model_fields.values()))

    def test_touches_nothing_when_it_is_made(self, make: Make, sink: Sink) -> None:
        """Building it sends nothing and asks nothing."""
        assert make().targets
        assert len(set(make().targets)) == len(make().targets)
        assert sink.arrived() == []
        assert getattr(sink.surroundings.http, "requests", []) == []

    # --- what arrives

    def test_sends_exactly_what_was_recorded(self, make: Make, sink: Sink, recording: Recording) -> None:
        """Each recorded exchange: these settings and this message give this request, this answer gives this receipt."""
        for exchange in recording.exchanges:
            answer = exchange.get("answer")
            if answer is not None:
                sink.answer(answer["code"], headers=answer.get("headers"), body=answer.get("body", ""))
            sender = make(**exchange.get("settings", {}))
            sent = sender.send(MESSAGES[exchange["message"]], sender.targets[0])
            assert sink.arrived()[-1] == exchange["arrives"], exchange["name"]
            assert sent == Sent(receipt=exchange["receipt"]), exchange["name"]

    def test_every_attempt_of_one_notification_can_be_recognised(
        self, make: Make, sink: Sink, recording: Recording
    ) -> None:
        """Sent twice, the same notification arrives twice the same; a possible repeat says so."""
        for settings in recording.variants:
            sender = make(**settings)
            first, second, repeat = (
                self._arrives(sender, sink, message) for message in (ALERT, ALERT, replace(ALERT, possible_repeat=True))
            )
            assert first == second
            assert repeat != first

    def _arrives(self, sender: Notifier, sink: Sink, message: Message) -> View:
        sender.send(message, sender.targets[0])
        return sink.arrived()[-1]

    def test_cuts_to_its_limits(self, make: Make, sink: Sink, recording: Recording, notifier: type[Notifier]) -> None:
        """A post of any length arrives, cut, and the cut is said."""
        for settings in recording.variants:
            for letter in ("가", "😡", "&", "<", "_"):
                message = _saying(letter * 60_000, headline=f"URGENT — {'나' * 5_000}")
                text = _joined(self._arrives(make(**settings), sink, message))
                assert text.count("나") <= _COPIES * notifier.limits.max_title
                if letter in "가😡":
                    assert text.count(letter) <= _COPIES * notifier.limits.max_body
                assert "characters)" in text.replace("\\", "")

    def test_text_from_a_post_is_neutral(
        self, make: Make, sink: Sink, recording: Recording, notifier: type[Notifier]
    ) -> None:
        """Markup of any kind, in any field that strangers write, is shown and never obeyed."""
        for settings in recording.variants:
            for text in HOSTILE:
                message = _saying(text, headline=text, author=text, title=text)
                assert problems(self._arrives(make(**settings), sink, message), notifier.limits.markup) == []

    def test_a_link_that_is_not_one_is_dropped(self, make: Make, sink: Sink, recording: Recording) -> None:
        """javascript: and its like never arrive; of a deceptive address the true host is shown."""
        for settings in recording.variants:
            script = _joined(self._arrives(make(**settings), sink, _saying("hello", url="javascript:alert(1)")))
            assert "javascript" not in script.lower()
            text = _joined(
                self._arrives(make(**settings), sink, _saying("hello", url="https://bank.example@evil.example/"))
            )
            assert "evil.example" in text
            assert "bank.example" not in text

    def test_the_check_tells_nobody(self, make: Make, sink: Sink) -> None:
        """Trying the sink leaves nothing there."""
        assert make().check()
        assert sink.arrived() == []

    # --- what becomes of it

    def test_every_answer_is_delivery_delay_or_refusal(self, make: Make, sink: Sink, recording: Recording) -> None:
        """Every HTTP status (or SMTP reply) has one meaning, and no error shows a secret."""
        sender = make()
        for code in _CODES.get(recording.sink, ()):
            sink.answer(code)
            assert _outcome(sender, recording.secrets) == _expected(recording.sink, code), code

    def test_a_sink_that_asks_for_a_pause_gets_it(self, make: Make, sink: Sink) -> None:
        """`Retry-After` as seconds, decimal or date; what is absurd is clamped to 1 s..1 h or ignored."""
        if not isinstance(sink, HttpSink):
            return
        later = format_datetime(_NOW.replace(minute=2), usegmt=True)
        for value, seconds in (
            ("7", 7.0),
            ("2.5", 2.5),
            (later, 120.0),
            (None, None),
            ("soon", None),
            ("nan", None),
            ("-1", 1.0),
            ("1e9", 3600.0),
        ):
            sink.answer(429, headers={"Retry-After": value} if value else None)
            with pytest.raises(DeliveryDelayed) as delayed:
                make().send(ALERT, "")
            assert delayed.value.retry_after == seconds, value

    def test_a_broken_exchange_is_tried_again(self, make: Make, sink: Sink, recording: Recording) -> None:
        """Whatever happens on the way is a delay, ambiguous if the request was out; only our own guard refuses."""
        if not isinstance(sink, HttpSink):
            return
        for fault in (Fault.DNS, Fault.CONNECT, Fault.TLS, Fault.TIMEOUT, Fault.PROTOCOL, Fault.TRUNCATED):
            for ambiguous in (False, True):
                sink.fail(fault, ambiguous=ambiguous)
                with pytest.raises(DeliveryDelayed) as delayed:
                    make().send(ALERT, "")
                assert delayed.value.ambiguous is ambiguous
                with pytest.raises(DeliveryError):
                    make().check()
        sink.fail(Fault.BLOCKED_ADDRESS, ambiguous=False)
        assert _outcome(make(), recording.secrets) == "dead"


_COPIES = 3
"""How often one text may stand in what is sent: a mail has it in its subject, its plain part and its HTML part."""

_CODES = {
    "http": tuple(range(200, 600)),
    "smtp": (250, 251, 421, 450, 451, 452, 454, 499, 500, 521, 550, 552, 553, 554, 599),
}
_DEAD_HTTP = {401, 403, 404, 407, 410, *range(300, 400)}


def _expected(sink: str, code: int) -> str:
    if 200 <= code < 300:
        return "sent"
    if sink == "smtp":
        return "delayed" if code < 500 else "refused"
    if code in (408, 425, 429) or code >= 500:
        return "delayed"
    return "dead" if code in _DEAD_HTTP else "refused"


def _outcome(sender: Notifier, secrets: tuple[str, ...]) -> str:
    try:
        sender.send(ALERT, sender.targets[0])
    except DeliveryError as error:
        assert not any(secret in f"{error} {error!r} {sender!r}" for secret in secrets)
        if isinstance(error, DeliveryRefused):
            return "dead" if error.channel_dead else "refused"
        return "delayed"
    return "sent"


def _is_secret(field: Any) -> bool:
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def _saying(
    text: str,
    *,
    headline: str = "URGENT — hello",
    author: str = "bob",
    title: str | None = None,
    url: str | None = None,
) -> Message:
    assert ALERT.post is not None
    return replace(ALERT, headline=headline, post=replace(ALERT.post, text=text, author=author, title=title, url=url))


# --- what counts as neutral --------------------------------------------------------------------------------------------


def strings(view: Any) -> list[str]:
    """Every string in what arrived."""
    if isinstance(view, dict):
        return [text for value in view.values() for text in strings(value)]
    if isinstance(view, list):
        return [text for value in view for text in strings(value)]
    return [view] if isinstance(view, str) else []


def _joined(view: View) -> str:
    return "\n".join(strings(view))


_NEVER = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_CALLS = re.compile(r"<[!@#]|<https?:|[@＠](?:everyone|here|channel|all)\b|&#64;all|&commat;here", re.IGNORECASE)
_TAGS = {"div", "p", "b", "bdi", "a", "ul", "li", "blockquote"}
_ATTRIBUTES = {"style", "href", "rel"}


def problems(view: View, markup: str) -> list[str]:
    """What in `view` a sink of that markup could obey: "chat", "html", "terminal" or "json"; empty if all is neutral."""
    found = [f"control or reordering in {text!r}" for text in strings(view) if _NEVER.search(text)]
    if markup == "chat":
        found += [f"a mention or link in {text!r}" for text in strings(view) if _CALLS.search(text)]
    if markup == "html":
        found += [f"a header {name}" for name in view["headers"] if name.lower() not in _HEADERS]
        found += [] if view["to"] == [view["headers"]["To"]] else ["another recipient"]
        found += _foreign_markup(view["html"])
    return found


_HEADERS = {
    "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "list-id", "auto-submitted", "importance",
}  # fmt: skip


def _foreign_markup(page: str) -> list[str]:
    found: list[str] = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend([f"a tag {tag}"] if tag not in _TAGS else [])
            found.extend(f"an attribute {name}" for name, _ in attrs if name not in _ATTRIBUTES)

        def handle_comment(self, data: str) -> None:
            found.append("a comment")

    Reader().feed(page)
    return found
