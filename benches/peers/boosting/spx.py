"""The weekly job beside LightGBM with the same settings and the same folds.

    python spx.py DATA [--target NAME] [--binaries FOLDER] [--out FOLDER] [-- OPTIONS OF numerai]

Runs `numerai --model ridge,gbdt` on a panel of small-integer features, reads the folds and the settings
from its report, trains LightGBM on each fold, has `score` score both, and prints scores, times and the
difference era by era. Needs numpy, pyarrow and lightgbm. Seconds of the processor are given beside those
of the clock: on a machine that does other things only they can be compared.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent.parent.parent
THREADS = 2
# Weeks that the labels of a 20-day target overlap, less one.
OVERLAP = 3


class Clock:
    """Seconds of the clock and of the processor, of this process or of those that it waits for."""

    def __init__(self, who: int = resource.RUSAGE_SELF):
        self.who, self.wall, self.cpu = who, 0.0, 0.0

    def used(self) -> float:
        usage = resource.getrusage(self.who)
        return usage.ru_utime + usage.ru_stime

    def __enter__(self):
        self.begun = time.perf_counter(), self.used()
        return self

    def __exit__(self, *_):
        self.wall += time.perf_counter() - self.begun[0]
        self.cpu += self.used() - self.begun[1]

    def __str__(self) -> str:
        return f"{self.wall:.1f} s ({self.cpu:.1f} s of the processor)"


def run(command: list) -> Clock:
    """Runs a program with as many threads as LightGBM gets."""
    with Clock(resource.RUSAGE_CHILDREN) as clock:
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return clock


def settings(model: dict) -> dict:
    """The parameters that the report tells of the trees; LightGBM must know them all."""
    given = dict(line.split("=", 1) for line in model["settings"] if "=" in line)
    unknown = {"growth", "precision"} & set(given) | {name for name in given if name.startswith("era_")}
    if unknown or "early_stopping_round" in given:
        raise SystemExit(f"LightGBM has no equal of {sorted(unknown) or 'held-out eras'}")
    return {"objective": "regression", "verbosity": -1} | given | {"num_threads": THREADS}


def folds(model: dict, labels: np.ndarray):
    """Rows to train on and rows to predict, fold by fold."""
    for fold in model["folds"]:
        yield tuple(
            np.flatnonzero((fold[f"{part}_first"] <= labels) & (labels <= fold[f"{part}_last"]))
            for part in ("train", "test")
        )


def lightgbm_folds(path: Path, model: dict, target: str, out: Path) -> tuple[Clock, Clock, Clock]:
    """Trains on each fold and leaves the predictions; the time of binning, training and predicting."""
    table = pq.read_table(path)
    features = [name for name in table.column_names if name.startswith("feature")]
    labels = table["era"].to_numpy(zero_copy_only=False).astype(str)
    answers = table[target].to_numpy(zero_copy_only=False)
    parameters = settings(model)
    rounds = int(parameters.pop("num_iterations"))
    binning, training, predicting = Clock(), Clock(), Clock()
    parts = []
    for train, test in folds(model, labels):
        train = train[~np.isnan(answers[train])]
        x = table.select(features).take(pa.array(train)).combine_chunks()
        with binning:
            data = lightgbm.Dataset(x, answers[train], params=parameters, free_raw_data=False)
            data.construct()
        with training:
            booster = lightgbm.train(parameters, data, rounds)
        x = np.column_stack([table[name].to_numpy()[test] for name in features]).astype(np.float32)
        with predicting:
            predictions = booster.predict(x, num_threads=THREADS)
        columns = {"id": table["id"].take(pa.array(test)), "era": table["era"].take(pa.array(test))}
        parts.append(pa.table(columns | {"prediction": predictions.astype(np.float32)}))
    pq.write_table(pa.concat_tables(parts), out)
    return binning, training, predicting


def corr(report: dict, model: int) -> tuple[np.ndarray, dict]:
    found = report["models"][model]["metrics"][0]["model"]
    assert found["scores"]["metric"] == "corr"
    return np.array([era["value"] for era in found["scores"]["eras"]], float), found["summary"]


def difference(x: np.ndarray) -> str:
    """The mean with its 95 % interval under overlap (Newey and West 1987)."""
    centred = x - x.mean()
    gamma = [centred[lag:] @ centred[: len(x) - lag] / len(x) for lag in range(OVERLAP + 1)]
    weights = [1.0] + [2 * (1 - lag / (OVERLAP + 1)) for lag in range(1, OVERLAP + 1)]
    half = 1.96 * math.sqrt(max(0.0, float(np.dot(weights, gamma))) / len(x))
    return f"{x.mean():+.5f} ({x.mean() - half:+.5f} to {x.mean() + half:+.5f})"


def row(name: str, summary: dict, seconds: str) -> str:
    def interval(key: str) -> str:
        low, high = summary[key]
        return f"{low:+.4f} to {high:+.4f}"

    return (f"| {name} | {summary['mean']:+.5f} | {interval('interval')} | {interval('bootstrap_interval')} "
            f"| {summary['sharpe']:+.3f} | {summary['drawdown']:.3f} | {seconds} |")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--target", default="target_20")
    parser.add_argument("--binaries", type=Path, default=ROOT / "target" / "release")
    parser.add_argument("--out", type=Path, default=ROOT / "target" / "spx")
    parser.add_argument("options", nargs="*", help="options of numerai, after --")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(THREADS)
    common = ["--data", args.data, "--target", args.target, "--threads", THREADS]
    whole = run([args.binaries / "numerai", *common, "--model", "ridge,gbdt",
                 "--out", args.out / "run", "--json", args.out / "run.json", *args.options])
    report = json.loads((args.out / "run.json").read_text())
    peer = args.out / "lightgbm.parquet"
    binning, training, predicting = lightgbm_folds(args.data, report["models"][1], args.target, peer)
    run([args.binaries / "score", "--predictions", peer, "--targets", args.data,
         "--target", args.target, "--json", args.out / "lightgbm.json"])
    (ridge, first), (ours, second) = corr(report, 0), corr(report, 1)
    theirs, third = corr(json.loads((args.out / "lightgbm.json").read_text()), 0)
    print(f"LightGBM {version('lightgbm')}, {THREADS} threads, {len(report['models'][1]['folds'])} folds; "
          f"{', '.join(line for line in report['models'][1]['settings'] if '=' in line)}\n")
    print("| model | mean CORR | 95 % | 95 %, resampled | Sharpe | max drawdown | time |\n"
          "|---|---:|---:|---:|---:|---:|---:|")
    print(row("ridge", first, ""))
    print(row("gbdt", second, f"whole run: {whole}"))
    print(row("LightGBM", third, f"training: {training}"))
    print(f"\nLightGBM besides: binning {binning}, prediction {predicting}")
    print(f"gbdt - LightGBM: {difference(ours - theirs)} an era")
    print(f"gbdt - ridge: {difference(ours - ridge)} an era")
    print(f"whole run / LightGBM's training: {whole.wall / training.wall:.2f} of the clock, "
          f"{whole.cpu / training.cpu:.2f} of the processor")


if __name__ == "__main__":
    main()
