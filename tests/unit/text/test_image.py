from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from renderkiln.media.errors import Unreadable, Unsuitable
from renderkiln.media.frames.image import cover_square, decode_image, fit_within, read_image, write_image

CORNERS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "black": (0, 0, 0)}


@pytest.fixture
def picture() -> np.ndarray:
    """Red, green over blue, black: 48 × 32."""
    rgb = np.zeros((32, 48, 3), np.uint8)
    rgb[:16, :24], rgb[:16, 24:], rgb[16:, :24] = CORNERS["red"], CORNERS["green"], CORNERS["blue"]
    return rgb


def encoded(picture: np.ndarray, folder: Path, ending: str) -> bytes:
    path = folder / f"picture.{ending}"
    write_image(path, picture, quality=95)
    return path.read_bytes()


def corners(image: np.ndarray) -> list[str]:
    def nearest(y: int, x: int) -> str:
        return min(CORNERS, key=lambda name: int(np.abs(image[y, x, :3].astype(int) - CORNERS[name]).sum()))

    return [nearest(4, 4), nearest(4, -4), nearest(-4, 4), nearest(-4, -4)]


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_formats_are_told_by_content(picture: np.ndarray, tmp_path: Path, ending: str) -> None:
    disguised = tmp_path / "cover.txt"
    disguised.write_bytes(encoded(picture, tmp_path, ending))
    image = read_image(disguised)
    assert image.shape == (32, 48, 4)
    assert corners(image) == ["red", "green", "blue", "black"]
    assert (image[..., 3] == 255).all()


def test_png_comes_back_exactly_and_nothing_else_is_left(picture: np.ndarray, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", picture)
    assert np.array_equal(read_image(tmp_path / "a.png")[..., :3], picture)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


# What the corners of an upright picture are when it was stored turned (TIFF 6.0, tag 274).
ORIENTATIONS = {
    1: ["red", "green", "blue", "black"],
    2: ["green", "red", "black", "blue"],
    3: ["black", "blue", "green", "red"],
    4: ["blue", "black", "red", "green"],
    5: ["red", "blue", "green", "black"],
    6: ["blue", "red", "black", "green"],
    7: ["black", "green", "blue", "red"],
    8: ["green", "black", "red", "blue"],
}


@pytest.mark.parametrize(("orientation", "expected"), ORIENTATIONS.items())
def test_exif_orientation_is_honoured(
    picture: np.ndarray, tmp_path: Path, orientation: int, expected: list[str]
) -> None:
    jpeg = encoded(picture, tmp_path, "jpg")
    entry = struct.pack("<HHIHH", 274, 3, 1, orientation, 0)
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + b"\0\0\0\0"
    image = decode_image(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    assert corners(image) == expected
    assert image.shape[:2] == ((32, 48) if orientation < 5 else (48, 32))


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
def test_a_truncated_image_is_refused(picture: np.ndarray, tmp_path: Path, ending: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(noise, tmp_path, ending)
    with pytest.raises(Unreadable, match="my cover"):
        decode_image(data[: int(len(data) * share)], "my cover")


NOT_IMAGES = [b"", b"hello", b"GIF89a" + bytes(64), b"\x89PNG\r\n\x1a\n" + bytes(64), b"BM" + bytes(64)]


@pytest.mark.parametrize("data", NOT_IMAGES)
def test_what_is_not_an_image_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_image(data)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(10_000))
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    with pytest.raises(Unsuitable, match="60000x60000"):
        decode_image(bomb)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="No such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(Unreadable, match="not a file"):
        read_image(tmp_path)


def test_squares_and_fits_keep_proportions(picture: np.ndarray, tmp_path: Path) -> None:
    image = decode_image(encoded(picture, tmp_path, "png"))
    square = cover_square(image, 20)
    assert square.shape == (20, 20, 4)
    assert corners(square) == ["red", "green", "blue", "black"]
    assert fit_within(image, 96, 96).shape == (64, 96, 4)


def test_shrinking_averages() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (1024, 1024, 4), np.uint8)
    noise[..., 3] = 255
    small = cover_square(noise, 32)
    assert small[..., :3].std() < 12
    assert abs(small[..., :3].mean() - 127.5) < 2


def test_other_endings_are_refused(picture: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="written as"):
        write_image(tmp_path / "a.bmp", picture)
