"""How a command fails: one line on stderr and a stable exit code (sysexits.h where it has one)."""

from __future__ import annotations

import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import typer

from rap_edge import errors

_DEBUG_KEY = "rap_edge.debug"


class ExitCode(IntEnum):
    """What the caller of a command can rely on; described in docs/cli.md."""

    OK = 0
    USAGE = 2
    BAD_DATA = 65
    NO_INPUT = 66
    UNAVAILABLE = 69
    INTERNAL = 70
    CANNOT_CREATE = 73
    IO_ERROR = 74
    INTERRUPTED = 130
    TERMINATED = 143


class CommandError(Exception):
    """A failure whose exit code the command itself knows."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code


_CODES: tuple[tuple[type[Exception], ExitCode], ...] = (
    (errors.AudioError, ExitCode.BAD_DATA),
    (errors.PortraitError, ExitCode.BAD_DATA),
    (errors.ConfigError, ExitCode.BAD_DATA),
    (errors.InvalidBundle, ExitCode.BAD_DATA),
    (errors.QualityError, ExitCode.BAD_DATA),
    (errors.NotSupported, ExitCode.UNAVAILABLE),
    (errors.BackendUnavailable, ExitCode.UNAVAILABLE),
    (errors.BackendFailed, ExitCode.UNAVAILABLE),
    (errors.Overloaded, ExitCode.UNAVAILABLE),
    (errors.BackpressureError, ExitCode.BAD_DATA),
    (ImportError, ExitCode.UNAVAILABLE),
    (errors.MediaError, ExitCode.IO_ERROR),
    (OSError, ExitCode.IO_ERROR),
)


def exit_code(error: Exception) -> ExitCode:
    """Return the exit code of a failure; what nobody foresaw is INTERNAL."""
    if isinstance(error, CommandError):
        return error.code
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.INTERNAL)


def check_input(path: Path, what: str) -> None:
    """Raise CommandError (NO_INPUT) unless `path` is a file that can be opened."""
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise CommandError(
            ExitCode.NO_INPUT,
            f"{path} cannot be read ({error.strerror}) - expected {what} - check the path",
        ) from error


def check_bundle(bundle: Path | None) -> None:
    """Raise CommandError (NO_INPUT) for the path of a bundle that is not there; names may be."""
    if bundle is not None and bundle.name != str(bundle) and not bundle.exists():
        raise CommandError(
            ExitCode.NO_INPUT, f"{bundle} does not exist - expected a bundle - check the path"
        )


def ask_for_traceback(context: typer.Context, wanted: bool) -> bool:
    """Remember `--debug` for the whole command (a typer callback)."""
    if wanted:
        context.meta[_DEBUG_KEY] = True
    return wanted


@contextmanager
def failures_reported(context: Any) -> Iterator[None]:
    """Run a command: warnings and failures as one line each, then exit with the code."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = lambda message, *_: _say(f"warning: {_one_line(message)}")
        try:
            yield
        except KeyboardInterrupt:
            _say("interrupted: nothing half-written was left behind")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except Exception as error:
            if _belongs_to_typer(error):
                raise
            if context.meta.get(_DEBUG_KEY):
                traceback.print_exc()
            _say(f"error: {_message(error)}")
            raise typer.Exit(exit_code(error)) from None


def end_cleanly_when_terminated() -> None:
    """Let SIGTERM unwind the stack, so that temporary files are removed as by Ctrl-C."""

    def unwind(number: int, frame: object) -> None:
        raise SystemExit(int(ExitCode.TERMINATED))

    signal.signal(signal.SIGTERM, unwind)


def _belongs_to_typer(error: Exception) -> bool:
    return hasattr(error, "exit_code") or isinstance(error, (typer.Abort, BrokenPipeError))


def _message(error: Exception) -> str:
    text = _one_line(error)
    if isinstance(error, (CommandError, errors.RapEdgeError)):
        return text
    if isinstance(error, (OSError, ImportError)):
        return f"{text} - add --debug for the traceback"
    kind = type(error).__name__
    return f"internal: {kind}: {text} - this is a bug - add --debug and report the traceback"


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
