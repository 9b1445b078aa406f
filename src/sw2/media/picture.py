"""Decodes pictures that people have into arrays that a program reads.

The rules, the same for training, running and looking:
orientation from EXIF is applied; transparent parts lie on white; 16-bit values keep their upper
byte; CMYK, palette and the rest become RGB; only the first frame of an animation counts.
A picture of another shape than wanted is never stretched: it is scaled until it fits, centred,
and its edge pixels are repeated outwards, which continues a plain background of any colour."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sw2.errors import InvalidInput

if TYPE_CHECKING:
    from PIL.Image import Image

# Only formats that Pillow decodes itself: its EPS reader, for one, would start Ghostscript.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
MAX_PIXELS = 64_000_000  # 192 MB as RGB; a 45-megapixel camera fits, a decompression bomb does not
# What Pillow's readers raise on hostile bytes, found by the fuzz test.
UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError, TypeError, AttributeError),
    *(IndexError, KeyError, OverflowError, struct.error, zlib.error),
)


@dataclass(frozen=True, slots=True)
class Probe:
    """width, height: pixels after EXIF orientation.  mode: Pillow's (L, RGB)  mime: image/png."""

    width: int
    height: int
    mode: str
    mime: str


def probe(raw: bytes) -> Probe:
    """Reads the header only.

    Raises InvalidInput when `raw` is no picture or declares more than MAX_PIXELS."""
    from PIL import Image

    with opened(raw) as image:
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        width, height = reversed(image.size) if turned else image.size
        mime = Image.MIME[str(image.format)]
        return Probe(width, height, image.mode, mime)


def thumbnail(raw: bytes, side: int) -> bytes:
    """An encoded picture of at most `side` x `side` pixels, same aspect, never enlarged.

    PNG where nothing was scaled, so that small pictures stay exact; else JPEG.
    Raises InvalidInput as `pixels` does."""
    from PIL import Image

    with opened(raw) as image:
        image.draft(None, (2 * side, 2 * side))  # JPEG only: decodes at 1/2, 1/4, 1/8
        upright = normalised(image)
        scaled = max(image.size) > side
        upright.thumbnail((side, side), Image.Resampling.BICUBIC)
        out = io.BytesIO()
        upright.save(out, "JPEG" if scaled else "PNG", quality=85)
        return out.getvalue()


def pixels(raw: bytes, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Decodes to (height, width, channels) uint8; channels 1 (grey) or 3 (RGB).

    A picture that already has the size is not resampled. Raises InvalidInput when the bytes are
    no picture, are cut short, or hold values without an agreed range (floats)."""
    with opened(raw) as image:
        return fitted(normalised(image), height, width, channels)


def from_array(array: NDArray[Any], height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """The same fitting for an array: (H, W), (H, W, 1) or (H, W, 3) uint8; else InvalidInput."""
    from PIL import Image

    if array.dtype != np.uint8:
        raise InvalidInput(
            f"the picture is an array of {array.dtype}",
            hint="Give uint8 values from 0 to 255",
        )
    flat = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if flat.ndim not in (2, 3) or (flat.ndim == 3 and flat.shape[2] != 3) or 0 in flat.shape:
        raise InvalidInput(
            f"the picture is an array of shape {array.shape}",
            hint="Give (height, width), (height, width, 1) or (height, width, 3)",
        )
    return fitted(Image.fromarray(np.ascontiguousarray(flat)), height, width, channels)


@contextmanager
def opened(raw: bytes) -> "Iterator[Image]":
    """Opens checked bytes; whatever goes wrong inside the block becomes InvalidInput."""
    from PIL import Image, UnidentifiedImageError

    if not raw:
        raise InvalidInput("the picture is empty (0 bytes)")
    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            if image.size[0] * image.size[1] > MAX_PIXELS:
                raise too_large(f"{image.size[0]} x {image.size[1]} pixels")
            yield image
    except InvalidInput:
        raise
    except UnidentifiedImageError:
        raise InvalidInput(
            f"not a picture: {len(raw)} bytes that start with {raw[:8]!r}",
            hint=f"Readable formats: {', '.join(FORMATS)}",
        ) from None
    except Image.DecompressionBombError as error:
        raise too_large(str(error)) from None
    except UNREADABLE as error:
        raise InvalidInput(f"broken picture ({len(raw)} bytes): {error}") from error


def too_large(what: str) -> InvalidInput:
    return InvalidInput(
        f"the picture is too large: {what}", hint=f"At most {MAX_PIXELS:,} pixels; scale it down"
    )


def normalised(image: "Image") -> "Image":
    """Upright, opaque, 8 bits, mode L or RGB."""
    from PIL import Image, ImageOps

    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode == "F":
        raise InvalidInput(
            "the picture holds floats, which have no agreed range", hint="Save it with 8 or 16 bits"
        )
    if upright.mode.startswith("I"):
        return upper_byte(upright)
    if upright.has_transparency_data:
        clear = upright.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        opaque = Image.alpha_composite(white, clear)
        grey = upright.mode in ("1", "L", "LA", "La")
        return opaque.convert("L" if grey else "RGB")
    return upright.convert("L" if upright.mode in ("1", "L") else "RGB")


def upper_byte(image: "Image") -> "Image":
    from PIL import Image

    values = np.asarray(image)
    if values.size and (values.min() < 0 or values.max() > 65535):
        raise InvalidInput(
            f"the picture holds values from {values.min()} to {values.max()}",
            hint="Save it with 8 or 16 bits",
        )
    return Image.fromarray((values.astype(np.uint16) >> 8).astype(np.uint8))


def fitted(image: "Image", height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Scales to fit inside (height, width), centres, repeats the edge. Returns (H, W, C) uint8."""
    from PIL import Image

    if channels not in (1, 3):
        raise InvalidInput(f"{channels} channels", hint="Use 1 (grey) or 3 (RGB)")
    coloured = image.convert("L" if channels == 1 else "RGB")
    scale = min(height / image.height, width / image.width)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if inner != coloured.size:
        coloured = coloured.resize(inner, Image.Resampling.BILINEAR)
    array = np.asarray(coloured, dtype=np.uint8).reshape(inner[1], inner[0], channels)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    margins = ((top, height - inner[1] - top), (left, width - inner[0] - left), (0, 0))
    return np.ascontiguousarray(np.pad(array, margins, mode="edge"))
