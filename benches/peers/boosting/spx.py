"""The weekly job beside LightGBM with the same settings and the same folds, seed after seed.

    python spx.py DATA [--target NAME] [--seeds N ...] [--binaries FOLDER] [--out FOLDER] [--write]
                       [-- OPTIONS OF numerai]

Runs `numerai --model ridge,gbdt` on a panel of small-integer features, reads the folds and the settings
from its report, trains LightGBM on each fold, has `score` score both, and prints scores, times and the
difference era by era. Columns are sampled, so each seed gives both other trees: the differences are those
of the mean over seeds. Needs numpy, pyarrow and lightgbm. Seconds of the processor are given beside those
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

import pages

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


def job(args: argparse.Namespace, seed: int) -> tuple[Clock, dict]:
    """Runs the weekly job and reads its report."""
    clock = run([args.binaries / "numerai", "--data", args.data, "--target", args.target,
                 "--threads", THREADS, "--seed", seed, "--model", "ridge,gbdt",
                 "--out", args.out / "run", "--json", args.out / "run.json", *args.options])
    return clock, json.loads((args.out / "run.json").read_text())


def scored(args: argparse.Namespace, predictions: Path) -> tuple[np.ndarray, dict]:
    """What `score` says of a file of predictions."""
    out = args.out / "lightgbm.json"
    run([args.binaries / "score", "--predictions", predictions, "--targets", args.data,
         "--target", args.target, "--json", out])
    return corr(json.loads(out.read_text()), 0)


def answer(args: argparse.Namespace) -> str:
    lines, ours, theirs, clocks = [], [], [], []
    for seed in args.seeds:
        whole, report = job(args, seed)
        model = report["models"][1]
        peer = args.out / "lightgbm.parquet"
        binning, training, predicting = lightgbm_folds(args.data, model, args.target, peer)
        (ridge, first), (own, second), (its, third) = corr(report, 0), corr(report, 1), scored(args, peer)
        if seed == args.seeds[0]:
            lines.append(row("ridge", first, ""))
        lines.append(row(f"gbdt, seed {seed}", second, f"whole run: {whole}"))
        lines.append(row(f"LightGBM, seed {seed}", third,
                         f"binning {binning}, training {training}, prediction {predicting}"))
        ours.append(own)
        theirs.append(its)
        clocks.append((whole.wall / training.wall, whole.cpu / training.cpu))
    ours, theirs = np.mean(ours, axis=0), np.mean(theirs, axis=0)
    wall, cpu = (sorted(one)[len(one) // 2] for one in zip(*clocks))
    told = ", ".join(line for line in model["settings"] if "=" in line and "seed=" not in line)
    return "\n".join([
        f"LightGBM {version('lightgbm')}, {THREADS} threads, {len(model['folds'])} folds, "
        f"{len(ridge)} eras out of sample; {told}.\n",
        "| model | mean CORR | 95 % | 95 %, resampled | Sharpe | max drawdown | time |",
        "|---|---:|---:|---:|---:|---:|---|",
        *lines,
        f"\nMean over seeds, an era: gbdt {ours.mean():+.5f}, LightGBM {theirs.mean():+.5f}; "
        f"gbdt - LightGBM: {difference(ours - theirs)}; gbdt - ridge: {difference(ours - ridge)}.",
        f"\nOur whole run (scoring, report and ridge included) takes {wall:.2f} of the clock of LightGBM's "
        f"training alone, {cpu:.2f} of the processor's time (medians).",
    ])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--target", default="target_20")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--binaries", type=Path, default=ROOT / "target" / "release")
    parser.add_argument("--out", type=Path, default=ROOT / "target" / "spx")
    parser.add_argument("--write", action="store_true", help="write to docs/benchmarks.md")
    parser.add_argument("options", nargs="*", help="options of numerai, after --")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(THREADS)
    text = answer(args)
    print(text)
    if args.write:
        pages.write("spx", f"The weekly job on {args.data.name}", text)


if __name__ == "__main__":
    main()
