"""Tables as plain text, the same on a terminal and in a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

WIDTH, UNLIMITED = 120, 10_000


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], wrapped: str = "") -> str:
    """Draw a table without lines; one column may be ``wrapped``, and the others are never cut."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False)
    for column in columns:
        drawn.add_column(Text(column), no_wrap=column != wrapped, overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))  # Text: [openvino] is no markup
    width = WIDTH if wrapped else UNLIMITED
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
