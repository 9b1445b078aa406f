"""Makes the sample data of `sw2 demo` out of Fashion-MNIST.

    $ python tools/make_fashion_sample.py /usr/share/datasets/fashion-mnist
    $ python tools/make_fashion_sample.py --check /usr/share/datasets/fashion-mnist

The argument is the folder of Debian's package `dataset-fashion-mnist` (version
0.0~git20200523.55506a9-1) with the four idx files. The same files give the same bytes: what is
drawn is drawn by hash, not by a random generator that may change, and the archive carries no
times. `--check` makes it again in memory and compares.
"""

import argparse
import csv
import gzip
import hashlib
import io
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

SEED = "fashion-5000"
DATA = Path(__file__).parent.parent / "src" / "sw2" / "demo" / "data"
# "T-shirt" is upstream's "T-shirt/top": a slash reads badly in ids, addresses and file names.
CLASSES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")  # fmt: skip
PER_CLASS = {"train": 400, "test": 100}
PLANTED = 250
SIDE = 28
SOURCES = {
    "train-images-idx3": "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "train-labels-idx1": "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    "t10k-images-idx3": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}
PREFIX = {"train": "train", "test": "t10k"}


def draw(*what: object) -> int:
    """A number that depends on the seed and on `what`, the same on every machine for ever."""
    text = "\0".join(map(str, (SEED, *what)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def shuffled(items: Iterable[int], *what: object) -> list[int]:
    return sorted(items, key=lambda item: draw(*what, item))


def read_split(source: Path, split: str) -> tuple[list[bytes], bytes]:
    """The pictures (784 grey bytes each, row by row) and the class number of each."""
    raw = {}
    for kind in ("images-idx3", "labels-idx1"):
        name = f"{PREFIX[split]}-{kind}"
        file = source / f"{name}-ubyte.gz"
        packed = file.read_bytes()
        found = hashlib.sha256(packed).hexdigest()
        if found != SOURCES[name]:
            raise SystemExit(f"{file}: SHA-256 is {found}, expected {SOURCES[name]}")
        raw[kind] = gzip.decompress(packed)
    pixels, labels = raw["images-idx3"][16:], raw["labels-idx1"][8:]
    size = SIDE * SIDE
    return [pixels[at : at + size] for at in range(0, len(pixels), size)], labels


def filtered(rows: Sequence[bytes], kind: int) -> bytes:
    """The rows under one PNG filter: 0 none, 1 left, 2 up (PNG specification, section 9)."""
    out = bytearray()
    above = bytes(SIDE)
    for row in rows:
        left = b"\0" + row[:-1]
        guess = (bytes(SIDE), left, above)[kind]
        out.append(kind)
        out.extend((value - other) & 255 for value, other in zip(row, guess, strict=True))
        above = row
    return bytes(out)


def deflated(raw: bytes, strategy: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 10, 9, strategy)
    return packer.compress(raw) + packer.flush()


def png(pixels: bytes) -> bytes:
    """The smallest of a few ways to write it. By hand, because Pillow's bytes change with the
    zlib inside its wheel; 1 % smaller than its `optimize`, 2.5 % smaller than filter 0 alone."""
    rows = [pixels[at : at + SIDE] for at in range(0, len(pixels), SIDE)]
    body = min(
        (
            deflated(filtered(rows, kind), strategy)
            for kind in (0, 1, 2)
            for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_RLE, zlib.Z_FIXED)
        ),
        key=len,
    )
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    out = b"\x89PNG\r\n\x1a\n"
    for name, data in ((b"IHDR", header), (b"IDAT", body), (b"IEND", b"")):
        out += struct.pack(">I", len(data)) + name + data
        out += struct.pack(">I", zlib.crc32(name + data))
    return out


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def archive(files: Iterable[tuple[str, bytes, int]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, data, method in files:
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            info.create_system = 3
            info.external_attr = 0o644 << 16
            target.writestr(info, data, compresslevel=9)
    return out.getvalue()


def make(source: Path) -> dict[str, bytes]:
    """File name -> bytes, of the two files that depend on the source."""
    files: list[tuple[str, bytes, int]] = []
    rows: list[tuple[str, int, str]] = []  # path, class, split
    for split, count in PER_CLASS.items():
        pictures, labels = read_split(source, split)
        chosen: list[int] = []
        for number in range(len(CLASSES)):
            members = (at for at, label in enumerate(labels) if label == number)
            chosen += shuffled(members, "choose", split)[:count]
        # Shuffled over all classes, so that a file's number says nothing about its class.
        for at, index in enumerate(shuffled(chosen, "order", split)):
            path = f"pictures/{split}/{at + 1:05}.png"
            files.append((path, png(pictures[index]), zipfile.ZIP_STORED))
            rows.append((path, labels[index], split))
    train = [at for at, row in enumerate(rows) if row[2] == "train"]
    given = {at: row[1] for at, row in enumerate(rows)}
    for at in shuffled(train, "flip")[:PLANTED]:
        others = [number for number in range(len(CLASSES)) if number != given[at]]
        given[at] = others[draw("to", at) % len(others)]
    labels_csv = table(
        ("path", "label", "split"),
        ((path, CLASSES[given[at]], split) for at, (path, _, split) in enumerate(rows)),
    )
    key_csv = table(
        ("path", "true_label", "given_label"),
        (
            (path, CLASSES[true], CLASSES[given[at]])
            for at, (path, true, _) in enumerate(rows)
            if true != given[at]
        ),
    )
    files.append(("labels.csv", labels_csv, zipfile.ZIP_DEFLATED))
    return {"fashion-5000.zip": archive(files), "answer-key.csv": key_csv}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder with the four idx files")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    asked = parser.parse_args(arguments)
    status = 0
    for name, data in make(asked.source).items():
        target = DATA / name
        same = target.exists() and target.read_bytes() == data
        if not asked.check:
            DATA.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        elif not same:
            status = 1
        digest = hashlib.sha256(data).hexdigest()
        print(f"{digest}  {name}  {len(data):,} bytes  {'same' if same else 'differs'}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
