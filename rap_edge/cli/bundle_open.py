"""Bundles as the bundle commands open them, and the files that they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rap_edge.cli.bundle_place import DEFAULT, place_of
from rap_edge.cli.failures import CommandError, ExitCode, check_input
from rap_edge.errors import InvalidBundle

if TYPE_CHECKING:
    from rap_edge.bundle import Bundle


def open_trusted(path: Path, trust: list[Path] | None, allow_unsigned: bool) -> Bundle:
    """Open a folder, a .rapb, an installed bundle by its name, or the default one."""
    from rap_edge.bundle import open_bundle
    from rap_edge.cache_lookup import open_installed

    check_keys(trust)
    installed = None if str(path) == DEFAULT else open_installed(path, trust or ())
    return installed or open_bundle(place_of(path), trust or (), allow_unsigned)


def check_keys(keys: list[Path] | None) -> None:
    """Raise CommandError (NO_INPUT) for a key file that is not there."""
    for key in keys or ():
        check_input(key, "a public key (PEM)")


def check_out(out: Path) -> None:
    """Raise CommandError (CANNOT_CREATE) where no bundle can be written."""
    from rap_edge.bundle import require_writable

    try:
        require_writable(out)
    except InvalidBundle as error:
        raise CommandError(ExitCode.CANNOT_CREATE, str(error)) from error
