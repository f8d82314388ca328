"""The group of all commands, each imported when it is needed and only then."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from rap_edge.cli.failures import CommandError, ExitCode, failures_reported

# A command has the name of its module, which holds a function of that name, or a typer `app` with
# one or more commands; beside it the extra that it needs.
COMMANDS = {
    "render": None,
    "run": None,
    "data": "train",
    "train": "train",
    "evaluate": "eval",
    "convert": "convert",
    "quantize": "quantize",
    "gate": "quantize",  # it measures as evaluate does, and reads the graphs (onnx)
    "bundle": None,
    "doctor": None,
    "devices": None,
    "prepare": None,
    "bench": None,
}


class LazyGroup(TyperGroup):
    """Find commands by name. One that cannot be imported says so and leaves the others alone."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for name in COMMANDS if find_spec(f"rap_edge.cli.{name}") is not None]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        try:
            return _command(cmd_name)
        except Exception as error:  # whatever is wrong with one command, the others work
            return _unavailable(cmd_name, error)

    def invoke(self, ctx: Any) -> Any:
        with failures_reported(ctx):
            try:
                return super().invoke(ctx)
            except ImportError as error:
                raise _missing(ctx.invoked_subcommand, error) from error


def _command(name: str) -> Any:
    module = import_module(f"rap_edge.cli.{name}")
    if hasattr(module, "app"):
        group = get_command(module.app)
        group.name = name  # what the overview shows
        return group
    return _single(name, getattr(module, name))


def _single(name: str, function: Callable[..., None], **settings: Any) -> Any:
    app = typer.Typer(add_completion=False)
    app.command(name, **settings)(function)
    return get_command(app)


def _unavailable(name: str, cause: Exception) -> Any:

    def fail() -> None:
        raise _missing(name, cause) from cause

    anything = {"allow_extra_args": True, "ignore_unknown_options": True}
    return _single(name, fail, help=f"(unavailable: {cause})", context_settings=anything)


def _missing(name: str, cause: Exception) -> CommandError:
    """Say what a command lacks here, and the extra that brings it."""
    extra = COMMANDS.get(name)
    remedy = f"pip install 'rap-edge[{extra}]'" if extra else "install rap-edge again"
    module = getattr(cause, "name", None) if isinstance(cause, ModuleNotFoundError) else None
    lacks = f"needs {module!r}, which is not installed" if module else f"cannot run here ({cause})"
    return CommandError(ExitCode.UNAVAILABLE, f"`rap-edge {name}` {lacks} - {remedy}")


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        import rap_edge

        typer.echo(f"rap-edge {rap_edge.__version__}")
        raise typer.Exit


@app.callback()
def rap_edge_command(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A photo and speech become a talking portrait."""
