"""How large a picture is, read off the headers that a browser goes by. Nothing is decoded.

A few bytes can ask for gigabytes: so width, height and frames are known before anything decodes a picture, and a
header that is broken, or says two things, is refused. However a file was made, the work has a limit.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple, Protocol

MOST_PIXELS_A_SIDE = 16_384
MOST_PIXELS = 50_000_000
MOST_FRAMES = 500
_MOST_PARTS = 500_000
"""Chunks, segments or blocks that are looked at in one file; 50 MB of an honest one have 200,000."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""The bits of a sample by the kind of colour."""
_NOT_FRAMES = frozenset({0xC4, 0xC8, 0xCC})
"""JPEG markers among those that begin a frame, which mean something else."""


class Source(Protocol):
    """The bytes of a file, of which a part is given as `bytes`, cut short at its end."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...


class Picture(NamedTuple):
    """Pixels, and how many frames it moves through."""

    width: int
    height: int
    frames: int = 1


class PictureRefused(ValueError):
    """The message is a sentence."""


def measured(source: Source, media_type: str) -> Picture:
    """Raises:
    PictureRefused: it is too large to be shown, or its header is broken.
    """
    try:
        picture = _READERS[media_type](source)
    except (struct.error, IndexError):
        raise _broken() from None
    if not picture.width or not picture.height or not picture.frames:
        raise _broken()
    if max(picture.width, picture.height) > MOST_PIXELS_A_SIDE or picture.width * picture.height > MOST_PIXELS:
        raise PictureRefused(
            f"This picture has {picture.width:,} by {picture.height:,} pixels. At most {MOST_PIXELS_A_SIDE:,} a side "
            f"and {MOST_PIXELS // 1_000_000} million in all are taken. Make it smaller, then attach it again."
        )
    return picture


def _broken() -> PictureRefused:
    return PictureRefused("This picture is broken: its header does not say what a picture is. Nothing was attached.")


def _too_many_frames() -> PictureRefused:
    return PictureRefused(f"This picture has more than {MOST_FRAMES} frames. Attach a shorter one.")


def _unpack(form: str, source: Source, at: int) -> tuple[int, ...]:
    return struct.unpack(form, source[at : at + struct.calcsize(form)])


# PNG


def _png(source: Source) -> Picture:
    chunks = _png_chunks(source)
    at, size, kind = next(chunks, (0, 0, b""))
    header = source[at : at + 17]
    if kind != b"IHDR" or size != 13 or struct.pack(">I", zlib.crc32(header)) != source[at + 17 : at + 21]:
        raise _broken()
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", header[4:])
    if depth not in _PNG_DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise _broken()
    told, counted, has_data = 1, 0, False
    for at, _, kind in chunks:
        if kind == b"IHDR":
            raise _broken()
        has_data = has_data or kind == b"IDAT"
        if kind == b"acTL":
            told = _unpack(">I", source, at + 4)[0]
        counted += kind == b"fcTL"
        if max(told, counted) > MOST_FRAMES:
            raise _too_many_frames()
    if not has_data:
        raise _broken()
    return Picture(width, height, max(told, counted))


def _png_chunks(source: Source) -> Iterator[tuple[int, int, bytes]]:
    """Where each chunk's name stands, the size of what follows that, and the name."""
    at = len(_PNG)
    for _ in range(_MOST_PARTS):
        if at + 12 > len(source):
            return
        (size,) = _unpack(">I", source, at)
        kind = source[at + 4 : at + 8]
        yield at + 4, size, kind
        if kind == b"IEND":
            return
        at += 12 + size
    raise _broken()


# GIF


def _gif(source: Source) -> Picture:
    width, height, packed = _unpack("<HHB", source, 6)
    at, frames, parts = 13 + _palette(packed), 0, 0
    while at < len(source) and (kind := source[at : at + 1]) != b"\x3b":
        if kind == b"\x2c":
            left, top, wide, high, packed = _unpack("<HHHHB", source, at + 1)
            # Some programs make room for a frame that is larger than what the header says.
            width, height = max(width, left + wide), max(height, top + high)
            frames += 1
            at += 11 + _palette(packed)
        elif kind == b"\x21":
            at += 2
        else:
            raise _broken()
        if frames > MOST_FRAMES:
            raise _too_many_frames()
        while size := int.from_bytes(source[at : at + 1]):
            at, parts = at + 1 + size, parts + 1
            if parts > _MOST_PARTS:
                raise _broken()
        at += 1
    return Picture(width, height, frames)


def _palette(packed: int) -> int:
    return 3 << (packed & 7) + 1 if packed & 0x80 else 0


# JPEG


def _jpeg(source: Source) -> Picture:
    at = 2
    for _ in range(_MOST_PARTS):
        lead, marker = _unpack("BB", source, at)
        if lead != 0xFF:
            raise _broken()
        if marker == 0xFF:  # fills up
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            size, _, height, width = _unpack(">HBHH", source, at + 2)
            if size < 11:
                raise _broken()
            return Picture(width, height)
        if marker < 0xC0 or 0xD0 <= marker <= 0xDA:  # it begins anew, ends, or shows something of unknown size
            raise _broken()
        at += 2 + max(2, _unpack(">H", source, at + 2)[0])
    raise _broken()


# WebP


def _webp(source: Source) -> Picture:
    (size,) = _unpack("<I", source, 4)
    if size + 8 > len(source):
        raise _broken()
    chunks = _riff(source, 12, size + 8)
    kind, at, size = next(chunks, (b"", 0, 0))
    if kind != b"VP8X":
        return _still(source, kind, at)
    canvas = _triple(source, at + 4), _triple(source, at + 7)
    frames = 0
    for kind, at, size in chunks:
        if kind == b"ANMF":
            frames += 1
            left, top = (2 * (_triple(source, at + place) - 1) for place in (0, 3))
            shown = _triple(source, at + 6), _triple(source, at + 9)
            inner = _riff(source, at + 16, at + size)
            if left + shown[0] > canvas[0] or top + shown[1] > canvas[1] or _first_still(source, inner) != shown:
                raise _broken()
        elif kind in (b"VP8 ", b"VP8L"):
            frames += 1
            if _still(source, kind, at)[:2] != canvas:
                raise _broken()
        if frames > MOST_FRAMES:
            raise _too_many_frames()
    return Picture(*canvas, frames)


def _riff(source: Source, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The name of each chunk, where what it holds stands, and the size of that."""
    for _ in range(_MOST_PARTS):
        if at + 8 > end:
            return
        kind = source[at : at + 4]
        (size,) = _unpack("<I", source, at + 4)
        if at + 8 + size > end:
            raise _broken()
        yield kind, at + 8, size
        at += 8 + size + size % 2
    raise _broken()


def _first_still(source: Source, chunks: Iterator[tuple[bytes, int, int]]) -> tuple[int, int] | None:
    """The size of the picture in a frame, beside which there may be its transparency."""
    for kind, at, _ in chunks:
        if kind in (b"VP8 ", b"VP8L"):
            return _still(source, kind, at)[:2]
        if kind != b"ALPH":
            return None
    return None


def _still(source: Source, kind: bytes, at: int) -> Picture:
    if kind == b"VP8 ":
        begins = source[at + 3 : at + 6]
        width, height = _unpack("<HH", source, at + 6)
        if begins != b"\x9d\x01\x2a":
            raise _broken()
        return Picture(width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L":
        signature, bits = _unpack("<BI", source, at)
        if signature != 0x2F:
            raise _broken()
        return Picture((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    raise _broken()


def _triple(source: Source, at: int) -> int:
    """A number of three bytes, stored as one less than it is."""
    low, high = _unpack("<HB", source, at)
    return (high << 16 | low) + 1


_READERS = {"image/png": _png, "image/gif": _gif, "image/jpeg": _jpeg, "image/webp": _webp}
