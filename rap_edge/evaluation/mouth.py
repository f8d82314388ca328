"""The mouth's opening, measured on pictures by something the model was never trained with.

MediaPipe FaceMesh 0.10.21 runs behind a pipe in an environment of its own; docs/evaluation.md says
how to make it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from rap_edge.errors import BackendUnavailable
from rap_edge.evaluation.facemesh_worker import ANSWER_BYTES, LANDMARK_COUNT, REQUEST
from rap_edge.evaluation.metrics import Curve

UPPER_LIP, LOWER_LIP = 13, 14
RIGHT_EYE, LEFT_EYE = 33, 263
NOSE_TIP = 1

PYTHON_VARIABLE = "RAP_EDGE_FACEMESH_PYTHON"
DEFAULT_PYTHON = Path(".venv-facemesh/bin/python")
WORKER = Path(__file__).with_name("facemesh_worker.py")

Landmarks = NDArray[np.float32]


class FaceMesh:
    """A running FaceMesh process; use it in a `with` block."""

    def __init__(self, python: Path | None = None) -> None:
        """Start the process with the interpreter `python` of an environment that has mediapipe.

        Without `python` it is $RAP_EDGE_FACEMESH_PYTHON, else .venv-facemesh/bin/python.
        """
        self.python = python or Path(os.environ.get(PYTHON_VARIABLE, DEFAULT_PYTHON))
        if not self.python.is_file():
            raise BackendUnavailable(
                f"{self.python} does not exist - expected the interpreter of an environment with "
                "mediapipe 0.10.21 - run 'make facemesh', or pass --facemesh-python"
            )
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(
            [str(self.python), "-I", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
        )

    def __enter__(self) -> FaceMesh:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait()
        self._complaints.close()

    def track(self, frames: Iterable[NDArray[np.uint8]]) -> Landmarks:
        """Follow the face through a video.

        frames: F pictures (H, W, 3) uint8 RGB, read one at a time -> (F, 478, 2) float32 in pixels,
        NaN in frames without a face.
        """
        points = [self._ask(frame, starts_video=i == 0) for i, frame in enumerate(frames)]
        return np.stack(points) if points else np.zeros((0, LANDMARK_COUNT, 2), dtype=np.float32)

    def _ask(self, frame: NDArray[np.uint8], starts_video: bool) -> Landmarks:
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        try:
            requests.write(REQUEST.pack(*frame.shape[:2], int(starts_video)))
            requests.write(np.ascontiguousarray(frame).tobytes())
            requests.flush()
            answer = answers.read(ANSWER_BYTES)
        except BrokenPipeError:
            answer = b""
        if len(answer) != ANSWER_BYTES:
            raise BackendUnavailable(self._last_words())
        return np.frombuffer(answer, dtype="<f4").reshape(LANDMARK_COUNT, 2).astype(np.float32)

    def _last_words(self) -> str:
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return (
            f"FaceMesh ended: {lines[-1] if lines else 'it said nothing'} - expected mediapipe "
            f"0.10.21 to run under {self.python} - make its environment anew (docs/evaluation.md)"
        )


def opening(points: Landmarks) -> Curve:
    """Return the gap between the inner lips over the width of the eyes.

    points: (..., 478, 2) -> (...), about 0 for a shut mouth and 0.3 for a wide open one.
    """
    gap = np.linalg.norm(points[..., UPPER_LIP, :] - points[..., LOWER_LIP, :], axis=-1)
    eyes = np.linalg.norm(points[..., RIGHT_EYE, :] - points[..., LEFT_EYE, :], axis=-1)
    return np.asarray(gap / eyes, dtype=np.float64)
