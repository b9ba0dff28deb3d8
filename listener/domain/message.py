"""What one notification says, before a notifier gives it a form."""

from dataclasses import dataclass
from datetime import datetime

from listener.domain.notification import Why
from listener.domain.verdict import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """The post that an alert shows. All fields but the times are hostile text: a notifier neutralises them for its sink.

    `url` is http or https; `host` is its host in punycode, which is shown beside any link. `reach` and `age` are our own
    sentences ("12,400 followers, 38 reactions", "posted 4 min ago").
    """

    author: str
    reach: str
    title: str | None
    text: str
    url: str | None
    host: str | None
    source: str
    age: str
    said_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One notification's content. Everything but `post` is our own text, though it may quote terms of rules.yaml.

    `headline` is one line. `dedupe_key` is the same for every attempt of one notification; `thread_key` is the same for
    all notifications of one case. `clock` says how much of the customer's time is left. `how` says how to acknowledge.
    `possible_repeat` is True when an earlier attempt may have arrived. A notice has no `post` and says all in `body`.
    """

    dedupe_key: str
    thread_key: str
    why: Why
    severity: Severity | None
    case_name: str | None
    headline: str
    body: str = ""
    brands: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    clock: str | None = None
    do: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    handle_by: str | None = None
    how: str | None = None
    post: Post | None = None
    mention_count: int = 1
    possible_repeat: bool = False
    created_at: datetime
