"""Seeded input that every side reads: raw little-endian columns, one after the other, and a Parquet file.

Run as `python data.py FOLDER`. A folder that holds this file's version already is left alone.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

VERSION = "1"
ERAS, ERA_ROWS, SCORE_FEATURES = 1_000, 5_000, 42
ROLLING_COLUMNS, SCALING_COLUMNS, ROWS = 50, 20, 1_000_000
PARQUET_ROWS, PARQUET_COLUMNS, PARQUET_ERA_ROWS = 500_000, 500, 5_000


def scores(folder: Path) -> None:
    """Predictions, a meta model, five-valued targets and 0..4 features, a little related."""
    rng = np.random.default_rng(4)
    rows = ERAS * ERA_ROWS
    signal, mood = rng.standard_normal((2, rows), dtype=np.float32)

    def mixed(noise: float, hidden: np.ndarray) -> np.ndarray:
        return hidden + np.float32(noise) * rng.standard_normal(rows, dtype=np.float32)

    (0.5 + 0.1 * mixed(3, signal + mood)).astype("<f4").tofile(folder / "prediction.f32")
    (0.5 + 0.1 * mixed(2, signal - mood)).astype("<f4").tofile(folder / "meta.f32")
    cuts = np.array([-1.645, -0.674, 0.674, 1.645], dtype=np.float32) * np.sqrt(10)
    (np.searchsorted(cuts, mixed(3, signal)) / 4).astype("<f4").tofile(folder / "target.f32")
    with open(folder / "features.i8", "wb") as out:
        for _ in range(SCORE_FEATURES):
            np.clip(np.round(mixed(2, mood) / 2 + 2), 0, 4).astype("i1").tofile(out)


def fat_tails(path: Path, columns: int, seed: int) -> None:
    """Student-t columns with three degrees of freedom."""
    rng = np.random.default_rng(seed)
    with open(path, "wb") as out:
        for _ in range(columns):
            rng.standard_t(3, ROWS).astype("<f4").tofile(out)


def parquet(path: Path) -> None:
    """Features in 0..4, an era a 5,000 rows, as pyarrow writes it by default."""
    rng = np.random.default_rng(7)
    eras = np.repeat(np.arange(PARQUET_ROWS // PARQUET_ERA_ROWS), PARQUET_ERA_ROWS)
    columns = {"era": [f"{era:04d}" for era in eras]}
    for position in range(PARQUET_COLUMNS):
        columns[f"feature_{position:03d}"] = rng.integers(0, 5, PARQUET_ROWS, dtype=np.int8)
    columns["target"] = (rng.integers(0, 5, PARQUET_ROWS) / 4).astype(np.float32)
    pq.write_table(pa.table(columns), path, row_group_size=100_000)


def main(folder: Path) -> None:
    stamp = folder / "version"
    if stamp.exists() and stamp.read_text() == VERSION:
        return
    folder.mkdir(parents=True, exist_ok=True)
    scores(folder)
    fat_tails(folder / "rolling.f32", ROLLING_COLUMNS, 5)
    fat_tails(folder / "scaling.f32", SCALING_COLUMNS, 6)
    parquet(folder / "panel.parquet")
    stamp.write_text(VERSION)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
