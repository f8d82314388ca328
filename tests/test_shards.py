"""Shards of clips: written whole, read back, made once, looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rap_edge.errors import ConfigError, MediaError
from rap_edge.portrait import Crop
from rap_edge.training import contact, dataset, generate, shards
from rap_edge.training.rig import Labels, Pose, Rendered
from rap_edge.training.speech import takes

SIDED = ("mouthLowerDown", "mouthUpperUp", "mouthStretch", "mouthSmile", "mouthPress", "eyeBlink")
SIDED += ("eyeSquint", "browOuterUp", "browDown", "browInnerUp")
NAMES = ("jawOpen", "mouthPucker", "mouthFunnel", "mouthRollLower", "mouthRollUpper")
NAMES += tuple(f"{name}{side}" for name in SIDED for side in ("_L", "_R"))


@dataclass
class FlatRig:
    """A rig whose frames are one grey, so that clips are made in no time."""

    image: np.ndarray = field(default_factory=lambda: np.full((256, 256, 3), 90, np.uint8))

    def resting(self) -> np.ndarray:
        return np.full(len(NAMES), 0.05, np.float32)

    def label(self, expression: np.ndarray, pose: Pose) -> Labels:
        flow = np.full((64, 64, 2), pose.dx, np.float32)
        return Labels(flow, np.full((64, 64), 0.5, np.float32), np.zeros((64, 64), np.float32))

    def render(self, expression: np.ndarray, pose: Pose) -> Rendered:
        return Rendered(self.image, self.label(expression, pose), np.zeros((68, 2)), 0.0)

    def landmarks(self, expression: np.ndarray, pose: Pose) -> np.ndarray:
        points = np.zeros((68, 2), np.float32)
        points[42:48, 0] = 60
        points[[65, 66, 67], 1] = 60 * expression[0]
        return points

    def coordinates(self) -> np.ndarray:
        return np.zeros((64, 64, 4), np.float32)


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> generate.Maker:
    """A maker of motion clips that needs neither data nor voices."""
    portraits = generate.Portraits(
        tmp_path, tuple("abcdefghij"), np.zeros((10, 478, 3), np.float32)
    )
    head = type("Head", (), {"names": NAMES})()
    monkeypatch.setattr(generate, "_portraits", lambda data: portraits)
    monkeypatch.setattr(generate, "_head", lambda data: head)
    monkeypatch.setattr(
        generate.Maker, "_rig", lambda *arguments: (FlatRig(), Crop(1.0, 2.0, 300.0))
    )
    music = takes.take(1, "train", generate._TAKE_S, condition="music")
    monkeypatch.setattr(takes, "take", lambda *arguments: music)
    return generate.Maker("motion", "train", tmp_path, tmp_path / "fits")


def test_a_shard_reads_back_what_was_written(tmp_path: Path) -> None:
    flow = np.arange(24, dtype=np.float16).reshape(2, 3, 4)
    shards.write(tmp_path / "s.safetensors", {"flow": flow}, [{"person": "a"}, {"person": "é"}])
    shard = shards.Shard(tmp_path / "s.safetensors")
    assert len(shard) == 2
    assert shard.about[1] == {"person": "é"}
    np.testing.assert_array_equal(shard.clip(1)["flow"], flow[1])
    np.testing.assert_array_equal(shard.whole("flow"), flow)
    assert shard.clip(0)["flow"].dtype == np.float16


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(arrays: object, path: Path, about: object) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(shards, "save_file", full_disk)
    with pytest.raises(OSError, match="no space"):
        shards.write(tmp_path / "s.safetensors", {"a": np.zeros(1)}, [{}])
    assert list(tmp_path.iterdir()) == []


def test_arrays_of_another_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pose holds 3 clips - expected 2"):
        shards.write(tmp_path / "s.safetensors", {"pose": np.zeros(3)}, [{}, {}])


@pytest.mark.parametrize("content", [b"", b"not a shard at all"])
def test_a_damaged_shard_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"broken\.safetensors"):
        shards.Shard(path)


@given(st.lists(st.lists(st.binary(min_size=1, max_size=9), min_size=3, max_size=3), min_size=1))
def test_packed_frames_unpack(clips: list[list[bytes]]) -> None:
    packed, ends = shards.pack(clips)
    assert [shards.unpack(*row) for row in zip(packed, ends, strict=True)] == clips


def write_seeds(path: Path, seeds: list[int]) -> None:
    shards.write(path, {"seed": np.array(seeds)}, [{"seed": seed} for seed in seeds])


def test_a_folder_is_continued_where_it_ended(tmp_path: Path) -> None:
    plan = dataset.Plan("motion", "train", seed=3, clips_per_shard=4)
    dataset.build(tmp_path, plan, 8, write_seeds, jobs=1)
    before = {path: path.stat().st_mtime_ns for path in shards.paths(tmp_path)}
    dataset.build(tmp_path, plan, 10, write_seeds, jobs=1)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    seeds = [about["seed"] for _, about in shards.clips(tmp_path)]
    assert seeds == [plan.clip_seed(index) for index in range(10)]


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    dataset.claim(tmp_path, dataset.Plan("motion", "train", 3, 4))
    with pytest.raises(ConfigError, match="use another folder"):
        dataset.claim(tmp_path, dataset.Plan("motion", "heldout", 3, 4))


def test_no_one_is_both_trained_on_and_held_out(tmp_path: Path) -> None:
    landmarks = np.zeros((20, 478, 3), np.float32)
    names = tuple(f"{index:02d}.jpg" for index in range(20))
    portraits = generate.Portraits(tmp_path, names, landmarks)
    assert portraits.people("heldout") == [0, 8, 16]
    assert sorted(portraits.people("heldout") + portraits.people("train")) == list(range(20))


def test_people_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    points = np.arange(2 * 478 * 3, dtype=np.float32).reshape(2, 478, 3)
    np.savez(tmp_path / "portraits_landmarks.npz", names=["b.jpg", "a.jpg"], landmarks=points)
    loaded = generate.Portraits.load(tmp_path)
    assert loaded.names == ("a.jpg", "b.jpg")
    np.testing.assert_array_equal(loaded.landmarks[1], points[0])


def test_a_folder_that_is_not_the_data_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected the data folder"):
        generate.Portraits.load(tmp_path)


@given(st.integers(0, 10_000), st.floats(100, 380), st.floats(0, 90), st.floats(0, 20))
def test_a_jittered_crop_stays_in_the_photo(seed: int, side: float, x: float, y: float) -> None:
    photo = np.zeros((400, 470, 3), np.uint8)
    crop = generate.jittered(Crop(x, y, side), photo, np.random.default_rng(seed))
    assert 0.86 * side <= crop.side <= 1.16 * side
    assert min(crop.x, crop.y) >= 0
    assert crop.x + crop.side <= 470 + 1e-6
    assert crop.y + crop.side <= 400 + 1e-6


@pytest.mark.parametrize("start", [0, 1, 50])
def test_the_sound_of_frame_zero_follows_the_context(start: int) -> None:
    samples = np.arange(8 * 16000, dtype=np.float32) / 32767
    sound = generate._around(samples, start)
    assert len(sound) == 20800 + 61 * 640 + 4800
    assert sound[20800] == start * 640 if start * 640 < 32767 else True
    assert (sound[: max(0, 20800 - start * 640)] == 0).all()


def test_a_clip_holds_what_the_contract_says(maker: generate.Maker, tmp_path: Path) -> None:
    maker(tmp_path / "m.safetensors", [11, 12])
    shard = shards.Shard(tmp_path / "m.safetensors")
    clip = shard.clip(0)
    found = {name: (array.dtype.name, array.shape) for name, array in clip.items()}
    assert found == {
        "audio": ("int16", (64640,)),
        "reference": ("uint8", (256, 256, 3)),
        "coordinates": ("float16", (64, 64, 4)),
        "flow": ("float16", (61, 64, 64, 2)),
        "lips": ("int8", (61, 64, 64)),
        "teeth": ("uint8", (61, 64, 64)),
        "opening": ("float16", (61,)),
        "expression": ("float16", (61, len(NAMES))),
        "pose": ("float16", (61, 5)),
    }
    assert clip["lips"].max() == round(0.5 * shards.LIPS_PER_PX)
    assert {"seed", "person", "voice", "text", "condition", "start_s"} <= shard.about[0].keys()
    assert shard.about[0]["person"] not in ("a", "i")


def test_a_clip_is_fixed_by_its_seed(maker: generate.Maker) -> None:
    (one, _, about), (same, _, _), (other, _, _) = (maker.clip(seed) for seed in (5, 5, 6))
    for name, array in one.items():
        np.testing.assert_array_equal(array, same[name])
    assert about["seed"] == 5
    assert not np.array_equal(one["pose"], other["pose"])


def test_pictures_are_stored_and_shown(maker: generate.Maker, tmp_path: Path) -> None:
    video = generate.Maker("video", "train", maker.data, maker.fits)
    video(tmp_path / "v.safetensors", [21])
    clip = shards.Shard(tmp_path / "v.safetensors").clip(0)
    frames = shards.unpack(clip["jpeg"], clip["jpeg_ends"])
    assert len(frames) == 61
    decoded = cv2.imdecode(np.frombuffer(frames[60], np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decoded.astype(int) - 90).max() <= 1
    contact.draw(tmp_path / "v.safetensors", tmp_path / "sheet.png", 4)
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == (216, 1600, 3)
