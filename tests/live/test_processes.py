"""Streams, and the interpreter that ends or forks while they are open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE_S = 30.0


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
    assert ended.returncode == 0
    assert ended.stderr.startswith("no more frames are shown")  # and nothing of the others
    assert ended.stderr.count("Traceback") == 1


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
