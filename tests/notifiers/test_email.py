"""Alerts by mail: over real sockets, to relays that are kind, slow, strict and broken."""

import socket
import ssl
import time
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import ValidationError

from listener.domain.errors import DeliveryDelayed, DeliveryRefused
from listener.notifier import Surroundings
from listener.notifiers.email import Email, EmailConfig
from listener.notifiers.email.letter import compose
from listener.testing.notifier_suite import ALERT, KOREAN
from tests.alert_samples import saying
from tests.notifiers.relay import Relay, ScriptedRelay, drip, drop, flood, hang

TO = "oncall@haneul.example"
BOSS = "boss@haneul.example"
PASSWORD = "aSecretWord"


def _config(port: int, **settings: Any) -> EmailConfig:
    return EmailConfig.model_validate(
        {"to": [TO], "host": "127.0.0.1", "port": port, "security": "none", "timeout": 5, **settings}
    )


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificates(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return file


def _tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


# --- configuration


def test_recipients_alone_are_enough_for_a_relay_on_this_machine() -> None:
    config = EmailConfig.model_validate({"to": [TO]})
    assert (config.host, config.port_used, config.security_used) == ("localhost", 25, "none")
    assert config.sender_used == "listener@haneul.example"


def test_elsewhere_mail_is_encrypted_unless_the_owner_says_otherwise() -> None:
    assert EmailConfig.model_validate({"to": [TO], "host": "mx.example"}).port_used == 587
    assert EmailConfig.model_validate({"to": [TO], "host": "mx.example", "security": "tls"}).port_used == 465


@pytest.mark.parametrize(
    "settings",
    [
        {"to": []}, {"to": ["nobody"]}, {"to": ["a@x.example, b@x.example"]}, {"to": ["a@x.example\nBcc: b@x.example"]},
        {"to": ["=?utf-8?q?a?=@x.example"]}, {"to": ['"x" <a@x.example>']}, {"from": "a@b@c"},
        {"to": ["a" * 250 + "@x.example"]},
        {"username": "u"}, {"password": PASSWORD}, {"username": "u", "password": "암호" + PASSWORD}, {"host": "a b"},
        {"port": 0}, {"security": "ssl"}, {"timeout": 600},
    ],
)  # fmt: skip
def test_what_can_not_work_is_refused_when_rules_are_loaded(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as error:
        EmailConfig.model_validate({"to": [TO], **settings})
    assert PASSWORD not in str(error.value)


# --- kind relays


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_it_encrypts_logs_in_and_delivers(
    security: str, authority: trustme.CA, certificates: Path, real: Surroundings
) -> None:
    tls = _tls(authority, "localhost")
    with Relay(tls=tls, implicit=security == "tls", password=PASSWORD.encode()) as relay:
        config = _config(
            relay.port, host="localhost", security=security, ca_file=certificates, username="us", password=PASSWORD
        )
        email = Email(config, real)
        assert email.check() == f"localhost:{relay.port} answers ({security}, logged in as us); no mail was sent"
        assert relay.mails == []
        assert email.send(KOREAN, TO).receipt == "250 2.0.0 queued as 1"
    sender, recipients, raw = relay.mails[0]
    assert (sender, recipients, relay.logins) == ("listener@haneul.example", [TO], [b"us", b"us"])
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == KOREAN.headline


def test_each_recipient_gets_an_envelope_and_a_fate_of_its_own(real: Surroundings) -> None:
    """One address that is refused takes nothing from the other."""
    with Relay() as relay:
        relay.replies[BOSS] = "550 5.1.1 no such user"
        email = Email(_config(relay.port, to=[TO, BOSS, TO]), real)
        assert email.targets == (TO, BOSS)
        email.send(ALERT, TO)
        with pytest.raises(DeliveryRefused, match=r"550 5\.1\.1 no such user to the recipient") as error:
            email.send(ALERT, BOSS)
    assert not error.value.channel_dead
    assert [mail[1] for mail in relay.mails] == [[TO]]
    assert message_from_bytes(relay.mails[0][2])["To"] == TO


def test_a_recipient_who_left_the_file_is_not_written_to(real: Surroundings) -> None:
    with Relay() as relay, pytest.raises(DeliveryRefused, match="no longer a recipient"):
        Email(_config(relay.port), real).send(ALERT, BOSS)
    assert relay.mails == []


def test_greylisting_is_answered_with_the_same_mail_again(real: Surroundings) -> None:
    with Relay() as relay:
        email = Email(_config(relay.port), real)
        relay.replies[TO] = "450 4.2.0 greylisted"
        with pytest.raises(DeliveryDelayed, match="450") as error:
            email.send(ALERT, TO)
        assert not error.value.ambiguous
        del relay.replies[TO]
        email.send(ALERT, TO)
        email.send(replace(ALERT, possible_repeat=True), TO)
    identities = [message_from_bytes(raw)["Message-ID"] for _, _, raw in relay.mails]
    assert len(set(identities)) == 1
    assert len(relay.mails) == 2


# --- strict relays: one answer at each step


@pytest.mark.parametrize(
    ("step", "reply", "fate"),
    [
        ("banner", "421 4.3.2 busy", "delayed"),
        ("banner", "554 5.7.1 go away", "dead"),
        ("ehlo", "421 4.3.2 closing", "delayed"),
        ("mail", "451 4.3.0 later", "delayed"),
        ("mail", "550 5.7.1 not from you", "dead"),
        ("mail", "530 5.7.0 log in first", "dead"),
        ("mail", "552 5.3.4 too large", "refused"),
        ("rcpt", "421 4.3.2 closing", "delayed"),
        ("rcpt", "450 4.2.0 greylisted", "delayed"),
        ("rcpt", "452 4.2.2 mailbox full", "delayed"),
        ("rcpt", "550 5.1.1 no such user", "refused"),
        ("data", "451 4.3.0 later", "delayed"),
        ("data", "554 5.7.1 spam", "refused"),
        ("dot", "452 4.3.1 no space", "delayed"),
        ("dot", "554 5.7.1 spam \x1b[31m", "refused"),
        ("rcpt", "299 whatever", "sent"),
        ("rcpt", "hello", "delayed"),
    ],
)
def test_each_answer_has_one_meaning(step: str, reply: str, fate: str, real: Surroundings) -> None:
    """4xx: again later. 5xx: final for this mail, or for the channel where it goes for every mail."""
    with ScriptedRelay(**{step: reply}, helo="421 4.3.2 closing") as relay:
        error = _fate(Email(_config(relay.port), real))
    assert error[0] == fate
    assert error[1] is False
    assert "\x1b" not in error[2]


def _fate(email: Email) -> tuple[str, bool, str]:
    """What became of a mail, whether that is sure, and what was said."""
    try:
        email.send(ALERT, TO)
    except DeliveryDelayed as error:
        return "delayed", error.ambiguous, str(error)
    except DeliveryRefused as error:
        return ("dead" if error.channel_dead else "refused"), False, str(error)
    return "sent", False, ""


@pytest.mark.parametrize(
    ("reply", "fate"),
    [("535 5.7.8 wrong", "dead"), ("454 4.7.0 later", "delayed"), ("235 2.7.0 welcome", "sent")],
)
def test_a_refused_login_rests_the_channel_and_is_not_hammered(reply: str, fate: str, real: Surroundings) -> None:
    with ScriptedRelay(ehlo="250-relay\r\n250 AUTH PLAIN", auth=reply) as relay:
        error = _fate(Email(_config(relay.port, username="us", password=PASSWORD), real))
    assert error[0] == fate
    assert PASSWORD not in error[2]
    assert relay.verbs.count("auth") == 1


def test_a_relay_that_knows_no_login_rests_the_channel(real: Surroundings) -> None:
    for offer in ("250 relay", "250-relay\r\n250 AUTH KERBEROS"):
        with ScriptedRelay(ehlo=offer) as relay:
            error = _fate(Email(_config(relay.port, username="us", password=PASSWORD), real))
        assert error[:2] == ("dead", False)
        assert "does not offer a login" in error[2]


def test_a_relay_without_starttls_gets_neither_login_nor_mail(real: Surroundings) -> None:
    """Somebody in between may have removed the offer: nothing is said in the clear."""
    with ScriptedRelay() as relay:
        error = _fate(Email(_config(relay.port, security="starttls", username="us", password=PASSWORD), real))
    assert error[0] == "dead"
    assert "does not offer STARTTLS" in error[2]
    assert set(relay.verbs) <= {"ehlo", "quit"}


def test_starttls_that_is_not_ready_is_tried_again(real: Surroundings) -> None:
    with ScriptedRelay(ehlo="250-relay\r\n250 STARTTLS", starttls="454 4.7.0 not now") as relay:
        assert _fate(Email(_config(relay.port, security="starttls"), real))[0] == "delayed"


def test_a_broken_handshake_is_tried_again(real: Surroundings) -> None:
    """A port that speaks no TLS, or hangs up in the middle."""
    with ScriptedRelay(ehlo="250-relay\r\n250 STARTTLS", starttls="220 go") as relay:
        assert _fate(Email(_config(relay.port, security="starttls", timeout=0.5), real))[:2] == ("delayed", False)
    with ScriptedRelay() as relay:
        assert _fate(Email(_config(relay.port, security="tls", timeout=0.5), real))[:2] == ("delayed", False)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_cannot_be_trusted_rests_the_channel(
    security: str, authority: trustme.CA, certificates: Path, real: Surroundings
) -> None:
    """Wrong name, unknown authority: the owner acts, and reads which it is."""
    for name, trusted, cause in (
        ("other.example", certificates, "localhost"),
        ("localhost", None, "self-signed|unable"),
    ):
        with Relay(tls=_tls(authority, name), implicit=security == "tls") as relay:
            config = _config(relay.port, host="localhost", security=security, ca_file=trusted)
            with pytest.raises(DeliveryRefused, match=f"cannot be trusted .*({cause})") as error:
                Email(config, real).check()
        assert error.value.channel_dead


def test_a_ca_file_without_certificates_is_named_before_anything_is_opened(tmp_path: Path, real: Surroundings) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("not a certificate", encoding="ascii")
    with ScriptedRelay() as relay:
        for file in (tmp_path / "missing.pem", empty, tmp_path):
            fate, _, said = _fate(Email(_config(relay.port, security="tls", ca_file=file), real))
            assert fate == "dead"
            assert str(file) in said
    assert relay.verbs == []


# --- broken relays


@pytest.mark.parametrize("step", ["banner", "ehlo", "mail", "rcpt", "data"])
@pytest.mark.parametrize("habit", [drop, hang, drip, flood])
def test_silence_before_the_mail_is_out_means_that_it_is_not(step: str, habit: Any, real: Surroundings) -> None:
    """Whatever the relay does, it ends in time, and the mail can safely be sent again."""
    began = time.monotonic()
    with ScriptedRelay(**{step: habit}) as relay:
        error = _fate(Email(_config(relay.port, timeout=0.3), real))
    assert error[:2] == ("delayed", False)
    assert f"127.0.0.1:{relay.port}" in error[2]
    assert time.monotonic() - began < 5
    assert relay.mails == []


@pytest.mark.parametrize("habit", [drop, hang, drip])
def test_silence_after_the_mail_is_out_is_ambiguous(habit: Any, real: Surroundings) -> None:
    with ScriptedRelay(dot=habit) as relay:
        assert _fate(Email(_config(relay.port, timeout=0.5), real))[:2] == ("delayed", True)
    assert len(relay.mails) == 1


def test_a_relay_that_is_not_there_is_tried_again(real: Surroundings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = _fate(Email(_config(port), real))
    assert error[:2] == ("delayed", False)
    assert "the connection failed" in error[2]
    assert _fate(Email(_config(25, host="no-such-host.invalid", security="starttls"), real))[:2] == ("delayed", False)


def test_a_time_that_is_over_before_it_begins_is_a_delay(real: Surroundings) -> None:
    class Late:
        """A clock on which each look costs a minute."""

        at = 0.0

        def now(self) -> Any:
            return real.clock.now()

        def monotonic(self) -> float:
            self.at += 60
            return self.at

    error = _fate(Email(_config(25), Surroundings(http=real.http, clock=Late())))
    assert error[:2] == ("delayed", False)
    assert "longer than 5 s" in error[2]


def test_without_encryption_mail_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch, real: Surroundings) -> None:
    """A private relay needs the word of the owner; a public one never gets mail in the clear."""
    with ScriptedRelay() as relay:
        for address, allow_private, sent in (
            ("192.168.7.7", False, False),
            ("192.168.7.7", True, True),
            ("203.0.113.7", True, True),  # documentation, which Python counts as private
            ("8.8.8.8", True, False),
        ):
            monkeypatch.setattr("listener.notifiers.email.session.peer_of", lambda _, address=address: address)
            error = _fate(Email(_config(relay.port, allow_private=allow_private), real))
            assert error[0] == ("sent" if sent else "dead")
            assert sent or "travel unencrypted" in error[2]


# --- the letter


@pytest.fixture
def letters() -> Any:
    return lambda message: message_from_bytes(
        compose(message, sender="listener@haneul.example", target=TO), policy=policy.default
    )


def test_mails_of_one_case_make_one_thread(letters: Any) -> None:
    first, more = letters(ALERT), letters(replace(ALERT, dedupe_key="C42:more:2:oncall/0"))
    assert first["Message-ID"] != more["Message-ID"]
    assert first["References"] == more["References"] == more["In-Reply-To"]
    assert first["References"] != letters(KOREAN)["References"]


def test_no_machine_answers_a_mail_of_ours(letters: Any) -> None:
    assert letters(ALERT)["Auto-Submitted"] == "auto-generated"
    assert letters(ALERT)["List-Id"] == "Listener alerts <listener.haneul.example>"
    assert (letters(ALERT)["Importance"], letters(KOREAN)["Importance"]) == ("high", None)


@pytest.mark.parametrize(
    "subject",
    [
        "최악의 하늘항공 🤬 서비스",
        "plain words",
        "x" * 160,
        "é" * 120,
        "가 나 다 라 마 바 사 아 " * 8,
        "a\u3000b",
        "  odd   spaces ",
    ],
)
def test_a_subject_in_any_script_arrives_letter_by_letter(subject: str, letters: Any) -> None:
    read = str(letters(replace(ALERT, headline=subject))["Subject"])
    assert read == " ".join(subject.split())


def test_an_encoded_word_in_a_post_stays_text(letters: Any) -> None:
    """On Python 3.11 this very title becomes a real Bcc header if it is given to the email package."""
    letter = letters(saying("=?utf-8?B?QWNtZQ0KQmNjOiBhQGIuYw==?= =?utf-8?Q?=0D=0ABcc=3A_a=40b.c?="))
    assert letter["Bcc"] is None
    assert "= ?utf-8" in letter["Subject"]


def test_a_letter_that_reads_differently_than_meant_gets_a_plain_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check after writing is a second wall; here the first one is taken away."""
    monkeypatch.setattr("listener.notifiers.email.letter._encoded", lambda subject: subject.replace("|", "\r\n"))
    raw = compose(replace(ALERT, headline="x|Bcc: victim@x.example"), sender="l@haneul.example", target=TO)
    letter = message_from_bytes(raw, policy=policy.default)
    assert (letter["Subject"], letter["Bcc"]) == ("Listener: urgent C42", None)
    monkeypatch.setattr("listener.notifiers.email.letter._encoded", lambda subject: "x\r\nBcc: v@x.example")
    with pytest.raises(DeliveryRefused, match="no safe mail"):
        compose(ALERT, sender="l@haneul.example", target=TO)
