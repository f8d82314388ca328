"""The judge: a hostile bundle must be refused on purpose, in time, without touching anything."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rap_edge.bundle import verify_bundle
from rap_edge.errors import RapEdgeError

LIMIT_S = 10.0
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_TOUCHES = (
    "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod", "os.chown", "os.utime", "os.system", "os.exec", "os.posix_spawn", "os.fork",
    "subprocess.Popen", "socket.connect", "socket.bind", "ctypes.dlopen",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One hostile bundle: how to write it, and whether the lack of a signature is forgiven.

    ``unsigned`` cases have digests to match and no signature: the format itself must refuse them.
    """

    name: str
    write: Callable[[Path], Path]  # below an empty folder; returns the path of the bundle
    unsigned: bool = False


@dataclass(frozen=True)
class Verdict:
    """How a case ended; ``problem`` is None if it was refused as it should be."""

    case: str
    answer: str
    seconds: float
    problem: str | None


def judge(case: Case, scratch: Path, trusted: Path) -> Verdict:
    """Write a case below the empty folder ``scratch``, and open and read it whole."""
    place = case.write(scratch)
    started = time.perf_counter()
    touched: list[str] = []
    try:
        with _audited(touched):
            bundle = verify_bundle(place, [trusted], allow_unsigned=case.unsigned)
            for variant in bundle.variants:
                for graph in variant.files:
                    bundle.read_graph(variant, graph)
        answer, problem = "accepted", "it was accepted"
    except RapEdgeError as error:
        answer, problem = type(error).__name__, None
    except BaseException as error:  # anything else is a crash, whatever it is
        answer, problem = type(error).__name__, f"it raised {error!r}"
    seconds = time.perf_counter() - started
    if touched:
        problem = f"it did {touched[:3]}"
    if seconds > LIMIT_S:
        problem = f"it took {seconds:.1f} s"
    return Verdict(case.name, answer, seconds, problem)


_listening: list[list[str]] = []


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if not _listening:
        return
    if event in _TOUCHES or (event == "open" and _is_write(arguments)):
        _listening[-1].append(f"{event} {arguments[:1]}")


def _is_write(arguments: tuple[object, ...]) -> bool:
    _, mode, flags = arguments
    return bool(isinstance(flags, int) and flags & _WRITES) or bool(
        isinstance(mode, str) and set(mode) & set("wax+")
    )


@contextmanager
def _audited(touched: list[str]) -> Iterator[None]:
    """Collect what is written, removed, run or connected to, by any thread."""
    _listening.append(touched)
    try:
        yield
    finally:
        _listening.pop()


sys.addaudithook(_listen)
