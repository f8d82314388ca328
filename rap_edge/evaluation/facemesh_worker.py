"""MediaPipe FaceMesh behind a pipe; run by the interpreter of an environment that has mediapipe.

It imports nothing of rap_edge, because that environment pins a numpy of its own. A request on
standard input is `REQUEST`: height, width, 1 for the first frame of a video else 0; then height *
width * 3 bytes of RGB. The answer on standard output is 478 * 2 little-endian float32: x and y in
pixels, NaN where no face was found. The end of the input ends the program.
"""

from __future__ import annotations

import os
import struct
import sys
from typing import Any, BinaryIO

import numpy as np

LANDMARK_COUNT = 478
REQUEST = struct.Struct("<3I")
ANSWER_BYTES = LANDMARK_COUNT * 2 * 4
LEAST_CONFIDENCE = 0.3


def open_tracker() -> Any:
    """Start a tracker: it finds the face once and then follows it from frame to frame."""
    import mediapipe  # type: ignore[import-not-found]

    return mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=False,
        max_num_faces=1,
        refine_landmarks=True,
        min_detection_confidence=LEAST_CONFIDENCE,
        min_tracking_confidence=LEAST_CONFIDENCE,
    )


def locate(tracker: Any, image: Any) -> Any:
    """Return (478, 2) float32 in pixels of `image` (H, W, 3) RGB, all NaN without a face."""
    faces = tracker.process(image).multi_face_landmarks
    if not faces:
        return np.full((LANDMARK_COUNT, 2), np.nan, dtype="<f4")
    height, width = image.shape[:2]
    points = [(point.x * width, point.y * height) for point in faces[0].landmark]
    return np.array(points, dtype="<f4")


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until their end, with a new tracker for every video."""
    tracker = None
    while header := requests.read(REQUEST.size):
        height, width, starts_video = REQUEST.unpack(header)
        if starts_video or tracker is None:
            tracker = open_tracker()
        pixels = requests.read(height * width * 3)
        image = np.frombuffer(pixels, dtype=np.uint8).reshape(height, width, 3)
        answers.write(locate(tracker, image).tobytes())
        answers.flush()


def main() -> None:
    """Serve on the standard streams, with mediapipe's own chatter kept off the answers."""
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
