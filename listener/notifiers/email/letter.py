"""A message as a letter: headers that nothing in a post can add to, a plain text part and an HTML part."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from listener.decide.defang import clean, cut, one_line
from listener.decide.layout import Block, Part, blocks, shown_link
from listener.domain.errors import DeliveryRefused
from listener.domain.verdict import Severity
from listener.notifier import Message

MAX_SUBJECT = 200
MAX_BODY = 20_000


def compose(message: Message, *, sender: str, target: str) -> bytes:
    """The letter as it goes over the wire. Headers and recipient are ours alone, whatever the post says.

    The serialised letter is read again and compared with what was meant, because the email package of Python 3.11 can
    turn an encoded word into a header of its own (the family of CVE-2024-6923). If it differs, the subject is replaced.
    """
    for subject in (_header(message.headline), _plain_subject(message)):
        headers = _headers(message, subject, sender=sender, target=target)
        raw = _serialised(headers, message)
        if _reads_as_meant(raw, headers, subject):
            return raw
    raise DeliveryRefused("this notification makes no safe mail; look at the case with: listener show")


def _headers(message: Message, subject: str, *, sender: str, target: str) -> dict[str, str]:
    """All values are ASCII: addresses were checked when rules.yaml was loaded, the subject is encoded here."""
    domain = sender.rpartition("@")[2]
    thread = f"<{_digest(message.thread_key)}@{domain}>"
    headers = {
        "From": f"Listener <{sender}>",
        "To": target,
        "Subject": _encoded(subject),
        "Date": format_datetime(message.created_at),
        # The same for every attempt, so that a mail that arrived twice is shown once; the thread's root is never sent.
        "Message-ID": f"<{_digest(message.dedupe_key)}@{domain}>",
        "In-Reply-To": thread,
        "References": thread,
        "List-Id": f"Listener alerts <listener.{domain}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: no out-of-office replies to us
    }
    return headers | ({"Importance": "high"} if message.severity is Severity.URGENT else {})


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


_WORD_BYTES = 42
"""Bytes in one encoded word, so that it stays below the 75 characters of RFC 2047."""


def _encoded(subject: str) -> str:
    """Plain if it is short ASCII, else encoded words (RFC 2047) that never part the bytes of a character.

    The email package of 3.11 is not asked: folding Korean it puts spaces where none were.
    """
    if subject.isascii() and len(subject) <= 70:
        return subject
    words = [b""]
    for character in subject:
        byte_form = character.encode()
        if len(words[-1]) + len(byte_form) > _WORD_BYTES:
            words.append(b"")
        words[-1] += byte_form
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in words)


def _serialised(headers: Mapping[str, str], message: Message) -> bytes:
    body = EmailMessage(policy=policy.SMTP)
    # base64 keeps every line short and every byte 7-bit, whatever the relay can do.
    body.set_content(_plain(message), charset="utf-8", cte="base64")
    body.add_alternative(_html(message), subtype="html", charset="utf-8", cte="base64")
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii") + body.as_bytes()


_OF_THE_BODY = ("mime-version", "content-type")


def _reads_as_meant(raw: bytes, headers: Mapping[str, str], subject: str) -> bool:
    read = message_from_bytes(raw, policy=policy.default)
    names = sorted(name.lower() for name in read if name.lower() not in _OF_THE_BODY)
    parts = [part.get_content_type() for part in read.walk()]
    return (
        names == sorted(name.lower() for name in headers)
        and parts == ["multipart/alternative", "text/plain", "text/html"]
        and str(read["Subject"]) == subject
        and str(read["To"]) == headers["To"]
    )


def _plain_subject(message: Message) -> str:
    """A subject without a word of the post."""
    return " ".join(part for part in ("Listener:", message.severity, message.case_name) if part)


def _header(text: str) -> str:
    """What a header carries and never obeys: one line, and no start of an encoded word."""
    return cut(one_line(text), MAX_SUBJECT).replace("=?", "= ?")


# --- the plain part ----------------------------------------------------------------------------------------------------


def _plain(message: Message) -> str:
    parts = [_text(message.headline, line=True), *(_plain_block(block) for block in blocks(message))]
    shown = shown_link(message)
    if shown is not None:
        parts.append(shown.url)
    return "\n\n".join(parts) + "\n"


def _plain_block(block: Block) -> str:
    shown = _text(block.shown())
    return "\n".join(f"> {line}" for line in shown.split("\n")) if block.part is Part.POST else shown


def _text(text: str, *, line: bool = False) -> str:
    """What a plain part shows: it obeys nothing but line breaks, and those of a post are quoted."""
    return cut(one_line(text), MAX_SUBJECT) if line else cut(clean(text), MAX_BODY)


# --- the HTML part -----------------------------------------------------------------------------------------------------

_COLOURS = {Severity.URGENT: "#c0392b", Severity.HIGH: "#d35400", Severity.NORMAL: "#2471a3", Severity.LOW: "#616a6b"}
_QUOTE = "margin:8px 0;padding:8px 12px;border-left:4px solid #bbb;background:#f6f6f6;white-space:pre-wrap"


def _html(message: Message) -> str:
    colour = _COLOURS[message.severity] if message.severity else "#6c3483"
    title = f'<p style="font-size:18px;font-weight:bold;color:{colour}">{_escaped(message.headline, line=True)}</p>'
    parts = [title, *(_html_block(block) for block in blocks(message))]
    shown = shown_link(message)
    if shown is not None:
        # The text of the link is where it leads; nothing in the mail is fetched when it is read.
        rel = "noopener noreferrer nofollow"
        parts.append(f'<p><a href="{escape(shown.url)}" rel="{rel}">Open on {escape(shown.label)}</a></p>')
    return f'<div style="font-family:sans-serif;max-width:640px">{"".join(parts)}</div>'


def _html_block(block: Block) -> str:
    if block.part is Part.POST:
        return f'<blockquote style="{_QUOTE}"><bdi>{_escaped(block.shown())}</bdi></blockquote>'
    if block.heading is None:
        return f'<p style="white-space:pre-wrap"><bdi>{_escaped(block.shown())}</bdi></p>'
    lines = [_escaped(one_line(line)) for line in block.lines]
    if len(lines) == 1:
        return f"<p><b>{block.heading}:</b> <bdi>{lines[0]}</bdi></p>"
    return f"<p><b>{block.heading}:</b></p><ul>{''.join(f'<li><bdi>{line}</bdi></li>' for line in lines)}</ul>"


def _escaped(text: str, *, line: bool = False) -> str:
    """What HTML shows and never obeys."""
    return escape(_text(text, line=line), quote=True)
