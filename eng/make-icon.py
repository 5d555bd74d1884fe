#!/usr/bin/env python3
"""Draws the icon of the packages: courses of cut stone, each joint above the middle of a block. Writes eng/icon.png."""
import os
import struct
import zlib

SIZE, MARGIN, JOINT, COURSES = 128, 12, 4, 4
PAPER, LIGHT, STONE, SHADE = (0, 0, 0, 0), (160, 176, 192, 255), (92, 112, 134, 255), (58, 74, 94, 255)


def color(x, y):
    inner = SIZE - 2 * MARGIN
    x, y = x - MARGIN, y - MARGIN
    if not (0 <= x < inner and 0 <= y < inner):
        return PAPER
    height = (inner + JOINT) / COURSES
    course, down = divmod(y, height)
    width = (inner + JOINT) / 2
    across = (x + (width / 2 if course % 2 else 0)) % width
    if down >= height - JOINT or across >= width - JOINT:
        return PAPER
    if down < 3 or across < 3:
        return LIGHT
    return SHADE if down >= height - JOINT - 3 or across >= width - JOINT - 3 else STONE


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


rows = b"".join(b"\0" + b"".join(bytes(color(x, y)) for x in range(SIZE)) for y in range(SIZE))
png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0))
png += chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "icon.png"), "wb") as file:
    file.write(png)
