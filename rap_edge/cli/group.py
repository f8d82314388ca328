"""The group of all commands, each imported when it is needed and only then."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rap_edge.cli.failures import CommandError, ExitCode, failures_reported

# The name of a command is that of its module, which holds a typer `app`; then the extra it needs.
COMMANDS = {
    "render": None,
    "data": "train",
    "train": "train",
    "evaluate": "eval",
    "convert": "convert",
}


class LazyGroup(TyperGroup):
    """Find commands by name. One that cannot be imported says so and leaves the others alone."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for name in COMMANDS if find_spec(f"rap_edge.cli.{name}") is not None]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        try:
            command_app = import_module(f"rap_edge.cli.{cmd_name}").app
        except Exception as error:  # whatever is wrong with one command, the others work
            command_app = _unavailable(cmd_name, error)
        return typer.main.get_command(command_app)

    def invoke(self, ctx: Any) -> Any:
        with failures_reported(ctx):
            return super().invoke(ctx)


def _unavailable(name: str, cause: Exception) -> typer.Typer:
    extra = COMMANDS[name]
    remedy = f'pip install "rap-edge[{extra}]"' if extra else "install rap-edge again"
    app = typer.Typer()
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}

    @app.command(name, help=f"(unavailable: {cause})", context_settings=settings)
    def fail() -> None:
        message = f"`rap-edge {name}` is not available here ({cause}) - {remedy}"
        raise CommandError(ExitCode.UNAVAILABLE, message) from cause

    return app


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
