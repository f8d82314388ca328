"""Progress on stderr: a bar for each part of a long command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import TaskID


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that is told of a part, how much of it is done, and how much there is.

    Shows nothing unless stderr is a terminal.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:

        def tell(part: str, done: int, total: int) -> None:
            if part not in tasks:
                tasks[part] = shown.add_task(part, total=total)
            shown.update(tasks[part], completed=done)

        yield tell
