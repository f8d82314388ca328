"""A small signed bundle with graphs of every format: what ``tools/hostile`` tampers with."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

if TYPE_CHECKING:
    from hostile.sample import Sample


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sample, its keys and its files."""
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="session")
def sample(samples: Path) -> Sample:
    from hostile.sample import make_sample

    return make_sample(samples)


@pytest.fixture
def trusted(sample: Sample) -> list[Path]:
    return [sample.trusted]


@pytest.fixture
def folder(sample: Sample, samples: Path, tmp_path: Path) -> Path:
    """A copy of the sample as a folder."""
    return Path(shutil.copytree(samples / "sample", tmp_path / "folder"))


@pytest.fixture
def rapb(sample: Sample, tmp_path: Path) -> Path:
    """A copy of the sample as one file."""
    place = tmp_path / "sample.rapb"
    place.write_bytes(sample.archive)
    return place


@pytest.fixture
def put(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """Write files as a folder."""

    def write(files: dict[str, bytes]) -> Path:
        for name, content in files.items():
            place = tmp_path / "put" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return tmp_path / "put"

    return write
