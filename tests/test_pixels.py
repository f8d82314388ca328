"""Every layout holds the picture; YUV agrees with swscale and with the definition."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from rap_edge.errors import ConfigError
from rap_edge.runtime.pixels import FORMATS, convert, frame_shape

PYAV_NAMES = {"rgb": "rgb24", "bgr": "bgr24", "rgba": "rgba", "nv12": "nv12", "i420": "yuv420p"}

Image = NDArray[np.uint8]


def noise(height: int = 64, width: int = 96) -> Image:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def ramp(height: int = 64, width: int = 96) -> Image:
    """Neighbouring pixels that differ little, as in a photo."""
    y, x = np.mgrid[:height, :width]
    channels = (255 * x / (width - 1), 255 * y / (height - 1), 255 - 127 * (x + y) / (x + y).max())
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def by_swscale(image: Image, format: str, interpolation: Interpolation) -> Image:
    frame = VideoReformatter().reformat(
        VideoFrame.from_ndarray(image, format="rgb24"),
        format=PYAV_NAMES[format],
        dst_colorspace=Colorspace.ITU601,
        dst_color_range=ColorRange.MPEG,
        interpolation=interpolation,
    )
    return frame.to_ndarray().astype(np.uint8, copy=False)


def by_definition(image: Image) -> NDArray[np.float64]:
    """BT.601 in limited range, chroma of the mean of four pixels, unrounded i420."""
    height, width = image.shape[:2]
    r, g, b = np.moveaxis(image / 255.0, -1, 0)
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    blue, red = (128 + 112 * (c - luma) / (1 - k) for c, k in ((b, 0.114), (r, 0.299)))
    quarters = [c.reshape(height // 2, 2, -1, 2).mean((1, 3)).ravel() for c in (blue, red)]
    return np.concatenate([(16 + 219 * luma).ravel(), *quarters]).reshape(-1, width)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("picture", [noise, ramp])
def test_a_picture_is_what_swscale_makes_of_it(format: str, picture: Callable[[], Image]) -> None:
    image = picture()
    expected = by_swscale(image, format, Interpolation.AREA)
    found = convert(image, format)
    assert found.shape == expected.shape == frame_shape(format, *image.shape[:2])
    exact = format in ("rgb", "bgr", "rgba")
    assert np.abs(found.astype(int) - expected).max() <= (0 if exact else 1)


@pytest.mark.parametrize("format", ["nv12", "i420"])
def test_a_smooth_picture_is_what_swscale_makes_of_it_by_any_filter(format: str) -> None:
    expected = by_swscale(ramp(), format, Interpolation.BICUBIC)
    assert np.abs(convert(ramp(), format).astype(int) - expected).max() <= 2


def test_yuv_is_bt601_in_limited_range_with_chroma_of_four_pixels() -> None:
    difference = np.abs(convert(noise(), "i420") - by_definition(noise()))
    assert difference[:64].max() <= 0.6
    assert difference[64:].max() <= 1.0


@pytest.mark.parametrize(
    ("colour", "yuv"),
    [((0, 0, 0), (16, 128, 128)), ((255, 255, 255), (235, 128, 128)), ((255, 0, 0), (81, 90, 240)),
     ((0, 255, 0), (145, 54, 34)), ((0, 0, 255), (41, 240, 110))],
)  # fmt: skip
def test_flat_colours_have_the_values_of_the_standard(
    colour: tuple[int, int, int], yuv: tuple[int, int, int]
) -> None:
    image = np.full((4, 8, 3), colour, np.uint8)
    i420, nv12 = convert(image, "i420"), convert(image, "nv12")
    planes = [i420[:4], *i420[4:].reshape(2, -1)]
    for plane, value in zip(planes, yuv, strict=True):
        assert np.abs(plane.astype(int) - value).max() <= 1
    assert (nv12[:4] == i420[:4]).all()
    assert (i420[4:].reshape(2, -1) == nv12[4:].reshape(-1, 2).T).all()


@pytest.mark.parametrize("format", FORMATS)
def test_a_buffer_of_the_caller_is_filled_and_given_back(format: str) -> None:
    image = noise()
    image.flags.writeable = False
    before = image.copy()
    out = np.zeros(frame_shape(format, *image.shape[:2]), np.uint8)
    assert convert(image, format, out) is out
    assert (out == convert(image, format)).all()
    assert (image == before).all()


def test_rgb_without_a_buffer_is_the_picture_itself() -> None:
    image = noise()
    assert convert(image, "rgb") is image


@pytest.mark.parametrize("format", FORMATS)
def test_a_buffer_that_does_not_fit_is_refused(format: str) -> None:
    image = noise()
    shape = frame_shape(format, *image.shape[:2])
    read_only = np.zeros(shape, np.uint8)
    read_only.flags.writeable = False
    cases = [
        (np.zeros((2, *shape), np.uint8), r"expected \("),
        (np.zeros(shape, np.float32), "float32"),
        (np.zeros((*shape[:-1], 2 * shape[-1]), np.uint8)[..., ::2], "not contiguous"),
        (read_only, "read-only"),
        (bytearray(image.nbytes), "bytearray"),
    ]
    for out, message in cases:
        with pytest.raises(ConfigError, match=message):
            convert(image, format, out)  # type: ignore[arg-type]


def test_a_buffer_over_the_picture_is_refused() -> None:
    image = noise()
    with pytest.raises(ConfigError, match="overlaps"):
        convert(image, "bgr", image)


@pytest.mark.parametrize("shape", [(63, 96, 3), (64, 95, 3), (0, 2, 3), (64, 96), (64, 96, 4)])
def test_an_image_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        convert(np.zeros(shape, np.uint8), "i420")


def test_an_unknown_format_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'yuy2': expected one of rgb, bgr, rgba, nv12, i420"):
        convert(noise(), "yuy2")
