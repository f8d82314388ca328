"""The examples end, with what went wrong, from any folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
LONGEST_S = 120  # a hang, not a time


def ended(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=LONGEST_S
    )


@pytest.mark.parametrize("name", ["asyncio_app.py", "thread_app.py"])
def test_a_recording_that_is_missing_ends_it(name: str, tmp_path: Path) -> None:
    script = EXAMPLES / name
    arguments = [str(script), str(EXAMPLES / "portrait.jpg"), "no.wav"]
    done = ended(
        f"import runpy, sys; sys.argv = {arguments}; runpy.run_path({str(script)!r})", tmp_path
    )
    assert done.returncode == 1
    assert "no.wav" in done.stderr.splitlines()[-1]


def test_a_show_that_fails_ends_it(tmp_path: Path) -> None:
    text = (EXAMPLES / "thread_app.py").read_text()
    broken = tmp_path / "thread_app.py"
    broken.write_text(text.replace("if frame.end_of_speech:", "if frame.no_such_thing:"))
    arguments = [str(broken), *(str(EXAMPLES / name) for name in ("portrait.jpg", "speech.flac"))]
    done = ended(
        f"import runpy, sys; sys.argv = {arguments}; runpy.run_path({str(broken)!r})", tmp_path
    )
    assert done.returncode == 1
    assert "no_such_thing" in done.stderr.splitlines()[-1]
