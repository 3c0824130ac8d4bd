"""One measurement of a peer, in a process of its own: `python peer.py QUESTION PEER DATA VALUES`.

Reads the input, times the work alone, writes the values that must agree to the file VALUES as
`float64`, and prints one JSON line: seconds, bytes of peak memory of the process, and bytes that the
work took beyond its input and its output.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

ERA_ROWS, SCORE_FEATURES, WINDOW = 5_000, 42, 200
SCORED_ERAS = 50  # of 1,000; numerai-tools works era by era, so its time is scaled by 20
FIRST, STEP = 199, 997  # the rows of rolling features that are compared


def status(field: str) -> int:
    """A field of the process's status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no {field} in /proc/self/status")


class Measured:
    """Times a block and watches the peak of memory."""

    def __enter__(self):
        Path("/proc/self/clear_refs").write_text("5")  # starts the peak afresh
        self.before, self.start = status("VmRSS"), time.perf_counter()
        return self

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self.start
        self.peak = status("VmHWM")

    def line(self, output_bytes: int, scale: float = 1.0) -> dict:
        extra = self.peak - self.before - output_bytes
        return {"seconds": self.seconds * scale, "peak": self.peak, "extra": max(extra, 0)}


def columns(path: Path, dtype: str, count: int) -> np.ndarray:
    """A file of columns as an array of one row a column."""
    return np.fromfile(path, dtype).reshape(count, -1)


def scores(_peer: str, data: Path):
    import pandas as pd
    from numerai_tools import scoring

    rows = SCORED_ERAS * ERA_ROWS
    names = ("prediction", "meta", "target")
    table = {name: np.fromfile(data / f"{name}.f32", "<f4", rows).astype(float) for name in names}
    features = columns(data / "features.i8", "i1", SCORE_FEATURES)[:, :rows].T
    eras = []
    for start in range(0, rows, ERA_ROWS):
        cut = slice(start, start + ERA_ROWS)
        frame = pd.DataFrame({name: values[cut] for name, values in table.items()})
        eras.append((frame[["prediction"]], frame["meta"], frame["target"], pd.DataFrame(features[cut])))
    found = []
    with Measured() as measured:
        for prediction, meta, target, feature in eras:
            found.append(scoring.numerai_corr(prediction, target).iloc[0])
            found.append(scoring.correlation_contribution(prediction, meta, target).iloc[0])
            found.append(scoring.feature_neutral_corr(prediction, feature, target).iloc[0])
    return np.array(found), measured.line(0, 1_000 / SCORED_ERAS)


def rolling(peer: str, data: Path):
    values = columns(data / "rolling.f32", "<f4", 50)
    names = [f"c{position:02d}" for position in range(50)]
    if peer == "pandas":
        import pandas as pd

        frame = pd.DataFrame(values.T, columns=names)
        with Measured() as measured:
            window = frame.rolling(WINDOW)
            tables = [window.mean(), window.std(), window.min(), window.max()]
    else:
        import polars as pl

        frame = pl.DataFrame(dict(zip(names, values)))
        every = pl.all()
        kinds = (every.rolling_mean, every.rolling_std, every.rolling_min, every.rolling_max)
        with Measured() as measured:
            tables = [
                frame.select(*(kind(WINDOW).name.suffix(f"_{at}") for at, kind in enumerate(kinds)))
            ]
    found = [table.to_numpy()[FIRST::STEP].T for table in tables]
    output = sum(table.to_numpy().nbytes for table in tables)
    return np.concatenate(found).ravel(), measured.line(output)


def scaled(scaler, data: Path):
    """scikit-learn looks at one column at a time: columns end to end suit it best."""
    values = columns(data / "scaling.f32", "<f4", 20).astype(float).T
    with Measured() as measured:
        result = scaler.fit(values).transform(values)
    return result.T.ravel(), measured.line(result.nbytes)


def robust(_peer: str, data: Path):
    from sklearn.preprocessing import RobustScaler

    return scaled(RobustScaler(), data)


def quantile(_peer: str, data: Path):
    from sklearn.preprocessing import QuantileTransformer

    normal = QuantileTransformer(output_distribution="normal", n_quantiles=1_000, subsample=None)
    return scaled(normal, data)


def parquet(_peer: str, data: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_cpu_count(2)
    with Measured() as measured:
        table = pq.read_table(data / "panel.parquet")
        features = [name for name in table.column_names if name.startswith("feature")]
        matrix = np.empty((table.num_rows, len(features)), np.int8, order="F")
        for position, name in enumerate(features):
            matrix[:, position] = table.column(name).to_numpy()
        target = table.column("target").to_numpy()
    sums = matrix.sum(axis=0, dtype=np.int64)
    return np.append(sums, target.sum(dtype=float)).astype(float), measured.line(matrix.nbytes)


def main(question: str, peer: str, data: str, values: str) -> None:
    ask = {f.__name__: f for f in (scores, rolling, robust, quantile, parquet)}
    found, line = ask[question](peer, Path(data))
    found.astype("<f8").tofile(values)
    print(json.dumps(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
