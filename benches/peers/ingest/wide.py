"""A seeded CSV file as wide as Numerai's: an id, an era, 2,376 features of 0..4 and 20 targets.

    python wide.py FILE [--megabytes 1000] [--features 2376] [--targets 20] [--seed 7]

Eras have 5,000 rows. Targets are five-valued too; the first is always there, of the others one cell in a
hundred is empty.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

ERA_ROWS = 5_000
EMPTY = 0.01


def names(features: int, targets: int) -> list[str]:
    return (
        ["id", "era"]
        + [f"feature_{at:04}" for at in range(features)]
        + [f"target_{at:02}" for at in range(targets)]
    )


def ids(rng: np.random.Generator) -> list[str]:
    """An `n` and 15 hexadecimal figures, as Numerai's rows have."""
    return [f"n{number:015x}" for number in rng.integers(0, 1 << 60, ERA_ROWS)]


def era(rng: np.random.Generator, at: int, features: int, targets: int) -> pa.RecordBatch:
    columns = [pa.array(ids(rng)), pa.array([f"{at:04}"] * ERA_ROWS)]
    bins = rng.integers(0, 5, (features, ERA_ROWS), np.int8)
    columns += [pa.array(column) for column in bins]
    values = rng.integers(0, 5, (targets, ERA_ROWS)) / 4.0
    empty = rng.random((targets, ERA_ROWS)) < EMPTY
    empty[0] = False
    columns += [pa.array(value, mask=mask) for value, mask in zip(values, empty, strict=True)]
    return pa.record_batch(columns, names(features, targets))


def make(file: Path, size: int, features: int, targets: int, seed: int) -> None:
    """Writes whole eras until the file has the size."""
    rng = np.random.default_rng(seed)
    with open(file, "wb") as out:
        out.write(",".join(names(features, targets)).encode() + b"\n")
        plain = csv.WriteOptions(include_header=False, quoting_style="none")
        at = 1
        while out.tell() < size:
            csv.write_csv(era(rng, at, features, targets), out, plain)
            at += 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--megabytes", type=int, default=1_000)
    parser.add_argument("--features", type=int, default=2_376)
    parser.add_argument("--targets", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    make(args.file, args.megabytes * 10**6, args.features, args.targets, args.seed)


if __name__ == "__main__":
    main()
