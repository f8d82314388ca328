"""The command line: one console script, `rap-edge`, with one file per command."""


def main() -> None:
    """Run the console script; ends the process with one of the codes of docs/cli.md."""
    from rap_edge.cli.failures import end_cleanly_when_terminated
    from rap_edge.cli.group import app

    end_cleanly_when_terminated()
    app(prog_name="rap-edge")
