"""Google Alerts, delivered as a feed."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from pydantic import ConfigDict, Field

from listener.connector import Checkpoint, ConnectorConfig, ConnectorQuery, Limits, Page
from listener.domain.mention import Author, RawItem
from listener.feeds.address import SecretAddress
from listener.feeds.polling import check_feed, feed_request, poll_feed
from listener.ports import Clock, HttpClient


class GoogleAlertsConfig(ConnectorConfig):
    """One alert. Its address is a secret: who has it can read the alert."""

    model_config = ConfigDict(hide_input_in_errors=True)

    url: SecretAddress = Field(description="The address behind the alert's feed symbol.")
    allow_private: bool = Field(default=False, description="Whether it may be in your own network.")


class GoogleAlerts:
    """Web pages that Google found for a search, as an Atom feed.

    Hears: titles and snippets of news, blogs and web pages, about 20 at a time.
    Needs: an alert made by hand at google.com/alerts with "Deliver to: RSS feed"; put the feed's address into `.env` and
    name it with `url_env`, because whoever has the address can read the alert.
    Hides: much. Google finds a part of what is written, hours to days late, and shows a snippet; the complaint may be in
    the rest. Never let it be the only source.

    Limits: Google publishes none for the feed; every 10 minutes is kind and quick enough. The feed has no validators, so
    each poll is a whole download (about 14 kB).

    Quirks: the link leads through google.com/url; the page behind it is taken out, because one article has as many
    links as alerts that found it. Matched words stand in `<b>`, in the middle of Korean words too. `published` is when
    Google found the page, so it is kept as the time found and the time of publication is unknown.
    Delivery by feed was away from July to September 2013; if it vanishes again, the source answers 404 or goes silent.
    """

    name: ClassVar[str] = "google_alerts"
    Config: ClassVar[type[ConnectorConfig]] = GoogleAlertsConfig
    limits: ClassVar[Limits] = Limits(min_interval=1.0, max_pages=1, max_seconds=20.0)

    def __init__(
        self, config: GoogleAlertsConfig, *, http: HttpClient, clock: Clock, queries: tuple[ConnectorQuery, ...] = ()
    ) -> None:
        url = config.url.get_secret_value()
        self._request = feed_request(url, allow_private=config.allow_private, max_bytes=self.limits.max_bytes)
        self._http = http
        self._clock = clock

    def check(self) -> None:
        """Fetch and parse the alert's feed once."""
        check_feed(self._request, http=self._http, clock=self._clock)

    def poll(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        """One page: what Google found since."""
        page = poll_feed(self._request, checkpoint, http=self._http, clock=self._clock)
        yield replace(page, items=tuple(_found(item) for item in page.items))


def _found(item: RawItem) -> RawItem:
    """The page that was found, not the finding of it. An alert has no author."""
    return replace(
        item,
        url=_behind(item.url) if item.url else None,
        author=Author(),
        published_at=None,
        found_at=item.published_at,
    )


_GOOGLE = re.compile(r"(?:www\.)?google\.[a-z]{2,3}(?:\.[a-z]{2})?")
_TARGET = re.compile(r"[?&](?:url|q)=(.+)", re.DOTALL)
_OWN_END = re.compile(r"(.+)&ct=ga(?:&cd=.*)?\Z", re.DOTALL)
_ANY_END = re.compile(r"&(?:ct|cd|usg|sa|rct|ved)=.*", re.DOTALL)


def _behind(url: str) -> str:
    """The page behind `google.com/url?...&url=<page>&ct=ga&cd=...&usg=...`.

    The page's address is often not percent-encoded, so its own "&" look like Google's: all up to Google's own end is
    the address.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    target = _TARGET.search(f"?{parts.query}" + (f"#{parts.fragment}" if parts.fragment else ""))
    if not _GOOGLE.fullmatch(parts.hostname or "") or parts.path != "/url" or target is None:
        return url
    end = _OWN_END.match(target.group(1))
    page = end.group(1) if end else _ANY_END.sub("", target.group(1))
    return unquote(page) if re.match(r"https?%3a", page, re.IGNORECASE) else page
