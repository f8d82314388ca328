"""`rap-edge bundle`: pack, sign, verify, look at, take apart and install bundles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli import bundle_cache, bundle_pack, bundle_report
from rap_edge.cli.bundle_open import check_keys, check_out, open_trusted
from rap_edge.cli.bundle_place import DEFAULT, place_of
from rap_edge.cli.failures import CommandError, ExitCode, check_input
from rap_edge.cli.options import Debug, JsonObject, Out, Trust, Unsigned
from rap_edge.errors import InvalidBundle, UnsignedBundle

if TYPE_CHECKING:
    from rap_edge.bundle import Bundle

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command("pack")(bundle_pack.pack)
app.command("install")(bundle_cache.install)
app.command("repair")(bundle_cache.repair)
app.command("rollback")(bundle_cache.rollback)
app.command("list")(bundle_cache.show)

Source = Annotated[
    Path,
    typer.Argument(
        metavar="BUNDLE", help=f'Folder, .rapb or installed name of a bundle, or "{DEFAULT}".'
    ),
]


@app.callback()
def settings(
    debug: Debug = False,
) -> None:
    """Pack, sign, verify, look at, take apart and install bundles."""


@app.command()
def verify(
    bundle: Source,
    trust: Trust = None,
    allow_unsigned: Unsigned = False,
    as_json: JsonObject = False,
) -> None:
    """Compare every byte of a bundle with what its publisher signed."""
    check_keys(trust)
    try:
        verified = _verified(bundle, trust or [], allow_unsigned)
    except InvalidBundle as error:
        if as_json:
            typer.echo(bundle_report.refused(error))
        raise
    typer.echo(bundle_report.verified(verified, as_json))


@app.command()
def sign(
    bundle: Source,
    key: Annotated[Path, typer.Option(help="Private key (PEM, P-256).")],
    password: Annotated[
        str | None,
        typer.Option(envvar="RAP_EDGE_KEY_PASSWORD", help="Of the key, if it has one."),
    ] = None,
    as_json: JsonObject = False,
) -> None:
    """Sign a bundle in place, replacing an earlier signature."""
    from rap_edge.bundle import DEFAULT as BUILT_IN
    from rap_edge.bundle import sign_bundle
    from rap_edge.keys import fingerprint, read_private_key

    place = place_of(bundle) or BUILT_IN
    check_input(key, "a private key (PEM)")
    private = read_private_key(key, password)
    sign_bundle(place, private)
    typer.echo(bundle_report.signed(place, fingerprint(private.public_key()), as_json))


@app.command()
def keygen(
    out: Annotated[
        Path, typer.Argument(metavar="NAME.pem", help="Private key to write, NAME.pem.")
    ],
    as_json: JsonObject = False,
) -> None:
    """Make a key pair for development: NAME.pem, for you alone, and NAME.pub.pem."""
    from rap_edge.keys import fingerprint, make_key_pair

    try:
        public, key = make_key_pair(out)
    except OSError as error:
        raise CommandError(
            ExitCode.CANNOT_CREATE,
            f"{error.filename} cannot be written ({error.strerror}) - expected a new file - "
            "choose another name",
        ) from error
    typer.echo(bundle_report.key_made(out, public, fingerprint(key), as_json))


@app.command()
def inspect(
    bundle: Source,
    trust: Trust = None,
    allow_unsigned: Unsigned = False,
    as_json: JsonObject = False,
) -> None:
    """Show what a bundle holds."""
    opened = open_trusted(bundle, trust, allow_unsigned)
    typer.echo(bundle_report.contents_json(opened) if as_json else bundle_report.contents(opened))


@app.command()
def diff(
    before: Source,
    after: Source,
    trust: Trust = None,
    allow_unsigned: Unsigned = False,
    as_json: JsonObject = False,
) -> None:
    """Show what changes from one bundle to another."""
    from rap_edge.bundle import compare_bundles

    old, new = (open_trusted(path, trust, allow_unsigned) for path in (before, after))
    comparison = compare_bundles(_present(old), _present(new))
    typer.echo(bundle_report.comparison(comparison, as_json))


@app.command()
def extract(
    bundle: Source,
    out: Out,
    variant: Annotated[
        list[str] | None,
        typer.Option(help="backend/precision to keep; may be repeated.", show_default="all"),
    ] = None,
    trust: Trust = None,
    allow_unsigned: Unsigned = False,
    as_json: JsonObject = False,
) -> None:
    """Copy a bundle, or some of its variants, into a folder or a .rapb; signatures stay valid."""
    from rap_edge.bundle import extract_bundle

    check_out(out)
    extracted = extract_bundle(open_trusted(bundle, trust, allow_unsigned), out, variant or ())
    typer.echo(bundle_report.written(extracted, as_json))


def _verified(path: Path, trust: list[Path], allow_unsigned: bool) -> Bundle:
    from rap_edge.bundle import verify_bundle
    from rap_edge.bundle.opened import verify_contents
    from rap_edge.cache_lookup import open_installed

    installed = None if str(path) == DEFAULT else open_installed(path, trust)
    if installed is None:
        return verify_bundle(place_of(path), trust, allow_unsigned)
    if installed.signed_by is None and not allow_unsigned:
        raise UnsignedBundle(
            f"{path} has no signature: install a signed one, or allow it with --allow-unsigned"
        )
    verify_contents(installed)
    return installed


def _present(bundle: Bundle) -> Bundle:
    """Leave out of the manifest what this part of a bundle does not have."""
    files = tuple(entry for entry in bundle.manifest.files if entry.path in bundle.files)
    return replace(bundle, manifest=replace(bundle.manifest, variants=bundle.variants, files=files))
