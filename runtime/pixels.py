"""Pictures in the layouts that screens and encoders take.

YUV is BT.601 in limited range (luma 16-235, chroma 16-240), what WebRTC takes 8-bit video for if
nothing else is said. A chroma sample is the mean of its 2 x 2 pixels, as in libyuv and unlike in
OpenCV's own conversion, which takes one pixel of the four.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rap_edge.errors import ConfigError

FORMATS = ("rgb", "bgr", "rgba", "nv12", "i420")

# U and V of an RGB pixel in 0..255, and a row that nobody reads: three rows are vectorised, two
# are not (ITU-R BT.601, limited range)
_CHROMA = np.array(
    [
        [-37.797 / 255, -74.203 / 255, 112.0 / 255, 128.0],
        [112.0 / 255, -93.786 / 255, -18.214 / 255, 128.0],
        [0.0, 0.0, 0.0, 0.0],
    ],
    np.float32,
)


def frame_shape(format: str, height: int, width: int) -> tuple[int, ...]:
    """Return the shape of a uint8 array that holds a picture of even `height` and `width`.

    rgb and bgr (H, W, 3); rgba (H, W, 4), alpha 255; nv12 and i420 (H * 3 / 2, W): the luma rows,
    then U and V by turns (nv12) or all of U and all of V (i420), each (H / 2, W / 2).
    Raises ConfigError for another format, or for sides that are not even and positive.
    """
    if format not in FORMATS:
        expected = ", ".join(FORMATS)
        raise ConfigError(f"format is {format!r}: expected one of {expected}; choose one of them")
    if height < 2 or width < 2 or height % 2 or width % 2:
        raise ConfigError(
            f"the picture is {width}x{height} px: expected even sides of 2 or more; crop a line"
        )
    if format in ("nv12", "i420"):
        return height * 3 // 2, width
    return height, width, 4 if format == "rgba" else 3


def convert(
    image: NDArray[np.uint8], format: str, out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Return an RGB image (H, W, 3) uint8 as `format`, in `out` if there is one.

    `out` is a writable contiguous uint8 array of `frame_shape(format, H, W)` apart from `image`.
    Without one, rgb is `image` itself and anything else a new array. Raises ConfigError for an
    image or a buffer that does not fit, before anything is written.
    """
    _check_array(image, "image")
    if image.ndim != 3 or image.shape[2] != 3:
        raise ConfigError(f"image is {image.shape}: expected (H, W, 3); give one RGB picture")
    shape = frame_shape(format, *image.shape[:2])
    if out is None:
        if format == "rgb":
            return image
        out = np.empty(shape, np.uint8)
    else:
        check_buffer(out, image, format)
    if format == "rgb":
        np.copyto(out, image)
    elif format in ("bgr", "rgba"):
        _reorder(image, format, out)
    else:
        _subsample(image, format, out)
    return out


def check_buffer(out: NDArray[np.uint8], image: NDArray[np.uint8], format: str) -> None:
    """Raise ConfigError unless `convert` can write an image (H, W, 3) to a buffer."""
    shape = frame_shape(format, *image.shape[:2])
    _check_array(out, "out")
    if out.shape != shape:
        raise ConfigError(f"out is {out.shape}: expected {shape} for {format}; see frame_shape")
    if not out.flags.writeable:
        raise ConfigError("out is read-only: expected a writable buffer; give another")
    if np.may_share_memory(out, image):
        raise ConfigError("out overlaps image: expected memory of its own; give another buffer")


def _check_array(array: object, name: str) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise ConfigError(f"{name} is {kind}: expected a uint8 array; convert it")
    if not array.flags.c_contiguous:
        raise ConfigError(f"{name} is not contiguous: expected rows without gaps; copy it")


def _reorder(image: NDArray[np.uint8], format: str, out: NDArray[np.uint8]) -> None:
    import cv2

    cv2.cvtColor(image, cv2.COLOR_RGB2BGR if format == "bgr" else cv2.COLOR_RGB2RGBA, dst=out)


def _subsample(image: NDArray[np.uint8], format: str, out: NDArray[np.uint8]) -> None:
    """Let OpenCV write luma (and its own chroma), then write better chroma.

    The one allocation is the picture at half size, on which chroma is computed in place.
    """
    import cv2

    height, width = image.shape[0] // 2, image.shape[1] // 2
    cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420, dst=out)
    half = np.empty((height, width, 3), np.uint8)
    cv2.resize(image, (width, height), dst=half, interpolation=cv2.INTER_AREA)
    cv2.transform(half, _CHROMA, dst=half)
    if format == "nv12":
        planes = [out[2 * height :].reshape(height, width, 2)]
    else:
        planes = list(out[2 * height :].reshape(2, height, width))
    cv2.mixChannels([half], planes, [0, 0, 1, 1])
