"""Which bundle a command means: a path that is there, or the one that comes with the package."""

from __future__ import annotations

from pathlib import Path

from rap_edge.cli.failures import CommandError, ExitCode

DEFAULT = "default"


def place_of(path: Path) -> Path | None:
    """Return None for the default bundle; raise CommandError (NO_INPUT) if nothing is there."""
    if str(path) == DEFAULT and not path.exists():
        return None
    return existing(path)


def existing(path: Path) -> Path:
    """Return ``path``; raise CommandError (NO_INPUT) if nothing is there."""
    if not path.exists():
        raise CommandError(
            ExitCode.NO_INPUT, f"{path} does not exist - expected a bundle - check the path"
        )
    return path
