"""Contenders in turns: what disturbs the machine for a while disturbs all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import cycle
from time import perf_counter
from typing import TypeVar

LEAST_ROUNDS = 3
Name = TypeVar("Name", bound=Hashable)
Found = TypeVar("Found")


def in_turns(
    turns: Mapping[Name, Callable[[], Found]],
    seconds: float = 0.0,
    least_rounds: int = LEAST_ROUNDS,
    warm_up_rounds: int = 1,
) -> dict[Name, list[Found]]:
    """Let each take a turn, round by round; return what the turns gave, a list for each name.

    It ends with the first round after ``seconds`` for all together, and not before so many rounds.
    The first rounds warm up: nothing of them is returned, and their time does not count. The order
    is that of `orders`.
    """
    names = list(turns)
    found: dict[Name, list[Found]] = {name: [] for name in names}
    start = perf_counter()
    for done, order in enumerate(orders(len(names)) if names else (), -warm_up_rounds):
        if done == 0:
            start = perf_counter()
        if done >= least_rounds and perf_counter() - start >= seconds:
            break
        for place in order:
            taken = turns[names[place]]()
            if done >= 0:
                found[names[place]].append(taken)
    return found


def orders(n: int) -> Iterator[list[int]]:
    """Yield the orders of rounds of ``n`` contenders, for ever.

    A turn finds the caches, the clock and the heat that the turn before it left. So nobody runs
    twice in a row, as it would at the ends of rounds that go there and back, and within the rounds
    of a cycle everybody follows each of the others equally often and has each place equally often:
    the balanced Latin squares of Williams (1949), of ``n`` rounds, or of twice as many if ``n`` is
    odd. A shuffle would get there only after many rounds, and there may be three. Two just
    alternate: each follows the other whatever the order.
    """
    zigzag = [-(place // 2) if place % 2 == 0 else place // 2 + 1 for place in range(n)]
    rows = [[(first + step) % n for step in zigzag] for first in range(n if n > 2 else 1)]
    if n % 2 and n > 1:
        rows += [row[::-1] for row in (*rows[-2::-1], rows[-1])]
    return cycle(rows)
