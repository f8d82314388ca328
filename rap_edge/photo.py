"""Read a photo of any usual kind into (H, W, 3) uint8 RGB, upright and of a sensible size."""

from __future__ import annotations

import io
import warnings
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from rap_edge.errors import PortraitError

PhotoSource: TypeAlias = "str | PathLike[str] | Image.Image | NDArray[np.uint8]"

SMALLEST_SIDE = 64
LARGEST_SIDE = 4096
PIXEL_LIMIT = 100_000_000
BACKGROUND = (128, 128, 128)
MODES_WITH_ALPHA = ("RGBA", "RGBa", "LA", "La", "PA")


def read_photo(source: PhotoSource) -> NDArray[np.uint8]:
    """Read a photo: path, PIL image or (H, W, 3) uint8 RGB array -> (H, W, 3) uint8 RGB.

    Turned upright as its EXIF says, transparency on a neutral grey, first picture of an animation,
    colours brought to sRGB, the longer side at most 4096 px. Raises PortraitError for a file that
    is missing or no picture, for another type, and for pictures under 64 px or over 100 megapixels.
    """
    if isinstance(source, np.ndarray):
        return _checked_array(source)
    if not isinstance(source, (str, PathLike, Image.Image)):
        raise PortraitError(_wrong_type(source))
    name = "the picture" if isinstance(source, Image.Image) else str(source)
    try:
        if isinstance(source, Image.Image):
            return _rgb_array(source, name)
        return _read_file(Path(source), name)
    except PortraitError:
        raise
    except Image.DecompressionBombError as error:
        raise PortraitError(_too_many_pixels(name)) from error
    except Exception as error:  # Pillow's readers raise whatever a damaged file makes them meet
        raise PortraitError(_unreadable(name, error)) from error


def _read_file(path: Path, name: str) -> NDArray[np.uint8]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path) as image:
            _check_sides(image.width, image.height, name)
            image.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
            return _rgb_array(image, name)


def _rgb_array(image: Image.Image, name: str) -> NDArray[np.uint8]:
    _check_sides(image.width, image.height, name)
    if image.width * image.height > PIXEL_LIMIT:
        raise PortraitError(_too_many_pixels(name, f"{image.width}x{image.height} px"))
    small = _downscaled(_srgb(_eight_bit(ImageOps.exif_transpose(image))))
    _check_sides(small.width, small.height, name)
    return np.array(small, dtype=np.uint8)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Bring deep grey modes (16-bit, 32-bit, floats in 0..1) to "L"; leave the others."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image, dtype=np.float64)
    brightest = float(np.nanmax(values))
    if image.mode == "F":
        white = 1.0 if brightest <= 1.0 else 255.0
    else:
        white = 255.0 if image.mode == "I" and brightest <= 255.0 else 65535.0
    levels = np.clip(np.nan_to_num(values) * (255.0 / white), 0.0, 255.0)
    return Image.fromarray(np.rint(levels).astype(np.uint8))


def _srgb(image: Image.Image) -> Image.Image:
    """Convert to "RGB" in sRGB by the picture's own colour profile; put alpha on the background."""
    profile = image.info.get("icc_profile")
    if image.mode in MODES_WITH_ALPHA or "transparency" in image.info:
        layer = image.convert("RGBA")
        flat = Image.new("RGB", image.size, BACKGROUND)
        flat.paste(layer, mask=layer.getchannel("A"))
        image = flat
    if profile and image.mode in ("RGB", "CMYK"):
        return _by_profile(image, profile)
    return image.convert("RGB")


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = None
    return image.convert("RGB") if converted is None else converted


def _downscaled(image: Image.Image) -> Image.Image:
    if max(image.size) <= LARGEST_SIDE:
        return image
    scale = LARGEST_SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _checked_array(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise PortraitError(
            f"the picture is an array of shape {image.shape} and type {image.dtype} - expected "
            "(H, W, 3) uint8 RGB - convert it, or pass a path or a PIL image"
        )
    _check_sides(image.shape[1], image.shape[0], "the picture")
    if max(image.shape[:2]) <= LARGEST_SIDE:
        return np.array(image, order="C")
    return _rgb_array(Image.fromarray(image), "the picture")


def _check_sides(width: int, height: int, name: str) -> None:
    if min(width, height) < SMALLEST_SIDE:
        raise PortraitError(
            f"{name} is {width}x{height} px - expected at least {SMALLEST_SIDE} px on the shorter "
            f"side after scaling to fit {LARGEST_SIDE} px - use a larger or less elongated picture"
        )


def _wrong_type(source: object) -> str:
    is_file = isinstance(source, (bytes, bytearray, memoryview))
    remedy = "use PIL.Image.open(io.BytesIO(data))" if is_file else "pass one of these"
    kind = type(source).__name__
    return f"the picture is {kind} - expected a path, a PIL image or an array - {remedy}"


def _too_many_pixels(name: str, size: str = "too large") -> str:
    return (
        f"{name} is {size} - expected at most {PIXEL_LIMIT // 1_000_000} megapixels - scale it "
        "down first"
    )


def _unreadable(name: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{name} does not exist - expected a picture file - check the path"
    if isinstance(error, IsADirectoryError):
        return f"{name} is a folder - expected a picture file - name a file in it"
    if isinstance(error, UnidentifiedImageError):
        return (
            f"{name} is not a picture that can be read - expected JPEG, PNG, WebP, TIFF, BMP or "
            "GIF - convert it to JPEG or PNG"
        )
    if isinstance(error, OSError) and error.errno is not None:
        return f"{name} cannot be read ({error.strerror}) - expected a readable file - check it"
    return f"{name} is a damaged picture ({error}) - expected a whole file - save it again"
