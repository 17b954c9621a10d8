"""Small pictures, made here, and headers of ones that nobody could decode."""

import struct
import zlib


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, told: tuple[int, int] | None = None, before: bytes = b"") -> bytes:
    """A PNG, which may say that it has another size than it has. `before`: chunks before the picture itself."""
    rows = zlib.compress(b"".join(b"\0" + b"\xc8\x50\x20" * width for _ in range(height)))
    header = struct.pack(">IIBBBBB", *(told or (width, height)), 8, 2, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before
    return head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def animated_png(frames: int) -> bytes:
    return png(2, 2, before=chunk(b"acTL", struct.pack(">II", frames, 0)))


def gif(width: int, height: int, *, frames: int = 1, blocks: bytes = b"\x02\x4c\x01") -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02" + blocks + b"\0"
    return head + b"\x21\xf9\x04\0\0\0\0\0" + frame * frames + b"\x3b"


def jpeg(width: int, height: int, *, before: bytes = b"") -> bytes:
    """The head of a JPEG as cameras write it: a note with a thumbnail, tables, then the size."""
    note = b"Exif\0\0" + b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00\xff\xd9"
    size = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    start = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(note) + 2) + note
    return start + before + b"\xff\xdb\x00\x04\x00\x00" + size + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x00\xff\xd9"


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def part(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def lossy(width: int, height: int) -> bytes:
    return part(b"VP8 ", b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0\0")


def lossless(width: int, height: int) -> bytes:
    return part(b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14) + b"\0")


def canvas(width: int, height: int) -> bytes:
    return part(b"VP8X", b"\x02\0\0\0" + _triple(width - 1) + _triple(height - 1))


def frame(width: int, height: int, inner: bytes) -> bytes:
    return part(b"ANMF", _triple(0) * 2 + _triple(width - 1) + _triple(height - 1) + _triple(40) + b"\0" + inner)


def _triple(number: int) -> bytes:
    return struct.pack("<I", number)[:3]
