"""`listener sources`: what each connector hears, needs and hides, in its own words."""

import inspect
from typing import Any

import click
from pydantic import SecretStr
from pydantic_core import PydanticUndefined


@click.command()
def sources() -> None:
    """Print what every connector hears, needs and hides, and its settings (docs/sources.md)."""
    click.echo(page(), nl=False)


def page() -> str:
    """All connectors as one Markdown page."""
    from listener.registry import connectors

    head = (
        "# Sources\n\n"
        "Every source in rules.yaml names its connector. All take `every`, `brands`, `mode` and `silent_after`, see\n"
        "[rules.md](rules.md#sources); any setting may be given as `NAME_env` to keep its value in `.env`.\n"
        "This page is what the connectors say of themselves: `make docs` writes it.\n"
    )
    return "\n".join([head, *(_section(name, kind) for name, kind in sorted(connectors().items()))])


def _section(name: str, kind: Any) -> str:
    limits = kind.limits
    rows = "".join(_row(field, info) for field, info in kind.Config.model_fields.items())
    return (
        f"## {name}\n\n{inspect.getdoc(kind)}\n\n"
        f"Asked at most every {limits.min_interval:g} s, {limits.max_pages} page(s) and {limits.max_seconds:g} s a poll, "
        f"{limits.max_bytes // 1024 // 1024} MiB an answer.\n\n"
        f"| setting | default | what |\n|---|---|---|\n{rows}"
    )


def _row(field: str, info: Any) -> str:
    default = (
        "required" if info.default is PydanticUndefined and info.default_factory is None else f"`{info.get_default()}`"
    )
    secret = " (secret)" if info.annotation is SecretStr else ""
    return f"| `{field}`{secret} | {default} | {(info.description or '').replace('|', '/')} |\n"
