"""JSON objects that a command is given as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rap_edge.cli.failures import CommandError, ExitCode
from rap_edge.strict_json import parse


def read_object(path: Path | None) -> dict[str, Any]:
    """Read a JSON object, an empty one without a path; raise CommandError if it is none."""
    if path is None:
        return {}
    try:
        values = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(
            ExitCode.NO_INPUT, f"{path} cannot be read ({error.strerror}) - expected JSON"
        ) from error
    except ValueError as error:  # Mismatch, or not UTF-8
        raise CommandError(ExitCode.BAD_DATA, f"{path} is not JSON ({error}) - mend it") from error
    if not isinstance(values, dict):
        raise CommandError(ExitCode.BAD_DATA, f"{path} holds {values!r} - expected an object")
    return values
