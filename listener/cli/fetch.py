"""`listener fetch`: one poll of one place, to look at what it gives."""

import json
import sys
from typing import Any

import click

from listener.cli.lines import json_line
from listener.domain.errors import SourceError
from listener.domain.mention import Mention


@click.command()
@click.option("--connector", default="rss", show_default=True, help="Which connector reads the place.")
@click.option("--url", help="The address, for connectors that take one.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any other setting of the connector (JSON or text)."
)
@click.option("--query", "terms", multiple=True, help="A term to search for, for connectors that search.")
@click.option("--allow-private", is_flag=True, help="Allow loopback and private addresses.")
@click.option("--json", "as_json", is_flag=True, help="The same; JSON lines are the only output.")
def fetch(
    connector: str,
    url: str | None,
    settings: tuple[str, ...],
    terms: tuple[str, ...],
    allow_private: bool,
    as_json: bool,
) -> None:
    """Print the items of one poll as JSON lines. Exit 1 with one line "CLASS: sentence" on stderr if it fails."""
    from listener.app import SystemClock, http_client
    from listener.connector import ConnectorQuery
    from listener.decide.normalise import normalise_page
    from listener.registry import connectors

    kinds = connectors()
    if connector not in kinds:
        raise click.UsageError(f"there is no connector {connector!r}; there are: {', '.join(sorted(kinds))}")
    config = _config(kinds[connector].Config, url, settings, allow_private)
    queries = (ConnectorQuery(brand="fetch", terms=terms),) if terms else ()
    clock = SystemClock()
    with http_client() as http:
        source = kinds[connector](config, http=http, clock=clock, queries=queries)
        try:
            for page in source.poll(None):
                for fault, text in page.warnings:
                    click.echo(f"warning: {fault}: {text}", err=True)
                for mention in normalise_page(page.items, source_id=connector, seen_at=clock.now()):
                    sys.stdout.write(json_line(_output(mention)) + "\n")
        except SourceError as error:
            click.echo(f"{error.fault}: {error}", err=True)
            sys.exit(1)


def _config(kind: Any, url: str | None, settings: tuple[str, ...], allow_private: bool) -> Any:
    from pydantic import ValidationError

    values: dict[str, Any] = dict(_setting(pair) for pair in settings)
    if url is not None:
        values["base_url" if "url" not in kind.model_fields and "base_url" in kind.model_fields else "url"] = url
    if allow_private and "allow_private" in kind.model_fields:
        values["allow_private"] = True
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise click.UsageError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _setting(pair: str) -> tuple[str, Any]:
    key, equals, value = pair.partition("=")
    if not equals:
        raise click.UsageError(f"--set {pair!r}: write KEY=VALUE")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _output(mention: Mention) -> dict[str, Any]:
    return {
        "id": mention.id,
        "url": mention.url,
        "title": mention.title,
        "text": mention.text,
        "author": mention.author.handle or mention.author.name,
        "published_at": mention.published_at.isoformat() if mention.published_at else None,
        "found_at": mention.found_at.isoformat() if mention.found_at else None,
        "lang": mention.lang,
        "thread": mention.thread_id,
        "likes": mention.reach.likes,
        "replies": mention.reach.replies,
        "followers": mention.reach.followers or mention.author.followers,
    }
