"""A contact sheet: clips of a shard as one picture, so that a person can look at them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from rap_edge.errors import ConfigError, MediaError
from rap_edge.training import shards

Image = npt.NDArray[np.uint8]
Arrays = dict[str, npt.NDArray[Any]]

_CELL = 160
_FRAMES = 8
_STRIP = 56
_WIDTH = _CELL * (_FRAMES + 2)
_SOUND, _OPENING, _TEXT = (90, 120, 160), (255, 190, 60), (230, 230, 230)


def draw(source: Path, out: Path, n_clips: int) -> None:
    """Draw the first clips of a shard, or of every shard of a folder in turn, as a PNG.

    A row shows the reference, frames (those of a motion shard are warped from the reference, the
    mouth's interior tinted), the labels of the widest opening, and sound with opening below.
    """
    found = shards.paths(source) if source.is_dir() else [source]
    if not found:
        raise ConfigError(f"{source} has no shards - expected a shard or a folder of shards")
    rows = [_row(arrays, about) for arrays, about in _clips(found, n_clips)]
    sheet = np.concatenate(rows)
    out.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(out), sheet[..., ::-1]):
        raise MediaError(f"{out} cannot be written - expected a writable PNG - choose another")


def _clips(found: list[Path], n_clips: int) -> list[tuple[Arrays, shards.About]]:
    opened = [shards.Shard(path) for path in found[:n_clips]]
    chosen: list[tuple[Arrays, shards.About]] = []
    for index in range(max(len(shard) for shard in opened)):
        for shard in opened:
            if index < len(shard) and len(chosen) < n_clips:
                chosen.append((shard.clip(index), shard.about[index]))
    return chosen


def _row(arrays: Arrays, about: shards.About) -> Image:
    if "flow" not in arrays:
        curve = arrays["expression"].astype(np.float32).max(1)
        return _strip(arrays["audio"], curve, _caption(about), 0, 2 * _STRIP)
    opening = arrays["opening"].astype(np.float32)
    widest = int(opening.argmax())
    numbers = sorted({widest, *np.linspace(0, len(opening) - 1, _FRAMES - 1).round().astype(int)})
    frames = [_frame(arrays, number) for number in numbers[:_FRAMES]]
    frames += [np.zeros_like(frames[0])] * (_FRAMES - len(frames))
    cells = [arrays["reference"], *frames, _labels(arrays, widest)]
    pictures = np.hstack([cv2.resize(cell, (_CELL, _CELL), None, 0, 0, 3) for cell in cells])
    first = shards.LEFT_SAMPLES
    sound = arrays["audio"][first : len(arrays["audio"]) - shards.RIGHT_SAMPLES]
    return np.concatenate([pictures, _strip(sound, opening, _caption(about), _CELL, _STRIP)])


def _frame(arrays: Arrays, number: int) -> Image:
    """Return a frame: the stored picture, or the reference warped by the label."""
    if "jpeg" in arrays:
        data = shards.unpack(arrays["jpeg"], arrays["jpeg_ends"])[number]
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            raise MediaError(f"frame {number} is no JPEG - make the shard again")
        return np.asarray(decoded[..., ::-1], np.uint8)
    size = arrays["reference"].shape[0]
    flow = cv2.resize(arrays["flow"][number].astype(np.float32), (size, size))
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1).astype(np.float32)
    places = grid + flow
    warped = cv2.remap(arrays["reference"], places[..., 0], places[..., 1], cv2.INTER_LINEAR)
    lips = cv2.resize(arrays["lips"][number].astype(np.float32), (size, size))[..., None]
    inside = lips > 0
    teeth = cv2.resize(arrays["teeth"][number], (size, size))[..., None]
    mouth = teeth + (255 - teeth) * np.array([0.25, 0.05, 0.08])
    return np.asarray(warped * (1 - inside) + mouth * inside, np.uint8)


def _labels(arrays: Arrays, number: int) -> Image:
    """Return the flow as colour, with the mouth and its teeth in it."""
    flow = arrays["flow"][number].astype(np.float32)
    colour = np.full((*flow.shape[:2], 3), 128, np.float32)
    colour[..., :2] += 6 * flow
    inside, teeth = arrays["lips"][number][..., None] > 0, arrays["teeth"][number][..., None]
    shown = np.where(inside, teeth, colour)
    return np.asarray(np.clip(shown, 0, 255), np.uint8)


def _caption(about: shards.About) -> str:
    person = about.get("person", "")
    return f"{about['condition']} {person} {about['voice']}: {about['text']}"


def _strip(
    sound: npt.NDArray[Any], curve: npt.NDArray[np.float32], caption: str, left: int, height: int
) -> Image:
    """Draw the sound and a curve (F,) over the same time, and the caption above them."""
    strip = np.zeros((height, _WIDTH, 3), np.uint8)
    width = _CELL * _FRAMES if left else _WIDTH
    edges = np.linspace(0, len(sound), width + 1).astype(int)
    loud = np.abs(sound.astype(np.float32)).max() + 1
    for column, (a, b) in enumerate(itertools.pairwise(edges)):
        half = int(np.abs(sound[a:b].astype(np.float32)).max() / loud * (height // 2 - 8))
        strip[height // 2 + 6 - half : height // 2 + 7 + half, left + column] = _SOUND
    x = left + (np.arange(len(curve)) + 0.5) * width / len(curve)
    y = height - 3 - curve / max(0.4, float(curve.max())) * (height - 20)
    points = np.stack((x, y), 1).round().astype(np.int32)
    cv2.polylines(strip, [points], False, _OPENING, 1, cv2.LINE_AA)
    ascii_caption = caption.encode("ascii", "replace").decode()[:200]
    cv2.putText(strip, ascii_caption, (4, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.38, _TEXT, 1)
    return strip
