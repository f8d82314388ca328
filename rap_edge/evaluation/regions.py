"""Where to look in a frame: the crop around the mouth, and the background far from the face."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rap_edge.evaluation.metrics import Mask, Video, decibels, mean_squared_error

Points = NDArray[np.floating]

CROP_WIDTH_IN_MOUTHS = 1.6
CROP_HEIGHT_IN_MOUTHS = 1.3
BACKGROUND_SHARE = 0.15
FACE_HEIGHT_PER_WIDTH = 1.3

MOUTH_68 = slice(48, 68)
CORNERS_68 = (48, 54)


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels: rows [top, bottom), columns [left, right)."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, frame: Video) -> Video:
        """Cut the rectangle out of a frame (H, W, 3)."""
        return frame[self.top : self.bottom, self.left : self.right]

    def of_all(self, frames: Video) -> Video:
        """Cut the rectangle out of a video (F, H, W, 3)."""
        return frames[:, self.top : self.bottom, self.left : self.right]


def mouth_box(landmarks: Points, size: int) -> Box:
    """Place the mouth crop of one frame: 1.6 mouth widths wide, 1.3 high, inside the frame.

    landmarks: (68, 2) in pixels of a frame of `size` x `size`.
    """
    left, right = (landmarks[corner] for corner in CORNERS_68)
    return box_around(landmarks[MOUTH_68], float(np.hypot(*(right - left))), size)


def box_around(mouth: Points, width: float, size: int) -> Box:
    """Place the crop around points of the lips (L, 2) of a mouth of this width."""
    half = np.array([CROP_WIDTH_IN_MOUTHS, CROP_HEIGHT_IN_MOUTHS]) * width / 2
    middle = (mouth.min(axis=0) + mouth.max(axis=0)) / 2
    low = np.clip(np.floor(middle - half), 0, size - 2).astype(int)
    high = np.clip(np.ceil(middle + half), low + 2, size).astype(int)
    return Box(int(low[1]), int(high[1]), int(low[0]), int(high[0]))


def mouth_psnr(truth: Video, generated: Video, landmarks: Points) -> float:
    """Return PSNR in dB of the true mouth's crop, the error pooled over all frames.

    truth, generated: (F, H, H, 3) uint8; landmarks: (F, 68, 2), the true ones.
    """
    total, pixels = 0.0, 0
    for true_frame, frame, points in zip(truth, generated, landmarks, strict=True):
        box = mouth_box(points, truth.shape[1])
        crop = box.of(true_frame)
        total += mean_squared_error(crop, box.of(frame)) * crop.size
        pixels += crop.size
    return decibels(total / pixels)


def background(landmarks: Points, size: int) -> Mask:
    """Mark the pixels farthest from the face: a fixed share of the frame, whatever the crop.

    landmarks: (L, 2) of the reference, any layout that spans the face. Distance is that of an
    upright ellipse 1.3 times as high as it is wide around the middle of the points.
    """
    middle = (landmarks.min(axis=0) + landmarks.max(axis=0)) / 2
    y, x = np.mgrid[:size, :size]
    distance = np.hypot(x - middle[0], (y - middle[1]) / FACE_HEIGHT_PER_WIDTH)
    return np.asarray(distance >= np.quantile(distance, 1 - BACKGROUND_SHARE), dtype=np.bool_)


def followed(reference: Video, frames: Video) -> Video:
    """Move the reference (H, W, 3) to where each frame (F, H, W, 3) shows it, by dense flow.

    What is left between the two is a change of colour or sharpness, not motion (DIS flow, Kroeger
    et al. 2016).
    """
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    grey = cv2.cvtColor(reference, cv2.COLOR_RGB2GRAY)
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(np.float32)
    moved = []
    for frame in frames:
        nowhere = np.zeros((*grey.shape, 2), dtype=np.float32)
        flow = finder.calc(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), grey, nowhere)
        places = x + flow[..., 0], y + flow[..., 1]
        moved.append(
            cv2.remap(reference, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        )
    return np.stack(moved).astype(np.uint8)
