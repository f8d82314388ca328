"""The photo rig: one portrait becomes talking-head frames with exact labels."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from rap_edge.portrait import Crop, cut
from rap_edge.training.rig.eyes import BLINK_NAMES, Eye
from rap_edge.training.rig.fit import HeadFit
from rap_edge.training.rig.flow import (
    FRAME_SIZE,
    LABEL_SIZE,
    PIXELS_PER_CELL,
    block_means,
    fill,
    soften,
    upsample,
)
from rap_edge.training.rig.head import FloatArray, HeadModel
from rap_edge.training.rig.mouth import LIPS_REACH_PX, SAMPLES_PER_PIXEL, MouthView, MouthWindow
from rap_edge.training.rig.palette import interior_palette
from rap_edge.training.rig.pose import Pose
from rap_edge.training.rig.raster import Raster, Window, read_values
from rap_edge.training.rig.resting import resting
from rap_edge.training.rig.surface import WHOLE_FRAME, PosedHead

MODEL_CENTRE_CM, MODEL_REACH_CM = np.array([0.0, -2.5, 3.0]), np.array([12.5, 17.0, 11.0])
COARSE_FRAME = Window(0, 0, FRAME_SIZE, FRAME_SIZE, 0.5)
PAIRS_ACROSS_THE_LIPS = ((61, 67), (62, 66), (63, 65))
SMALLEST_BLINK = 0.02
FIRMLY_CLOSED_PX = 0.4


class Labels(NamedTuple):
    """What the latent of a frame carries.

    flow: (64, 64, 2) float32, frame pixel p shows portrait pixel p + flow, x then y, px of the 256
    frame. lips: (64, 64) float32, how far inside the mouth a cell lies, px, negative on the skin,
    -8..8. teeth: (64, 64) float32, light on the teeth, 0..1, as if the lips were clear.
    """

    flow: FloatArray
    lips: FloatArray
    teeth: FloatArray


class Rendered(NamedTuple):
    """A frame: image (256, 256, 3) uint8 RGB, its labels, iBUG landmarks (68, 2) px, opening."""

    image: NDArray[np.uint8]
    labels: Labels
    landmarks: FloatArray
    opening: float


class Motion(NamedTuple):
    """What moves in a frame: skin (64, 64, 2) without blinks, the mouth, eyes with their flow."""

    skin: FloatArray
    mouth: MouthView
    eyes: list[tuple[Window, FloatArray]]


class PhotoRig:
    """Animates one portrait. Not for two threads at once."""

    def __init__(self, head: HeadModel, fit: HeadFit, image: NDArray[np.uint8]) -> None:
        """Take a portrait (256, 256, 3) RGB and the head fitted to it in the same pixels."""
        if image.shape != (FRAME_SIZE, FRAME_SIZE, 3) or image.dtype != np.uint8:
            raise ValueError(
                f"portrait is {image.dtype} {image.shape} - expected uint8 (256, 256, 3) RGB - "
                "cut the face out of the photo with photo_rig"
            )
        self.head, self.fit, self.image = head, fit, image
        self._posed = PosedHead(head, fit)
        self._skin = self._posed.shown_skin()
        self._raster = Raster(FRAME_SIZE * FRAME_SIZE)
        self._mouth = MouthWindow(head)
        self._blinks = [head.names.index(name) for name in BLINK_NAMES]
        self._eyes = list(map(Eye.of_landmarks, fit.lids, fit.brows))
        self._source = np.ascontiguousarray(self._posed.screen(fit.expression, Pose())[:, :2])
        self._palette = interior_palette(self._face_pixels())

    def resting(self) -> FloatArray:
        """Return the portrait's own expression (57,) with the mouth closed."""
        return resting(self.fit.expression, self.head.names, self._lip_gap)

    def render(self, expression: FloatArray, pose: Pose) -> Rendered:
        """Render a frame with its labels; expression: (57,) weights, mostly in 0..1."""
        motion = self._motion(expression, pose)
        image = _warp(self.image, upsample(motion.skin, WHOLE_FRAME), WHOLE_FRAME)
        for window, flow in motion.eyes:
            eye = _warp(self.image, flow, window).astype(np.float32)
            _paint(image, eye, window)
        _paint(image, self._mouth_samples(motion), motion.mouth.window)
        landmarks = self.landmarks(expression, pose)
        return Rendered(image, _labels(motion), landmarks, opening_of(landmarks))

    def label(self, expression: FloatArray, pose: Pose) -> Labels:
        """Return the labels of `render` without the picture, several times faster."""
        return _labels(self._motion(expression, pose))

    def landmarks(self, expression: FloatArray, pose: Pose) -> FloatArray:
        """Return the iBUG landmarks (68, 2) of a frame, px."""
        return self._posed.screen(expression, pose)[self.head.landmarks, :2]

    def coordinates(self) -> FloatArray:
        """Return where on the neutral head each cell of the portrait lies, (64, 64, 4).

        x, y, z of the model scaled to about -1..1, averaged over the covered part of the cell, and
        the coverage 0..1; zeros where no head is.
        """
        screen = self._posed.screen(self.fit.expression, Pose())
        scaled = ((self.head.neutral - MODEL_CENTRE_CM) / MODEL_REACH_CM).astype(np.float32)
        samples = self._raster.draw(screen, self._skin, WHOLE_FRAME)
        values = read_values(samples, self._skin, scaled)
        covered = (samples.owner >= 0).astype(np.float32)
        cells = block_means(np.dstack([values, covered]), PIXELS_PER_CELL)
        cells[..., :3] /= np.maximum(cells[..., 3:], 1e-6)
        return cells

    def _motion(self, expression: FloatArray, pose: Pose) -> Motion:
        open_eyed = np.array(expression, dtype=np.float32)
        open_eyed[self._blinks] = self.fit.expression[self._blinks]
        screen = self._posed.screen(open_eyed, pose)
        samples = self._raster.draw(screen, self._skin, COARSE_FRAME)
        flow = self._raster.flow(samples, self._skin, self._source, COARSE_FRAME)
        cells = soften(block_means(flow, len(flow) // LABEL_SIZE))
        mouth = self._mouth.look(screen, self._source, self.fit.scale, self._posed.rotation(pose))
        lips = block_means(mouth.flow, PIXELS_PER_CELL * SAMPLES_PER_PIXEL)
        cells[_slices(mouth.window, PIXELS_PER_CELL)] = lips
        skin = fill(cells)
        return Motion(skin, mouth, self._blinking(skin, screen, expression))

    def _blinking(
        self, skin: FloatArray, screen: FloatArray, expression: FloatArray
    ) -> list[tuple[Window, FloatArray]]:
        """Return the windows in which an eye blinks and the flow there."""
        moved = []
        for eye, blink in zip(self._eyes, self._blinks, strict=True):
            own = float(self.fit.expression[blink])
            share = min(1.0, (float(expression[blink]) - own) / max(1.0 - own, 0.1))
            if share < SMALLEST_BLINK:
                continue
            window = _eye_window(eye, screen, self._source)
            flow = upsample(skin, window)
            x, y = _positions(window)
            flow += eye.warp(flow[..., 0] + x, flow[..., 1] + y, share)
            moved.append((window, flow))
        return moved

    def _mouth_samples(self, motion: Motion) -> FloatArray:
        """Return the colours (H, W, 3) of the finely sampled mouth."""
        mouth = motion.mouth
        around = upsample(motion.skin, mouth.window)
        flow = mouth.flow[..., :2] + (1.0 - mouth.flow[..., 2:]) * around
        painted = _warp(self.image, flow, mouth.window).astype(np.float32)
        inside = mouth.part > 0
        painted[inside] = self._palette[mouth.part[inside]] * mouth.brightness()[inside, None]
        return painted

    def _lip_gap(self, expression: FloatArray) -> float:
        """Return how far from firmly closed the lips are at their widest, px."""
        return max(lip_gaps(self.landmarks(expression, Pose()))) + FIRMLY_CLOSED_PX

    def _face_pixels(self) -> NDArray[np.uint8]:
        points = self._source[self.head.mesh_vertices].round().astype(int)
        points = np.clip(points, 0, FRAME_SIZE - 1)
        return self.image[points[:, 1], points[:, 0]]


def photo_rig(head: HeadModel, fit: HeadFit, photo: NDArray[np.uint8], crop: Crop) -> PhotoRig:
    """Cut a portrait out of a photo (H, W, 3) RGB and rig it; `fit` is in pixels of the photo."""
    return PhotoRig(head, fit.in_crop(crop, FRAME_SIZE), cut(photo, crop, FRAME_SIZE))


def opening_of(landmarks: FloatArray) -> float:
    """Return the gap between the inner lips over the distance of the eyes; landmarks: (68, 2)."""
    across = landmarks[42:48].mean(axis=0) - landmarks[36:42].mean(axis=0)
    return max(0.0, float(np.mean(lip_gaps(landmarks)))) / float(np.hypot(*across))


def lip_gaps(landmarks: FloatArray) -> list[float]:
    """Return the three gaps between the inner lips, px, negative where lips overlap."""
    across = landmarks[42:48].mean(axis=0) - landmarks[36:42].mean(axis=0)
    down = np.array([-across[1], across[0]]) / np.hypot(*across)
    return [float((landmarks[low] - landmarks[up]) @ down) for up, low in PAIRS_ACROSS_THE_LIPS]


def _labels(motion: Motion) -> Labels:
    mouth = motion.mouth
    flow = motion.skin.copy()
    for window, fine in motion.eyes:
        side = round(PIXELS_PER_CELL * window.zoom)
        flow[_slices(window, PIXELS_PER_CELL)] = block_means(fine, side)
    lips = np.full((LABEL_SIZE, LABEL_SIZE), -LIPS_REACH_PX, dtype=np.float32)
    teeth = np.zeros((LABEL_SIZE, LABEL_SIZE), dtype=np.float32)
    here = _slices(mouth.window, PIXELS_PER_CELL)
    side = PIXELS_PER_CELL * SAMPLES_PER_PIXEL
    lips[here], teeth[here] = block_means(mouth.lips, side), block_means(mouth.teeth, side)
    return Labels(flow, lips, teeth)


def _slices(window: Window, unit: int) -> tuple[slice, slice]:
    rows = slice(window.top // unit, (window.top + window.height) // unit)
    return rows, slice(window.left // unit, (window.left + window.width) // unit)


def _positions(window: Window) -> tuple[FloatArray, FloatArray]:
    """Return x (1, W) and y (H, 1) of the samples of a window, px."""
    rows, columns = window.shape
    x = window.left + (np.arange(columns, dtype=np.float32) + 0.5) / np.float32(window.zoom)
    y = window.top + (np.arange(rows, dtype=np.float32) + 0.5) / np.float32(window.zoom)
    return x[None], y[:, None]


def _warp(image: NDArray[np.uint8], flow: FloatArray, window: Window) -> NDArray[np.uint8]:
    """Look `image` up at every sample of a window plus its flow (H, W, 2)."""
    x, y = _positions(window)
    map_x, map_y = flow[..., 0] + (x - 0.5), flow[..., 1] + (y - 0.5)
    mapped = cv2.remap(image, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(mapped, dtype=np.uint8)


def _paint(image: NDArray[np.uint8], samples: FloatArray, window: Window) -> None:
    """Average fine samples (H, W, 3) into the pixels of a window of `image`."""
    averaged = block_means(samples, round(window.zoom))
    image[_slices(window, 1)] = np.clip(averaged + 0.5, 0, 255).astype(np.uint8)


def _eye_window(eye: Eye, screen: FloatArray, source: FloatArray) -> Window:
    """Frame what a blink can change, following the vertices of the portrait's eye."""
    left, top, right, bottom = eye.box()
    inside = (source > [left, top]).all(axis=1) & (source < [right, bottom]).all(axis=1)
    moved = np.median(screen[inside, :2] - source[inside], axis=0)
    edges = np.array([left, top, right, bottom]) + np.tile(moved, 2)
    first = np.clip(np.floor(edges[:2] / PIXELS_PER_CELL), 0, LABEL_SIZE - 1).astype(int)
    last = np.clip(np.ceil(edges[2:] / PIXELS_PER_CELL), first + 1, LABEL_SIZE).astype(int)
    x, y = (int(v) * PIXELS_PER_CELL for v in first)
    width, height = (int(v) * PIXELS_PER_CELL for v in last - first)
    return Window(x, y, width, height, 2.0)
