"""Seeded input of the boosting questions: raw little-endian columns, one after the other.

Run as `python data.py FOLDER`. `NAME.json` says how many rows and columns `NAME.u8` or `NAME.f32`
holds; `NAME.y` holds the targets as `f32`. A folder that holds this file's version is left alone.
"""

import json
import sys
from pathlib import Path

import numpy as np

VERSION = "1"
TRAIN_ERAS, HELD_OUT_ERAS, ERA_ROWS, FEATURES = 400, 40, 1_000, 500
INFORMATIVE, GROUP = 40, 10
TRAIN_ROWS, HELD_OUT_ROWS, COLUMNS = 500_000, 100_000, 28


def bins(values: np.ndarray, share: np.ndarray) -> np.ndarray:
    """0..4 by the cuts of a standard normal variable at `share`."""
    return np.searchsorted(share, values).astype(np.uint8)


def eras(folder: Path) -> None:
    """Features of five equal bins in correlated groups; a target of five values with a weak signal.

    The signal is a sum of steps, humps and products of 40 features, the same in every era, and a
    line in all of them that changes its sign from era to era; together they explain about a
    hundredth of the target's variance.
    """
    rng = np.random.default_rng(31)
    count = TRAIN_ERAS + HELD_OUT_ERAS
    rows = count * ERA_ROWS
    cuts = np.array([-0.8416, -0.2533, 0.2533, 0.8416], np.float32)
    signal = np.zeros(rows, np.float32)
    mood = rng.standard_normal((count, INFORMATIVE), dtype=np.float32)
    before = np.zeros(rows, np.float32)
    with open(folder / "eras.u8", "wb") as out:
        for position in range(FEATURES):
            if position % GROUP == 0:
                factor = rng.standard_normal(rows, dtype=np.float32)
            own = rng.standard_normal(rows, dtype=np.float32)
            codes = bins(np.float32(0.6) * factor + np.float32(0.8) * own, cuts)
            codes.tofile(out)
            stride = FEATURES // INFORMATIVE
            if position % stride == 0 and position // stride < INFORMATIVE:
                at = position // stride
                centred = codes.astype(np.float32) - 2
                shapes = (np.sign(centred - 1), np.abs(centred) - 1.2, centred, before * centred)
                signal += np.float32(0.012) * shapes[at % 4]
                signal += np.float32(0.008) * np.repeat(mood[:, at], ERA_ROWS) * centred
                before = centred
    hidden = signal + rng.standard_normal(rows, dtype=np.float32)
    quantiles = np.array([-1.645, -0.674, 0.674, 1.645], np.float32)
    (bins(hidden, quantiles) / 4).astype("<f4").tofile(folder / "eras.y")
    head = {"rows": rows, "columns": FEATURES, "era_rows": ERA_ROWS,
            "held_out": HELD_OUT_ERAS * ERA_ROWS, "kind": "u8"}
    (folder / "eras.json").write_text(json.dumps(head))


def continuous(folder: Path) -> None:
    """Columns with tails of several weights and a smooth, interacting target with noise."""
    rng = np.random.default_rng(32)
    rows = TRAIN_ROWS + HELD_OUT_ROWS
    columns = []
    for position in range(COLUMNS):
        kind = position % 4
        if kind == 0:
            column = rng.standard_normal(rows)
        elif kind == 1:
            column = rng.exponential(size=rows)
        elif kind == 2:
            column = rng.standard_t(4, rows)
        else:
            column = rng.uniform(-2, 2, rows)
        columns.append(column.astype("<f4"))
    x = [column.astype(float) for column in columns]
    hidden = (
        np.sin(2 * x[0]) + 0.5 * np.log1p(x[1]) * x[3] + np.tanh(x[2] * x[4]) + 0.3 * (x[7] > x[8])
        + 0.4 * np.abs(x[11]) - 0.3 * x[5] * (x[12] > 0) + 0.2 * x[15] ** 2 + 0.1 * x[16] * x[19]
    )
    target = hidden + rng.standard_normal(rows)
    chosen = (rng.uniform(size=rows) < 1 / (1 + np.exp(-1.5 * (hidden - hidden.mean())))).astype("<f4")
    with open(folder / "continuous.f32", "wb") as out:
        for column in columns:
            column.tofile(out)
    target.astype("<f4").tofile(folder / "continuous.y")
    chosen.tofile(folder / "continuous.binary")
    head = {"rows": rows, "columns": COLUMNS, "held_out": HELD_OUT_ROWS, "kind": "f32"}
    (folder / "continuous.json").write_text(json.dumps(head))


def main(folder: Path) -> None:
    stamp = folder / "version"
    if stamp.exists() and stamp.read_text() == VERSION:
        return
    folder.mkdir(parents=True, exist_ok=True)
    eras(folder)
    continuous(folder)
    stamp.write_text(VERSION)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
