"""Photos of every kind arrive as the same upright RGB."""

from __future__ import annotations

import contextlib
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from rap_edge.errors import PortraitError
from rap_edge.photo import BACKGROUND, LARGEST_SIDE, read_photo

Picture = NDArray[np.uint8]


def gradient(width: int = 96, height: int = 128) -> Picture:
    """Red grows to the right, green downwards, blue is constant: (H, W, 3) uint8."""
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[..., 0] = np.linspace(10, 240, width).astype(np.uint8)[None, :]
    picture[..., 1] = np.linspace(20, 220, height).astype(np.uint8)[:, None]
    return picture


def worst(a: Picture, b: Picture) -> int:
    assert a.shape == b.shape
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp", "jpg", "jp2", "ppm"])
def test_every_usual_format_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo.{suffix}"
    lossless = {"webp": {"lossless": True}, "jpg": {"quality": 100, "subsampling": 0}}
    Image.fromarray(gradient()).save(path, **lossless.get(suffix, {}))
    photo = read_photo(path)
    assert photo.dtype == np.uint8
    assert photo.flags.c_contiguous
    assert worst(photo, gradient()) <= 3


def test_a_path_may_be_text_a_picture_or_an_array(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(gradient()).save(path)
    for source in (path, str(path), Image.fromarray(gradient()), gradient()):
        assert (read_photo(source) == gradient()).all()


def test_an_array_is_copied() -> None:
    source = gradient()
    photo = read_photo(source)
    source[:] = 0
    assert (photo == gradient()).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_upright_by_exif(tmp_path: Path, orientation: int) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = Image.fromarray(gradient())
    if orientation in undo:
        stored = stored.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "photo.png", exif=exif)
    assert (read_photo(tmp_path / "photo.png") == gradient()).all()


def test_transparency_lies_on_neutral_grey(tmp_path: Path) -> None:
    layer = np.dstack([gradient(), np.full((128, 96), 255, np.uint8)])
    layer[:64, :, 3] = 0
    Image.fromarray(layer).save(tmp_path / "photo.png")
    photo = read_photo(tmp_path / "photo.png")
    assert (photo[:64] == BACKGROUND).all()
    assert (photo[64:] == gradient()[64:]).all()


def test_grey_with_alpha_and_palette_with_transparency_are_composited(tmp_path: Path) -> None:
    grey = Image.new("LA", (80, 80), (200, 0))
    grey.save(tmp_path / "grey.png")
    palette = Image.new("P", (80, 80), 3)
    palette.putpalette([0, 0, 0] * 3 + [10, 200, 10])
    palette.save(tmp_path / "palette.png", transparency=3)
    for name in ("grey.png", "palette.png"):
        assert (read_photo(tmp_path / name) == BACKGROUND).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "YCbCr", "HSV"])
def test_other_modes_become_rgb(mode: str) -> None:
    photo = read_photo(Image.fromarray(gradient()).convert("RGB").convert(mode))
    assert photo.shape == (128, 96, 3)
    assert photo.std() > 10


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    red = Image.new("CMYK", (80, 80), (0, 255, 255, 0))
    red.save(tmp_path / "photo.jpg", quality=100)
    assert worst(read_photo(tmp_path / "photo.jpg")[:1, :1], np.uint8([[[255, 0, 0]]])) <= 3


def test_an_unusable_colour_profile_is_ignored(tmp_path: Path) -> None:
    Image.fromarray(gradient()).save(tmp_path / "photo.png", icc_profile=b"not a profile")
    assert (read_photo(tmp_path / "photo.png") == gradient()).all()


def test_colours_are_brought_to_srgb_by_the_profile(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(gradient()).save(tmp_path / "photo.png", icc_profile=profile)
    assert worst(read_photo(tmp_path / "photo.png"), gradient()) <= 2


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bit_grey_keeps_its_shades(tmp_path: Path, suffix: str) -> None:
    grey = gradient()[..., 0].astype(np.uint16) * 257
    path = str(tmp_path / f"photo.{suffix}")
    assert cv2.imwrite(path, grey)
    assert (read_photo(path) == gradient()[..., :1]).all()


def test_sixteen_bit_colour_keeps_its_colours(tmp_path: Path) -> None:
    path = str(tmp_path / "photo.png")
    assert cv2.imwrite(path, gradient()[..., ::-1].astype(np.uint16) * 257)
    assert worst(read_photo(path), gradient()) <= 1


def test_float_pictures_in_0_to_1_keep_their_shades() -> None:
    grey = gradient()[..., 0].astype(np.float32) / 255
    assert (read_photo(Image.fromarray(grey)) == gradient()[..., :1]).all()


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_the_first_picture_of_an_animation_is_used(tmp_path: Path, suffix: str) -> None:
    first, second = Image.new("RGB", (80, 80), (250, 0, 0)), Image.new("RGB", (80, 80), (0, 0, 250))
    path = tmp_path / f"photo.{suffix}"
    first.save(path, save_all=True, append_images=[second], duration=40)
    assert worst(read_photo(path)[40:41, 40:41], np.uint8([[[250, 0, 0]]])) <= 4


@pytest.mark.parametrize("as_array", [True, False])
def test_huge_photos_are_scaled_down(as_array: bool) -> None:
    huge = gradient(2 * LARGEST_SIDE, 400)
    photo = read_photo(huge if as_array else Image.fromarray(huge))
    assert photo.shape == (200, LARGEST_SIDE, 3)
    assert worst(photo[:, 2000:2001], huge[::2, 4000:4001]) <= 3


def test_a_decompression_bomb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(b"")
    chunks = (
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c))
        for c in (header, pixels, b"IEND")
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    with pytest.raises(PortraitError, match="megapixels"):
        read_photo(path)


@pytest.mark.parametrize(("width", "height"), [(63, 400), (400, 63), (1, 1), (9000, 100)])
def test_pictures_under_64_px_are_refused(width: int, height: int) -> None:
    with pytest.raises(PortraitError, match="at least 64 px"):
        read_photo(Image.new("RGB", (width, height)))
    with pytest.raises(PortraitError, match="at least 64 px"):
        read_photo(np.zeros((height, width, 3), np.uint8))


@pytest.mark.parametrize("shape", [(80, 80), (80, 80, 4), (1, 80, 80, 3)])
def test_arrays_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(PortraitError, match="expected \\(H, W, 3\\) uint8"):
        read_photo(np.zeros(shape, np.uint8))


def test_arrays_of_another_type_are_refused() -> None:
    with pytest.raises(PortraitError, match="float64"):
        read_photo(np.zeros((80, 80, 3)))  # type: ignore[arg-type]


def test_bytes_are_refused_without_being_shown() -> None:
    with pytest.raises(PortraitError, match=r"bytes .*PIL\.Image\.open\(io\.BytesIO") as caught:
        read_photo(b"\xff\xd8" * 50_000)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 200
    with pytest.raises(PortraitError, match="NoneType"):
        read_photo(None)  # type: ignore[arg-type]


def test_what_is_no_picture_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("not a picture")
    whole = tmp_path / "whole.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)).save(whole)
    (tmp_path / "half.png").write_bytes(whole.read_bytes()[:5000])
    cases = {
        "missing.png": "does not exist",
        "": "is a folder",
        "notes.jpg": "not a picture",
        "half.png": "damaged",
    }
    for name, reason in cases.items():
        with pytest.raises(PortraitError, match=reason) as caught:
            read_photo(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "tiff", "webp", "bmp"])
def test_a_damaged_file_is_read_or_refused_but_nothing_else(tmp_path: Path, kind: str) -> None:
    whole = tmp_path / "whole"
    Image.fromarray(gradient()).save(whole, kind)
    damage = np.random.default_rng(0)
    for _ in range(40):
        content = np.frombuffer(whole.read_bytes(), np.uint8).copy()
        reach = min(len(content), 400)
        content[damage.integers(0, reach, 6)] = damage.integers(0, 256, 6)
        (tmp_path / "damaged").write_bytes(content[: damage.integers(10, 2 * len(content))])
        with contextlib.suppress(PortraitError):
            assert read_photo(tmp_path / "damaged").shape[2] == 3
