"""The search for faces: its arithmetic exactly; the shipped networks on a portrait and noise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from rap_edge.errors import ConfigError, NoFaceFound
from rap_edge.locate import (
    CELL,
    PAD,
    UNIT_SIDE,
    WINDOW,
    Box,
    Run,
    corrected,
    decode,
    find_face,
    locate,
    scales,
    suppress,
    windows,
)
from rap_edge.models.locator import Locators
from rap_edge.portrait import Crop
from rap_edge.training.locator.evaluate import overlap
from rap_edge.training.locator.finders import in_torch
from rap_edge.training.locator.portraits import placement, transform
from rap_edge.training.locator.scenes import coarse_labels

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "weights" / "locator.safetensors"
PORTRAIT = ROOT / "examples" / "portrait.jpg"

Arrays = Mapping[str, NDArray[Any]]


def white_square_finder(name: str, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
    """Stand in for the networks: a white square wholly in a window is a face, as is any crop."""
    if name == "locator_refine":
        return {"correction": np.zeros((1, 3), np.float32), "score": np.ones((1, 1), np.float32)}
    scores = np.zeros((1, 16, 16), np.float32)
    boxes = np.zeros((1, 16, 16, 3), np.float32)
    rows, columns = np.nonzero(inputs["image"][0, :, :, 0] > 200)
    pixels = np.stack([rows, columns])
    if pixels.size and pixels.min() > 0 and pixels.max() < WINDOW - 1:
        y, x, side = rows.mean() + 0.5, columns.mean() + 0.5, np.ptp(columns) + 1
        row, column = int(y // CELL), int(x // CELL)
        scores[0, row, column] = 0.9
        offset = (x / CELL - column - 0.5, y / CELL - row - 0.5, np.log(side / UNIT_SIDE))
        boxes[0, row, column] = offset
    return {"scores": scores, "boxes": boxes}


def photo_with_square(width: int, height: int, left: int, top: int, side: int) -> NDArray[np.uint8]:
    photo = np.zeros((height, width, 3), np.uint8)
    photo[top : top + side, left : left + side] = 255
    return photo


def test_decode_gives_centre_and_side_in_window_pixels() -> None:
    scores, boxes = np.zeros((16, 16), np.float32), np.zeros((16, 16, 3), np.float32)
    scores[2, 5] = 0.75
    boxes[2, 5] = (0.5, -0.25, 0.0)
    assert decode(scores, boxes) == [Box(48.0, 18.0, UNIT_SIDE, 0.75)]


def test_decode_inverts_the_labels() -> None:
    targets = [np.array([30.0, 41.0, 24.0]), np.array([95.5, 80.25, 60.0])]
    heat, boxes, weight = coarse_labels(targets)
    assert (weight[heat == 1] == 1).all()
    found = decode((heat == 1).astype(np.float32), boxes.astype(np.float32))
    values = [[box.x, box.y, box.side] for box in found]
    np.testing.assert_allclose(values, targets, rtol=1e-5)


def test_the_best_box_of_a_face_is_kept() -> None:
    good, worse, other = Box(50, 50, 40, 0.9), Box(55, 50, 44, 0.6), Box(90, 50, 40, 0.5)
    assert suppress([worse, other, good]) == [good, other]


def test_correction_is_in_sides_of_the_box() -> None:
    box = corrected(Box(100, 200, 80, 0.5), np.array([0.25, -0.5, np.log(1.5)], np.float32), 0.8)
    assert (box.x, box.y, box.score) == (120.0, 160.0, 0.4)
    assert box.side == pytest.approx(120.0, rel=1e-6)


@pytest.mark.parametrize(("size", "count"), [((475, 475), 1), ((819, 600), 1), ((4000, 3000), 4)])
def test_finer_scales_are_looked_at_in_large_photos_only(size: tuple[int, int], count: int) -> None:
    listed = list(scales(*size))
    assert len(listed) == count
    assert listed[0] == WINDOW / size[0]
    assert np.allclose(np.diff(np.log2(listed)), 1)


def test_windows_cover_the_scaled_photo_and_are_padded_with_grey() -> None:
    photo = np.full((300, 500, 3), 7, np.uint8)
    seen = np.zeros((150, 250), bool)
    for left, top, window in windows(photo, 0.5):
        part = seen[top : top + WINDOW, left : left + WINDOW]
        part[:] = True
        assert (window[: part.shape[0], : part.shape[1]] == 7).all()
    assert seen.all()
    ((left, top, window),) = windows(photo, WINDOW / 500)
    assert (left, top) == (0, 0)
    assert (window[77:] == PAD).all()


@pytest.mark.parametrize(
    ("width", "height", "left", "top", "side"),
    [(512, 384, 160, 120, 128), (300, 700, 60, 400, 160), (2048, 1536, 1200, 900, 192)],
)
def test_a_face_is_found_where_it_is(
    width: int, height: int, left: int, top: int, side: int
) -> None:
    (face,) = locate(photo_with_square(width, height, left, top, side), white_square_finder)
    assert overlap(face.crop, Crop(left, top, side)) > 0.9


def test_the_crop_stays_inside_the_photo() -> None:
    def grown(name: str, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        outputs = white_square_finder(name, inputs)
        return {
            key: v + np.float32(0.3) if key == "correction" else v for key, v in outputs.items()
        }

    face, count = find_face(photo_with_square(400, 300, 210, 110, 160), grown)
    assert count == 1
    assert face.crop.side > 160
    assert face.crop.x + face.crop.side <= 400
    assert face.crop.y + face.crop.side <= 300


def test_no_face_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(NoFaceFound, match=r"320 x 200 px.*expected one face.*use a closer"):
        find_face(np.zeros((200, 320, 3), np.uint8), white_square_finder)


def test_folding_keeps_the_answers() -> None:
    torch.manual_seed(0)
    locators = Locators()
    image = torch.randint(0, 256, (4, 128, 128, 3), dtype=torch.uint8)
    for network, picture in ((locators.coarse, image), (locators.refine, image[:, :96, :96])):
        network.train()(picture)
    before = locators.eval().coarse(image), locators.refine(image[:, :96, :96])
    after = locators.fold().coarse(image), locators.refine(image[:, :96, :96])
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


def test_saved_weights_are_loaded_to_fp16_precision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    locators = Locators().eval()
    locators.save(tmp_path / "locator.safetensors")
    loaded = Locators.load(tmp_path / "locator.safetensors")
    image = torch.randint(0, 256, (1, 128, 128, 3), dtype=torch.uint8)
    torch.testing.assert_close(loaded.coarse(image), locators.coarse(image), rtol=0, atol=0.01)


def test_a_file_that_holds_no_locator_is_refused_by_name(tmp_path: Path) -> None:
    nothing, text, other = (tmp_path / name for name in ("nothing", "text", "other"))
    text.write_text("not weights")
    save_file({"weight": torch.zeros(3)}, other)
    for path in (nothing, text, other, tmp_path):
        with pytest.raises(ConfigError, match=rf"{path.name} gives no weights .* or train it"):
            Locators.load(path)


@pytest.fixture(scope="module")
def shipped() -> Run:
    torch.set_num_threads(1)
    return in_torch(Locators.load(WEIGHTS))


@pytest.fixture(scope="module")
def portrait() -> NDArray[np.uint8]:
    image = cv2.imread(str(PORTRAIT))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1]).astype(np.uint8)


def test_the_example_portrait_has_one_face(shipped: Run, portrait: NDArray[np.uint8]) -> None:
    face, count = find_face(portrait, shipped)
    assert count == 1
    assert face.score > 0.4


def test_the_crop_follows_the_face(shipped: Run, portrait: NDArray[np.uint8]) -> None:
    """Law: shrunk until the face is 80 px wide and laid elsewhere, the crop goes along."""
    crop = find_face(portrait, shipped)[0].crop
    target = np.array([crop.x + crop.side / 2, crop.y + crop.side / 2, crop.side])
    affine = placement(target, np.array([520.0, 330.0, 160.0]), 0.0, False)
    size = (800, 600)
    canvas = cv2.warpAffine(
        cv2.GaussianBlur(portrait, (0, 0), 0.4 * crop.side / 160),
        affine,
        size,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(90, 110, 130),
    )
    face, count = find_face(np.asarray(canvas, np.uint8), shipped)
    x, y = transform(np.array([crop.x, crop.y]), affine)
    assert count == 1
    assert overlap(face.crop, Crop(float(x), float(y), 160.0)) > 0.85


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_face(shipped: Run, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert locate(noise, shipped) == []


def test_plain_pictures_have_no_face(shipped: Run) -> None:
    ramp = np.linspace(0, 255, 400).astype(np.uint8)
    picture = np.broadcast_to(ramp[None, :, None], (300, 400, 3))
    assert locate(np.ascontiguousarray(picture), shipped) == []
