"""Writes a pack and its index in which one entry lies, and prints the id of that entry: packs.py LIE DIRECTORY."""

import hashlib
import pathlib
import struct
import sys
import zlib

BLOB, OFFSET_DELTA, REFERENCE_DELTA = 3, 6, 7
BASE = b"a base of many bytes\n" * 20


def header(kind, size):
    byte, size = kind << 4 | size & 15, size >> 4
    out = bytearray()
    while size:
        out.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    out.append(byte)
    return bytes(out)


def size_in_delta(size):
    out = bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)


def distance(back):
    out = [back & 0x7F]
    back >>= 7
    while back:
        back -= 1
        out.append(0x80 | back & 0x7F)
        back >>= 7
    return bytes(reversed(out))


def delta(base, result, *instructions):
    return size_in_delta(base) + size_in_delta(result) + b"".join(instructions)


def blob_id(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).digest()


def name(text):
    return hashlib.sha1(text.encode()).digest()


INSERT = b"\x05hello"
BASE_AT, LIAR = 12, name("the liar")


def offset_delta(back, content, size=None):
    return header(OFFSET_DELTA, len(content) if size is None else size) + distance(back) + zlib.compress(content)


def reference_delta(base, content):
    return header(REFERENCE_DELTA, len(content)) + base + zlib.compress(content)


def ten_gigabytes():
    megabyte = 1 << 20
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = compressor.compress(bytes(megabyte)) + compressor.flush(zlib.Z_FULL_FLUSH)
    length = 10 * 1024 * megabyte
    # Adler-32 of zeros: the first half stays 1, the second counts them.
    checksum = (length % 65521) << 16 | 1
    return header(BLOB, length) + b"\x78\x9c" + block * (length // megabyte) + b"\x03\x00" + struct.pack(">I", checksum)


def lie_about(what, at):
    """The bytes of the lying entry, which begins at `at`."""
    plain = delta(len(BASE), 5, INSERT)
    back = at - BASE_AT
    missing = name("nobody has this")
    entries = {
        "a base before the pack": lambda: offset_delta(at + 1000, plain),
        "its own base": lambda: reference_delta(LIAR, plain),
        "a base in the middle of an entry": lambda: offset_delta(back - 3, plain),
        "two that need each other": lambda: reference_delta(name("the other"), plain),
        "a base that is missing": lambda: reference_delta(missing, plain),
        "a size that is too small": lambda: header(BLOB, 3) + zlib.compress(BASE),
        "a size that is too large": lambda: header(BLOB, 4000) + zlib.compress(BASE),
        "a size beyond memory": lambda: header(BLOB, 1 << 60) + zlib.compress(BASE),
        "a stream that ends early": lambda: header(BLOB, len(BASE)) + zlib.compress(BASE)[:12],
        "a stream that is none": lambda: header(BLOB, len(BASE)) + b"no stream at all, only text",
        "a copy beyond its base": lambda: offset_delta(back, delta(len(BASE), 65535, b"\xb1\x00\xff\xff")),
        "a result beyond memory": lambda: offset_delta(back, delta(len(BASE), 1 << 60, INSERT)),
        "an instruction that is reserved": lambda: offset_delta(back, delta(len(BASE), 5, b"\x00" + INSERT)),
        "an instruction that ends early": lambda: offset_delta(back, delta(len(BASE), 50, b"\x32hello")),
        "a delta for another base": lambda: offset_delta(back, delta(7, 5, INSERT)),
        "an empty delta": lambda: offset_delta(back, b""),
        "a kind that does not exist": lambda: header(5, len(BASE)) + zlib.compress(BASE),
        "an offset beyond the pack": lambda: b"",
        "an offset into the header": lambda: b"",
        "a pack that is cut": lambda: header(BLOB, 90_000) + zlib.compress(bytes(90_000)),
        "ten gigabytes": ten_gigabytes,
    }
    return entries[what]()


def index(objects, checksum):
    objects = sorted(objects)
    ids = [id for id, _, _ in objects]
    fanout = b"".join(struct.pack(">I", sum(id[0] <= first for id in ids)) for first in range(256))
    table = b"\xfftOc" + struct.pack(">I", 2) + fanout + b"".join(ids)
    table += b"".join(struct.pack(">I", crc) for _, crc, _ in objects)
    table += b"".join(struct.pack(">I", at) for _, _, at in objects) + checksum
    return table + hashlib.sha1(table).digest()


def main():
    what, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    body, objects = bytearray(), []

    def add(id, entry, at=None):
        at = 12 + len(body) if at is None else at
        objects.append((id, zlib.crc32(entry), at))
        body.extend(entry)

    add(blob_id(BASE), header(BLOB, len(BASE)) + zlib.compress(BASE))
    at = 12 + len(body)
    moved = {"an offset beyond the pack": 1 << 30, "an offset into the header": 3}
    add(LIAR, lie_about(what, at), moved.get(what, at))
    if what == "two that need each other":
        add(name("the other"), reference_delta(LIAR, delta(5, 5, INSERT)))
    pack = b"PACK" + struct.pack(">II", 2, len(objects)) + bytes(body)
    checksum = hashlib.sha1(pack).digest()
    pack += checksum
    if what == "a pack that is cut":
        pack = pack[: at + 8]
    stem = f"pack-{checksum.hex()}"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{stem}.pack").write_bytes(pack)
    (directory / f"{stem}.idx").write_bytes(index(objects, checksum))
    print(LIAR.hex())


main()
