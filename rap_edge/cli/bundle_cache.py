"""The bundle commands about what is installed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.bundle_place import DEFAULT, place_of
from rap_edge.cli.bundle_report import as_json
from rap_edge.cli.failures import check_input
from rap_edge.cli.options import JsonObject, Trust, Unsigned

if TYPE_CHECKING:
    from rap_edge.cache import Cache, Installed

Root = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        envvar="RAP_EDGE_CACHE",
        help="Folder of the installed bundles.",
        show_default="the user's cache",
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of an installed bundle.")]


def install(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help=f'Folder or .rapb of a bundle, or "{DEFAULT}".')
    ],
    variant: Annotated[
        list[str] | None,
        typer.Option(help="backend/precision to install; may be repeated.", show_default="all"),
    ] = None,
    trust: Trust = None,
    allow_unsigned: Unsigned = False,
    budget_mb: Annotated[
        int, typer.Option(min=1, help="Largest size of all that is installed.")
    ] = 2048,
    cache: Root = None,
    json: JsonObject = False,
) -> None:
    """Verify a bundle, copy what is missing, and make it the current one of its name."""
    for key in trust or ():
        check_input(key, "a public key (PEM)")
    store = _cache(cache, budget_mb << 20)
    found = store.install(_place(bundle), variant or (), trust or (), allow_unsigned)
    typer.echo(as_json(installed=asdict(found)) if json else _line(found))


def repair(
    name: Name,
    repair_from: Annotated[
        Path | None, typer.Option(help="Bundle to take damaged files from.")
    ] = None,
    cache: Root = None,
    json: JsonObject = False,
) -> None:
    """Compare every byte of an installed bundle, and mend what is damaged."""
    source = None if repair_from is None else _place(repair_from)
    mended = _cache(cache).verify(name, source)
    whole = f"{name}: whole"
    line = f"{whole}; mended {', '.join(mended)}" if mended else whole
    typer.echo(as_json(name=name, mended=list(mended)) if json else line)


def rollback(name: Name, cache: Root = None, json: JsonObject = False) -> None:
    """Go back to the bundle that was current before."""
    found = _cache(cache).rollback(name)
    typer.echo(as_json(installed=asdict(found)) if json else _line(found))


def show(cache: Root = None, json: JsonObject = False) -> None:
    """List what is installed."""
    found = _cache(cache).installed()
    if json:
        typer.echo(as_json(installed=[asdict(bundle) for bundle in found]))
    else:
        typer.echo("\n".join(map(_line, found)) or "nothing is installed")


def _place(bundle: Path) -> Path:
    from rap_edge.bundle import DEFAULT as BUILT_IN

    return place_of(bundle) or BUILT_IN


def _cache(root: Path | None, budget_bytes: int | None = None) -> Cache:
    from rap_edge.cache import DEFAULT_BUDGET_BYTES, Cache
    from rap_edge.cache_lookup import default_root

    return Cache(root or default_root(), budget_bytes or DEFAULT_BUDGET_BYTES)


def _line(bundle: Installed) -> str:
    marks = [mark for mark in ("current", "last_good", "damaged") if getattr(bundle, mark)]
    return (
        f"{bundle.name} {bundle.version} {bundle.id[:12]} {', '.join(bundle.variants)} "
        f"{bundle.size / 1e6:.1f} MB {', '.join(marks).replace('_', ' ')}".rstrip()
    )
