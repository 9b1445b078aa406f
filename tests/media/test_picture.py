"""Pictures become arrays by rules that hold everywhere."""

import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sw2.errors import InvalidInput, Sw2Error
from sw2.media import from_array, pixels, probe, thumbnail


def encoded(image, format="PNG", **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def a_ramp(height=20, width=30):
    return np.arange(height * width, dtype=np.uint32).reshape(height, width).astype(np.uint8)


def test_a_probe_tells_size_mode_and_type():
    found = probe(encoded(Image.fromarray(a_ramp())))
    assert (found.width, found.height, found.mode, found.mime) == (30, 20, "L", "image/png")


def test_pixels_of_a_picture_that_has_the_size_are_exact():
    ramp = a_ramp()
    assert (pixels(encoded(Image.fromarray(ramp)), 20, 30, 1)[..., 0] == ramp).all()


def test_a_picture_is_fitted_and_padded_with_its_edge_never_stretched():
    wide = Image.new("RGB", (40, 10), "red")
    wide.paste("blue", (0, 5, 40, 10))
    out = pixels(encoded(wide), 20, 20, 3)
    assert out.shape == (20, 20, 3)
    assert (out[:8] == [255, 0, 0]).all()  # 5 rows of picture, the rest is its upper edge
    assert (out[12:] == [0, 0, 255]).all()


def test_orientation_from_exif_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees
    raw = encoded(Image.fromarray(a_ramp(8, 16)), "PNG", exif=exif)
    assert (probe(raw).width, probe(raw).height) == (8, 16)
    assert (pixels(raw, 16, 8, 1)[..., 0] == np.rot90(a_ramp(8, 16), -1)).all()


def test_transparent_parts_lie_on_white():
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert (pixels(encoded(clear), 4, 4, 3) == 255).all()
    half = Image.new("LA", (4, 4), (0, 128))
    assert pixels(encoded(half), 4, 4, 1)[0, 0, 0] == 127


def test_palette_pictures_show_their_colours_and_their_transparency():
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert pixels(encoded(palette), 4, 4, 3)[0, 0].tolist() == [10, 20, 30]
    assert (pixels(encoded(palette, transparency=1), 4, 4, 3) == 255).all()


def test_sixteen_bits_keep_the_upper_byte():
    deep = Image.fromarray(np.full((4, 4), 0xAB12, np.uint16))
    assert (pixels(encoded(deep), 4, 4, 1) == 0xAB).all()


def test_cmyk_becomes_rgb():
    raw = encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100)
    red, green, blue = pixels(raw, 8, 8, 3)[4, 4].tolist()
    assert red > 240
    assert green < 15
    assert blue < 15


def test_floats_are_refused_for_they_have_no_agreed_range():
    with pytest.raises(InvalidInput, match="floats"):
        pixels(encoded(Image.new("F", (4, 4)), "TIFF"), 4, 4, 1)


def test_a_thumbnail_keeps_the_aspect_and_never_enlarges():
    large = probe(thumbnail(encoded(Image.new("RGB", (400, 100), "red")), 64))
    assert (large.width, large.height, large.mime) == (64, 16, "image/jpeg")
    small = thumbnail(encoded(Image.fromarray(a_ramp(28, 28))), 64)
    assert (pixels(small, 28, 28, 1)[..., 0] == a_ramp(28, 28)).all()


def test_a_large_jpeg_thumbnail_is_exact_in_size():
    raw = encoded(Image.new("RGB", (1600, 1200), "green"), "JPEG")
    found = probe(thumbnail(raw, 100))
    assert (found.width, found.height) == (100, 75)


@pytest.mark.parametrize(
    ("raw", "says"),
    [(b"", "empty"), (b"hello world", "not a picture.*hello"), (b"%!PS-Adobe", "not a picture")],
)
def test_bytes_that_are_no_picture_are_refused_and_named(raw, says):
    with pytest.raises(InvalidInput, match=says):
        pixels(raw, 4, 4, 1)


def test_a_picture_cut_short_says_so():
    raw = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 50), np.uint8)))
    with pytest.raises(InvalidInput, match=r"broken picture.*truncated"):
        pixels(raw[: len(raw) // 2], 50, 50, 1)


def test_a_decompression_bomb_is_refused_by_its_header():
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(InvalidInput, match="too large"):
        probe(bomb)
    ten = bomb.replace(header, struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0))
    with pytest.raises(InvalidInput):
        probe(ten)


def test_arrays_are_fitted_like_pictures_and_checked():
    assert from_array(a_ramp(10, 10), 20, 20, 3).shape == (20, 20, 3)
    with pytest.raises(InvalidInput, match="float64"):
        from_array(np.zeros((4, 4)), 4, 4, 1)
    with pytest.raises(InvalidInput, match=r"\(4, 4, 7\)"):
        from_array(np.zeros((4, 4, 7), np.uint8), 4, 4, 1)


SAMPLES = [
    encoded(Image.fromarray(a_ramp()), format)
    for format in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM")
]


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's TIFF reader talks about what it skips
@settings(deadline=None)
@given(st.sampled_from(SAMPLES), st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_damaged_pictures_never_crash_the_reader(raw, at, junk):
    at %= len(raw)
    for damaged in (raw[:at], raw[:at] + junk + raw[at + len(junk) :]):
        with suppress(Sw2Error):
            pixels(damaged, 8, 8, 3)
            thumbnail(damaged, 8)
