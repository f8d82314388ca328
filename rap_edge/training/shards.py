"""Shards: safetensors files of clips, written whole or not at all.

Every array of a shard has the clip as its first axis; what is not an array (person, voice, text,
seed) is one JSON list in the metadata, an entry per clip.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from rap_edge.errors import MediaError

AnyArray = npt.NDArray[Any]
About = dict[str, Any]

CLIP_FRAMES = 61
LEFT_SAMPLES = 20800
RIGHT_SAMPLES = 4800
LIPS_PER_PX = 15
"""Steps of the stored distance from the lips, int8."""


def write(path: Path, arrays: Mapping[str, AnyArray], about: Sequence[About]) -> None:
    """Write a shard under a temporary name and rename it, so that a name means a whole file.

    Raises ValueError if the arrays do not all hold as many clips as ``about`` has entries.
    """
    for name, array in arrays.items():
        if len(array) != len(about):
            raise ValueError(f"{name} holds {len(array)} clips - expected {len(about)} - pass all")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    try:
        save_file(contiguous, partial, {"about": json.dumps(list(about))})
        partial.replace(path)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


class Shard:
    """An open shard; arrays are read from disk when asked for.

    Raises MediaError for a file that is not a shard.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = safe_open(path, framework="numpy")
            self.about: list[About] = json.loads(self._file.metadata()["about"])
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise MediaError(f"{path} is no shard ({error}) - make it again") from error
        self.path = path
        self.names: tuple[str, ...] = tuple(sorted(self._file.keys()))

    def __len__(self) -> int:
        return len(self.about)

    def whole(self, name: str) -> AnyArray:
        """Read one array of all clips."""
        array: AnyArray = self._file.get_tensor(name)
        return array

    def part(self, name: str) -> Any:
        """Return an array to slice, the clip first; only what is sliced is read from disk."""
        return self._file.get_slice(name)

    def clip(self, index: int) -> dict[str, AnyArray]:
        """Read every array of one clip."""
        if not 0 <= index < len(self):
            raise IndexError(f"clip {index} - the shard has {len(self)} - choose another")
        return {name: self._file.get_slice(name)[index] for name in self.names}


def paths(folder: Path) -> list[Path]:
    """Return the finished shards of a folder in order."""
    return sorted(folder.glob("*.safetensors"))


def clips(folder: Path) -> Iterator[tuple[dict[str, AnyArray], About]]:
    """Read every clip of a folder in order, with what is known about it."""
    for path in paths(folder):
        shard = Shard(path)
        for index, about in enumerate(shard.about):
            yield shard.clip(index), about


def pack(blobs: Sequence[Sequence[bytes]]) -> tuple[AnyArray, AnyArray]:
    """Pack clips of encoded frames: bytes (clips, longest) uint8 and their ends (clips, F)."""
    ends = np.array([np.cumsum([len(blob) for blob in clip]) for clip in blobs], np.int64)
    packed = np.zeros((len(blobs), int(ends[:, -1].max())), np.uint8)
    for row, clip in zip(packed, blobs, strict=True):
        joined = b"".join(clip)
        row[: len(joined)] = np.frombuffer(joined, np.uint8)
    return packed, ends


def unpack(packed: AnyArray, ends: AnyArray) -> list[bytes]:
    """Return the encoded frames of one clip."""
    starts = [0, *ends[:-1]]
    return [packed[a:b].tobytes() for a, b in zip(starts, ends, strict=True)]
