"""Feeds: RSS 0.9x to 2.0, RDF, Atom, JSON Feed."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from listener.connector import Checkpoint, ConnectorConfig, ConnectorQuery, Limits, Page
from listener.feeds.address import WebAddress
from listener.feeds.polling import check_feed, feed_request, poll_feed
from listener.ports import Clock, HttpClient


class RssConfig(ConnectorConfig):
    """One feed."""

    url: WebAddress = Field(description="The feed's address.")
    allow_private: bool = Field(default=False, description="Whether it may be in your own network.")


class Rss:
    """A feed of a forum, a blog, a news site, a status page.

    Hears: every item of an RSS (0.9x, 1.0, 2.0), Atom (0.3, 1.0) or JSON Feed (1.0, 1.1) document, matched against all brands.
    Needs: `url`. `allow_private: true` lets it reach a server in your own network.
    Hides: whatever the site leaves out of its feed, most often comments, and the rest of a text that it only begins.
    Reach is unknown: feeds tell no followers and no reactions.

    Limits: a feed holds its last 10 to 100 items; what comes and goes between two polls is never seen, so poll a busy
    forum every minute or two and a blog every half hour. One document is read up to 16 MB and 20,000 items.

    Quirks: dates are claims. A date before 2000 or in the future counts as unknown and loses no item. Ids are trusted only as
    far as one document does not use one id for two links. An edited item is heard again. A feed with its own entities
    (DTD) is refused as an attack; an external DOCTYPE as in RSS 0.91 is not fetched and does no harm.
    Servers that answer "not modified" for ever are asked for the whole document once a day.
    """

    name: ClassVar[str] = "rss"
    Config: ClassVar[type[ConnectorConfig]] = RssConfig
    limits: ClassVar[Limits] = Limits(min_interval=1.0, max_pages=1, max_seconds=20.0)

    def __init__(
        self, config: RssConfig, *, http: HttpClient, clock: Clock, queries: tuple[ConnectorQuery, ...] = ()
    ) -> None:
        self._request = feed_request(config.url, allow_private=config.allow_private, max_bytes=self.limits.max_bytes)
        self._http = http
        self._clock = clock

    def check(self) -> None:
        """Fetch and parse the feed once."""
        check_feed(self._request, http=self._http, clock=self._clock)

    def poll(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        """One page: the items that are new or changed."""
        yield poll_feed(self._request, checkpoint, http=self._http, clock=self._clock)
