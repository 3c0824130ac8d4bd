"""Seeded CSV files of numbers, clean and with one row in a thousand polluted.

    python data.py CLEAN [--polluted FILE] [--megabytes 2000] [--seed 7]

Twenty columns under a header: two integers that rise, six of 0..4, ten decimals of six to nine figures,
one with exponents, one of all figures that a double has. The polluted file has the same lines but for
those that `FILE.json` tells, by kind and by number; the header is line 1.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

BLOCK, EVERY = 100_000, 1_000  # rows at a time; rows of which one is polluted
BINS, DECIMALS = 6, 10
FIRST_DECIMAL = 2 + BINS
NAMES = (
    ["id", "time"]
    + [f"bin_{at}" for at in range(BINS)]
    + [f"x_{at}" for at in range(DECIMALS)]
    + ["power", "double"]
)
NULL = "НУЛЛ".encode()  # Cyrillic


def block(rng: np.random.Generator, start: int) -> pa.RecordBatch:
    rows = np.arange(start, start + BLOCK)
    columns = [rows, 1_700_000_000_000 + 250 * rows + rng.integers(0, 250, BLOCK)]
    columns += [rng.integers(0, 5, BLOCK, np.int8) for _ in range(BINS)]
    for at in range(DECIMALS):
        figures = 6 + at % 4
        whole = rng.integers(-(10**figures), 10**figures, BLOCK)
        columns.append(whole / 10.0 ** (figures - at % 5))
    powers = rng.standard_normal(BLOCK) * 10.0 ** rng.integers(-12, 13, BLOCK)
    columns += [powers.astype(np.float32), rng.standard_normal(BLOCK)]
    return pa.record_batch([pa.array(column) for column in columns], NAMES)


def text(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    csv.write_csv(batch, sink, csv.WriteOptions(include_header=False))
    return sink.getvalue().to_pybytes()


def decimal(cells: list[bytes], rng: np.random.Generator) -> int:
    """The position of a decimal that has a point."""
    own = range(FIRST_DECIMAL, FIRST_DECIMAL + DECIMALS)
    return int(rng.choice([at for at in own if b"." in cells[at]]))


def inside(what: bytes) -> Callable[[bytes, int], bytes]:
    return lambda cell, _: cell[: len(cell) // 2] + what + cell[len(cell) // 2 :]


CELL_KINDS: dict[str, Callable[[bytes, int], bytes]] = {
    "nul": inside(b"\0"),
    "cyrillic_null": lambda _cell, _: NULL,
    "nan": lambda _cell, _: b"NaN",
    "unit": lambda cell, turn: cell + b" kg" if turn % 2 == 0 else b"unknown",
    "quote": lambda cell, _: b'"' + cell,
    "invalid_utf8": inside(b"\xff"),
    "decimal_comma": lambda cell, _: b'"' + cell.replace(b".", b",") + b'"',
}
ROW_KINDS: dict[str, Callable[[list[bytes], int], bytes]] = {
    "separator_less": lambda cells, at: b",".join([*cells[:at], cells[at] + cells[at + 1], *cells[at + 2 :]]),
    "separator_more": lambda cells, _: b",".join(cells) + b",",
    "semicolons": lambda cells, _: b";".join(cells),
}
KINDS = (*CELL_KINDS, *ROW_KINDS)


def spoilt(line: bytes, turn: int, rng: np.random.Generator) -> bytes:
    """A line after the pollution whose turn it is."""
    kind, cells = KINDS[turn % len(KINDS)], line.split(b",")
    at = decimal(cells, rng)
    if kind in ROW_KINDS:
        return ROW_KINDS[kind](cells, at)
    cells[at] = CELL_KINDS[kind](cells[at], turn // len(KINDS))
    return b",".join(cells)


def pollute(lines: bytes, start: int, rng: np.random.Generator, found: dict[str, list[int]]) -> bytes:
    """Spoils a row in each thousand of a block and notes the lines' numbers."""
    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n"))
    parts, done = [], 0
    for first in range(0, BLOCK, EVERY):
        row = first + int(rng.integers(1, EVERY))
        turn = (start + row) // EVERY
        begin, end = int(ends[row - 1]) + 1, int(ends[row])
        parts += [lines[done:begin], spoilt(lines[begin:end], turn, rng)]
        done = end
        found[KINDS[turn % len(KINDS)]].append(start + row + 2)
    return b"".join([*parts, lines[done:]])


def make(clean: Path, polluted: Path | None, size: int, seed: int) -> None:
    """Writes whole blocks until the clean file has the size."""
    rng, other = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    found: dict[str, list[int]] = {kind: [] for kind in KINDS}
    head = ",".join(NAMES).encode() + b"\n"
    rows, written = 0, len(head)
    with open(clean, "wb") as whole, open(polluted or "/dev/null", "wb") as spoiled:
        whole.write(head)
        spoiled.write(head)
        while written < size:
            lines = text(block(rng, rows))
            written += whole.write(lines)
            if polluted:
                spoiled.write(pollute(lines, rows, other, found))
            rows += BLOCK
    if polluted:
        report = {"rows": rows, "polluted": sum(map(len, found.values())), "kinds": found}
        Path(f"{polluted}.json").write_text(json.dumps(report))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("clean", type=Path)
    parser.add_argument("--polluted", type=Path)
    parser.add_argument("--megabytes", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    make(args.clean, args.polluted, args.megabytes * 10**6, args.seed)


if __name__ == "__main__":
    main()
