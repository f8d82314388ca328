"""A stream begins and ends cleanly, whatever else goes on: nothing is left of it, nobody hangs."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.errors import BackendFailed, StateError
from rap_edge.runtime import Avatar, Frame
from rap_edge.runtime.live import Stream
from rap_edge.runtime.options import Playout
from rap_edge.runtime.turns import Turns

RATE = 16000
PATIENCE_S = 30.0

Speech = Callable[..., NDArray[np.float32]]
Until = Callable[[Callable[[], Any]], None]
Hinder = Callable[..., Avatar]

USES: dict[str, Callable[[Stream], object]] = {
    "begin": lambda s: s.begin(),
    "push_audio": lambda s: s.push_audio(b"\0\0", RATE),
    "push_audio by name": lambda s: s.push_audio(b"\0\0", RATE, 1),
    "flush": lambda s: s.flush(),
    "interrupt": lambda s: s.interrupt(),
    "set_state": lambda s: s.set_state("idle"),
    "poll": lambda s: s.poll(),
    "pull": lambda s: s.pull(timeout=0),
    "start": lambda s: s.start(print),
}
READINGS: dict[str, Callable[[Stream], object]] = {
    "events": lambda s: s.events(),
    "stats": lambda s: s.stats(),
    "snapshot": lambda s: s.snapshot(),
}


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "rap-edge" in thread.name]


@pytest.fixture(autouse=True)
def _nothing_stays(until: Until) -> Any:
    yield
    gc.collect()
    until(lambda: not threads())


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def n_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_a_thousand_streams_leave_nothing_behind(avatar: Avatar, speech: Speech) -> None:
    pcm = speech(RATE)

    def use(number: int) -> None:
        idle = ("generate", "hold")[number % 2]
        with avatar.open_stream(idle=idle, playout=Playout() if number % 3 == 0 else None) as s:
            s.push_audio(pcm, RATE)
            s.poll()
            s.interrupt()

    for number in range(100):
        use(number)
    before, files = resident(), n_files()
    for number in range(1000):
        use(number)
    gc.collect()
    assert threads() == []
    assert n_files() == files
    assert resident() - before < 4e6
    assert avatar.model.admission.count == 0


def test_a_stream_may_be_closed_again(avatar: Avatar) -> None:
    stream = avatar.open_stream()
    assert not stream.closed
    for _ in range(3):
        stream.close()
        assert stream.closed
    with avatar.open_stream() as other:
        other.close()


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_closed_stream_says_so(avatar: Avatar, use: Callable[[Stream], object]) -> None:
    stream = avatar.open_stream()
    stream.close()
    with pytest.raises(StateError, match="the stream is closed: open another one"):
        use(stream)
    assert list(stream.run()) == []


@pytest.mark.parametrize("read", READINGS.values(), ids=READINGS)
def test_the_numbers_stay_after_the_end(avatar: Avatar, read: Callable[[Stream], object]) -> None:
    stream = avatar.open_stream()
    assert stream.pull(timeout=PATIENCE_S) is not None
    stream.close()
    assert read(stream) is not None
    assert stream.stats().ticks == 1


BUSY: dict[str, Callable[[Stream], object]] = {
    "push": lambda s: s.push_audio(np.zeros(400, np.float32), RATE),
    "speak": lambda s: (s.begin(), s.push_audio(np.zeros(9000, np.float32), RATE), s.flush()),
    "pull": lambda s: s.pull(timeout=0.05),
    "poll": lambda s: s.poll(),
    "interrupt": lambda s: s.interrupt(),
    "watch": lambda s: (s.stats(), s.snapshot(), s.events()),
}


@pytest.mark.parametrize("busy", BUSY.values(), ids=BUSY)
def test_it_closes_while_another_thread_uses_it(
    avatar: Avatar, busy: Callable[[Stream], object], until: Until
) -> None:
    stream = avatar.open_stream(max_queued_seconds=1e9)
    calls, errors = [0], []

    def use() -> None:
        try:
            while not stream.closed or busy is BUSY["pull"]:
                busy(stream)
                calls[0] += 1
        except Exception as error:
            errors.append(error)

    users = [threading.Thread(target=use) for _ in range(2)]
    for user in users:
        user.start()
    until(lambda: calls[0] > 20 or stream.stats().ticks > 5)
    stream.close()
    for user in users:
        user.join(PATIENCE_S)
        assert not user.is_alive()
    assert {type(error) for error in errors} <= {StateError}


def test_a_wait_for_a_frame_ends_with_the_stream(avatar: Avatar) -> None:
    """In play-out nothing is due before the device runs: both wait until the stream is closed."""
    stream = avatar.open_stream(playout=Playout())
    ended: list[object] = []

    def pull() -> None:
        try:
            stream.pull()
        except StateError as error:
            ended.append(error)

    waiting = [threading.Thread(target=pull)]
    waiting.append(threading.Thread(target=lambda: ended.append(list(stream.run()))))
    for thread in waiting:
        thread.start()
    stream.close()
    for thread in waiting:
        thread.join(PATIENCE_S)
    assert len(ended) == 2


def test_two_threads_close_at_once(avatar: Avatar) -> None:
    for _ in range(20):
        stream = avatar.open_stream()
        closing = [threading.Thread(target=stream.close) for _ in range(3)]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        assert threads() == []


def test_a_stream_that_nobody_holds_ends(avatar: Avatar, until: Until) -> None:
    stream = avatar.open_stream()
    stream.push_audio(np.zeros(RATE, np.float32), RATE)
    stream.pull(timeout=PATIENCE_S)
    assert len(threads()) == 1
    gone = weakref.ref(stream)
    del stream
    assert gone() is None
    until(lambda: not threads())
    assert avatar.model.admission.count == 0


def test_a_stream_in_a_cycle_is_collected_in_any_thread(hindered: Hinder, until: Until) -> None:
    """Also in the thread that makes another stream's chunk, whose turn it waits for."""
    collected = threading.Event()
    ring: list[Any] = []

    def collect() -> None:
        if ring and threading.current_thread().name == "rap-edge maker":
            ring.clear()
            gc.collect()
            collected.set()

    avatar = hindered(collect)
    with avatar.open_stream() as stream:
        lost = avatar.open_stream()
        lost.pull(timeout=PATIENCE_S)
        ring.append(lost)
        loop: list[Any] = [lost]
        loop.append(loop)
        del lost, loop
        while not collected.is_set():
            assert stream.pull(timeout=PATIENCE_S) is not None
        until(lambda: avatar.model.admission.count == 1)
        until(lambda: len(threads()) == 1)


def test_frames_go_to_a_callback(avatar: Avatar, until: Until) -> None:
    frames: list[Frame] = []
    with avatar.open_stream() as stream:
        stream.start(frames.append)
        with pytest.raises(StateError, match="started already"):
            stream.start(frames.append)
        until(lambda: len(frames) > 5)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert threads() == []


def test_close_raises_what_a_callback_raised(avatar: Avatar, until: Until) -> None:
    def fail(frame: Frame) -> None:
        raise LookupError(f"frame {frame.index}")

    stream = avatar.open_stream()
    stream.start(fail)
    until(lambda: len(threads()) == 1)
    assert stream.pull(timeout=PATIENCE_S) is not None
    with pytest.raises(LookupError, match="frame 0"):
        stream.close()
    assert stream.closed
    stream.close()
    assert avatar.model.admission.count == 0


def test_a_callback_may_close_its_stream(avatar: Avatar, until: Until) -> None:
    stream = avatar.open_stream()
    stream.start(lambda frame: stream.close())
    until(lambda: not threads())
    stream.close()
    assert stream.closed


def test_two_threads_share_the_frames(avatar: Avatar) -> None:
    taken: list[list[int]] = [[], []]
    with avatar.open_stream() as stream:

        def pull(mine: list[int]) -> None:
            while sum(map(len, taken)) < 24:
                frame = stream.pull(timeout=PATIENCE_S)
                assert frame is not None
                mine.append(frame.index)

        pulling = [threading.Thread(target=pull, args=(mine,)) for mine in taken]
        for thread in pulling:
            thread.start()
        for thread in pulling:
            thread.join(PATIENCE_S)
    for mine in taken:
        assert mine == sorted(mine)
    together = sorted(taken[0] + taken[1])
    assert together == list(range(len(together)))
    assert len(together) >= 24


def interrupted(stream: Stream) -> None:
    for frame in stream.run():
        if frame.index == 2:
            raise KeyboardInterrupt


def test_ctrl_c_ends_the_loop_and_not_the_stream(avatar: Avatar) -> None:
    with avatar.open_stream() as stream:
        with pytest.raises(KeyboardInterrupt):
            interrupted(stream)
        frame = stream.pull(timeout=PATIENCE_S)
        assert frame is not None
        assert frame.index == 3


class Failing:
    """Fails as often as it is told to, in the stream's own thread."""

    def __init__(self) -> None:
        self.left = 0

    def __call__(self) -> None:
        if self.left and threading.current_thread().name == "rap-edge maker":
            self.left -= 1
            raise RuntimeError("the device is gone")


@pytest.mark.parametrize("graph", ["audio", "denoiser", "decoder"])
def test_a_graph_that_fails_once_is_survived(hindered: Hinder, graph: str, until: Until) -> None:
    failing = Failing()
    with hindered(failing, graph).open_stream() as stream:
        for failures in (1, 2):
            failing.left = failures
            while failing.left:
                assert stream.pull(timeout=PATIENCE_S) is not None
            made = stream.stats().produced
            while stream.stats().produced <= made:
                assert stream.pull(timeout=PATIENCE_S) is not None
        assert not stream.closed


@pytest.mark.parametrize("graph", ["audio", "denoiser", "decoder"])
def test_a_graph_that_fails_for_good_ends_the_stream(
    hindered: Hinder, graph: str, until: Until
) -> None:
    failing = Failing()
    avatar = hindered(failing, graph)
    frames: list[Frame] = []
    stream = avatar.open_stream()
    stream.start(frames.append)
    failing.left = 10**6
    until(lambda: not threads())
    for use in USES.values():
        with pytest.raises(BackendFailed, match="the device is gone"):
            use(stream)
    for read in READINGS.values():
        assert read(stream) is not None
    with pytest.raises(BackendFailed, match="the device is gone"):
        stream.close()
    with pytest.raises(StateError, match="the stream is closed"):
        stream.begin()
    assert avatar.model.admission.count == 0


def test_a_graph_that_fails_at_the_opening_opens_nothing(hindered: Hinder) -> None:
    def fail() -> None:
        raise RuntimeError("no memory left")

    avatar = hindered(fail)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="no memory left"):
            avatar.open_stream()
    assert avatar.model.admission.count == 0
    assert threads() == []


def test_a_bug_in_the_making_ends_the_stream_too(
    avatar: Avatar, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    stream = avatar.open_stream()

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(stream._session, "next_chunk", fail)
    stream.begin()
    until(lambda: not threads())
    with pytest.raises(BackendFailed, match="a bug"):
        stream.pull(timeout=PATIENCE_S)
    stream.close()


def test_an_exception_gives_the_turn_back() -> None:
    turns = Turns()
    with pytest.raises(LookupError), turns.take(1):
        raise LookupError
    with turns.take(1):
        pass


def test_the_earliest_deadline_computes_next(until: Until) -> None:
    turns, order = Turns(), []

    def compute(deadline: int) -> None:
        with turns.take(deadline):
            order.append(deadline)

    waiting = [threading.Thread(target=compute, args=(n,)) for n in (5, 3, 9, 3, 1)]
    with turns.take(0):
        for number, thread in enumerate(waiting, 1):
            thread.start()
            until(lambda number=number: len(turns._waiting) == number)
    for thread in waiting:
        thread.join(PATIENCE_S)
    assert order == [1, 3, 3, 5, 9]


def test_ctrl_c_in_the_queue_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    turns = Turns()
    with turns.take(0):
        with monkeypatch.context() as patch:
            patch.setattr(turns._free, "wait_for", _ctrl_c)
            with pytest.raises(KeyboardInterrupt), turns.take(1):
                pass
        waiting = threading.Thread(target=lambda: turns.take(2).__enter__())
        waiting.start()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()


def _ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt


PREAMBLE = """
import os, sys, threading
import numpy as np
import rap_edge
from rap_edge.errors import StateError
from rap_edge.portrait import Crop

def opened(**options):
    photo = np.full((80, 100, 3), 77, np.uint8)
    avatar = rap_edge.open(sys.argv[1], threads=2).avatar(photo, crop=Crop(10, 8, 64))
    return avatar, avatar.open_stream(**options)

"""

ENDS = {
    "idle": "avatar, stream = opened()",
    "pulled": "avatar, stream = opened(); stream.pull()",
    "many": "avatar, stream = opened(); others = [avatar.open_stream() for _ in range(4)]",
    "started": "avatar, stream = opened(); stream.start(lambda frame: None); stream.pull()",
    "speaking": "avatar, stream = opened(); stream.push_audio(bytes(96000), 16000); stream.pull()",
    "in a cycle": "avatar, stream = opened(); loop = [stream]; loop.append(loop); del stream",
    "pulled by a thread": """
avatar, stream = opened()
threading.Thread(target=lambda: list(stream.run()), daemon=True).start()
stream.pull()
""",
    "exit in the middle": """
avatar, stream = opened()
for frame in stream.run():
    if frame.index == 3:
        sys.exit(0)
""",
    "an asyncio program that forgets it": """
import asyncio
async def main():
    global stream
    stream = avatar.stream()
    await stream.__aenter__()
    async for frame in stream.run():
        return
avatar, other = opened()
asyncio.run(main())
""",
}


def run(bundle: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-c", PREAMBLE + code, str(bundle)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 2,
        env={**os.environ, "RAP_EDGE_NO_MEASURE": "1"},
    )


@pytest.mark.parametrize("code", ENDS.values(), ids=ENDS)
def test_the_interpreter_ends_with_open_streams(synthetic_bundle: Path, code: str) -> None:
    ended = run(synthetic_bundle, code)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_every_stream_is_closed_at_the_end_though_one_raises(synthetic_bundle: Path) -> None:
    ended = run(
        synthetic_bundle,
        """
import atexit
def fail(frame): raise LookupError("of the callback")
avatar, stream = opened()
others = [avatar.open_stream() for _ in range(4)]
stream.start(fail)
stream.pull()
left = lambda: [t for t in threading.enumerate() if "rap-edge" in t.name]
while len(left()) > 5: pass
import rap_edge.runtime.lifetime as lifetime
try: lifetime._close_all()
except LookupError as error: print(error, left())
""",
    )
    assert ended.stdout == "of the callback []\n"
    assert (ended.returncode, ended.stderr) == (0, "")


FORK = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of os.fork beside threads
avatar, stream = opened()
stream.push_audio(bytes(96000), 16000)
stream.start(lambda frame: None) if sys.argv[0] == "start" else stream.pull()
uses = {
    "begin": lambda: stream.begin(), "flush": lambda: stream.flush(),
    "push": lambda: stream.push_audio(b"", 16000), "interrupt": lambda: stream.interrupt(),
    "poll": lambda: stream.poll(), "pull": lambda: stream.pull(), "run": lambda: list(stream.run()),
    "stats": lambda: stream.stats(), "snapshot": lambda: stream.snapshot(),
    "events": lambda: stream.events(), "state": lambda: stream.set_state("idle"),
    "start": lambda: stream.start(print), "open": lambda: avatar.open_stream(),
}
with stream._lock:  # a fork may come at any moment
    child = os.fork()
if child == 0:
    refused = 0
    for use in uses.values():
        try: use()
        except StateError as error: refused += "before the process forked" in str(error)
    stream.close()
    print("child", refused, len(uses), flush=True)
    END
_, status = os.waitpid(child, 0)
first = stream.pull().index
assert stream.pull().index == first + 1
stream.interrupt()
stream.close()
print("parent", os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)", "del stream, avatar; sys.exit(0)"])
def test_a_fork_leaves_the_stream_to_the_parent(synthetic_bundle: Path, end: str) -> None:
    ended = run(synthetic_bundle, FORK.replace("END", end))
    assert ended.stderr == ""
    assert ended.stdout == "child 13 13\nparent 0\n"
    assert ended.returncode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_opens_a_stream_of_its_own(synthetic_bundle: Path) -> None:
    ended = run(
        synthetic_bundle,
        """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
avatar, stream = opened()
stream.pull()
if (child := os.fork()) == 0:
    avatar, stream = opened()
    print("child", stream.pull().index, flush=True)
    sys.exit(0)
print("parent", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""",
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "child 0\nparent 0\n"
