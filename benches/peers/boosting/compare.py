"""Runs every system in turn, each measurement in a fresh process, and prints the ratios."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np

import growth
import pages

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
TARGET = ROOT / "target"
DATA, OUT = TARGET / "peers-gbdt", TARGET / "peers-gbdt-out"
PICTURE = ROOT / "docs" / "gbdt_growth.svg"
PLANS = json.loads((HERE / "plans.json").read_text())
PEERS = ("lightgbm", "xgboost", "catboost")
THREADS = 2


@dataclass(frozen=True)
class Question:
    name: str
    text: str
    sides: tuple[str, ...]  # beside fattail


TRAINING = (
    Question(
        "shallow", "160,000 x 500 of 5 bins, 100 trees, depth 5, 31 leaves",
        ("lightgbm", "lightgbm-arrow", "lightgbm-quantised", "xgboost", "xgboost-lossguide", "catboost"),
    ),
    Question(
        "sampled", "the same, 10 % of the columns a tree, 300 trees",
        ("lightgbm", "lightgbm-quantised", "xgboost", "catboost"),
    ),
    Question(
        "deep",
        "400,000 x 500 of 5 bins, 10 % of the columns, 100 trees, depth 10, 1,024 leaves, "
        "10,000 rows a leaf",
        ("lightgbm", "lightgbm-quantised", "xgboost", "catboost-depthwise"),
    ),
    Question(
        "regression", "500,000 x 28 continuous, 255 bins, 200 trees, 255 leaves, squared error",
        ("lightgbm", "lightgbm-quantised", "xgboost", "catboost"),
    ),
    Question(
        "binary", "the same, two classes",
        ("lightgbm", "lightgbm-quantised", "xgboost", "catboost"),
    ),
)
PREDICT = Question("predict", "prediction with 300 trees of 31 leaves, 500 columns of 5 bins", PEERS)
EXPLAIN = Question("explain", "SHAP values of 2,000 rows, 100 trees of 31 leaves, 500 columns", PEERS)
ASKED = (*(question.name for question in TRAINING), "predict", "explain", "growth")


def run(command: list[str], threads: int = THREADS) -> dict:
    """One measurement: a process that prints a line of JSON."""
    pools = ("RAYON", "OMP", "OPENBLAS", "MKL")
    limits = {f"{pool}_NUM_THREADS": str(threads) for pool in pools} | {"THREADS": str(threads)}
    done = subprocess.run(command, env=os.environ | limits, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[:4])} ended with exit code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def train(name: str, plan: dict, threads: int = THREADS) -> dict:
    """Trains fattail."""
    program = str(TARGET / "release" / "gbdt")
    return run([program, "train", name, json.dumps(plan), str(DATA), str(OUT)], threads)


def measure(question: str, side: str) -> dict:
    print(f"{question}: {side}", file=sys.stderr)
    if side != "fattail":
        return run([sys.executable, str(HERE / "peer.py"), question, side, str(DATA), str(OUT)])
    if question in PLANS:
        return train(question, PLANS[question])
    model = {"predict": "sampled", "explain": "shallow"}[question]
    return run([str(TARGET / "release" / "gbdt"), question, model, str(DATA), str(OUT)])


def ask(question: Question, rounds: int) -> dict[str, dict]:
    """Each side in turn, round after round: the median of each figure, by side."""
    seen: dict[str, list[dict]] = {}
    for _ in range(rounds):
        for side in ("fattail", *question.sides):
            seen.setdefault(side, []).append(measure(question.name, side))
    return {
        side: {field: median(one[field] for one in all_of) for field in all_of[0]}
        for side, all_of in seen.items()
    }


def held_out(question: str, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and targets of the rows that nothing was trained on."""
    plan = PLANS[question]
    head = json.loads((DATA / f"{plan['data']}.json").read_text())
    target = np.fromfile(DATA / plan["target"], "<f4")[-head["held_out"] :].astype(float)
    return np.fromfile(OUT / f"{question}-{side}.f64"), target


def quality(question: str, side: str) -> str:
    """The mean correlation of the held-out eras with its standard error, or the held-out loss."""
    found, target = held_out(question, side)
    if PLANS[question]["objective"] == "binary":
        p = np.clip(found, 1e-15, 1 - 1e-15)
        return f"log loss {-np.mean(target * np.log(p) + (1 - target) * np.log(1 - p)):.5f}"
    if PLANS[question]["data"] == "continuous":
        return f"squared error {np.mean((found - target) ** 2):.5f}"
    rows = json.loads((DATA / "eras.json").read_text())["era_rows"]
    eras = zip(found.reshape(-1, rows), target.reshape(-1, rows))
    all_of = np.array([np.corrcoef(p, y)[0, 1] for p, y in eras])
    return f"correlation {all_of.mean():.4f} ± {all_of.std(ddof=1) / np.sqrt(all_of.size):.4f}"


def training(question: Question, rounds: int) -> str:
    medians = ask(question, rounds)
    ours = medians["fattail"]
    lines = []
    for side, found in medians.items():
        both = found["bin"] + found["train"]
        lines.append([
            side, f"{found['bin']:.3f} s", f"{found['train']:.3f} s", ratio(ours["bin"], found["bin"]),
            ratio(ours["train"], found["train"]), ratio(ours["bin"] + ours["train"], both),
            mebibytes(found["peak"]), mebibytes(found["peak"] - found["base"]),
            ratio(ours["peak"], found["peak"]), quality(question.name, side),
        ])
    head = ["system", "binning", "training", "our binning / its", "our training / its", "our both / its",
            "peak memory", "less what the imports hold", "our peak / its", "held out"]
    took = {side: found["train"] for side, found in medians.items()}
    return f"**{question.text}**\n\n{table(head, lines)}\n\n{beside_fastest('training', took)}"


def prediction(rounds: int) -> str:
    medians = ask(PREDICT, rounds)
    batch = {side: fastest(found, "batch") for side, found in medians.items()}
    single = {side: fastest(found, "single") for side, found in medians.items()}
    lines = []
    for side, found in medians.items():
        forms = ", ".join(
            f"{field.partition('_')[2] or 'panel'} {value:.3f} s"
            for field, value in found.items() if field.startswith("batch")
        )
        ones = ", ".join(
            f"{field.partition('_')[2] or 'plain'} {1e6 * value:.2f} µs"
            for field, value in found.items() if field.startswith("single")
        )
        if "call" in found:
            ones += f" (of which the call from Python {1e6 * found['call']:.2f} µs)"
        lines.append([side, forms, ratio(batch["fattail"], batch[side]), ones,
                      ratio(single["fattail"], single[side])])
    head = ["system", "200,000 rows", "ours / its fastest", "one row", "ours / its fastest"]
    both = " ".join(beside_fastest(*kind) for kind in (("200,000 rows", batch), ("one row", single)))
    return f"**{PREDICT.text}**\n\n{table(head, lines)}\n\n{both}"


def beside_fastest(what: str, took: dict[str, float]) -> str:
    """Our time as a share of the fastest peer's: the figure that a target is set for."""
    peer = min((side for side in took if side != "fattail"), key=took.__getitem__)
    return f"Of the fastest peer's time, {what} takes {ratio(took['fattail'], took[peer])} ({peer})."


def fastest(found: dict, field: str) -> float:
    """The least figure of a kind; a call from Python is not the library's and is taken off."""
    least = min(value for name, value in found.items() if name.startswith(field))
    return least - (found.get("call", 0.0) if field == "single" else 0.0)


def explanation(rounds: int) -> str:
    medians = ask(EXPLAIN, rounds)
    ours = medians["fattail"]["explain"]
    lines = [[side, f"{found['explain']:.3f} s", ratio(ours, found["explain"])]
             for side, found in medians.items()]
    return f"**{EXPLAIN.text}**\n\n{table(['system', 'takes', 'ours / its'], lines)}"


def ratio(ours: float, its: float) -> str:
    return f"{ours / its:.3f}"


def mebibytes(count: float) -> str:
    return f"{count / 2**20:,.0f} MiB"


def table(head: list[str], lines: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines])


def machine() -> str:
    """What the figures depend on, without the machine's name."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "?")
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True)
    peers = ", ".join(f"{name} {version(name)}" for name in (*PEERS, "numpy"))
    return (
        f"{model}, {os.cpu_count()} cores, {THREADS} threads a system; "
        f"{' '.join(rustc.stdout.split()[:2])}, release profile; Python {sys.version.split()[0]}; "
        f"{peers}; {date.today()}."
    )


NOTES = (
    "Medians of {rounds} rounds; in a round the systems take turns, each in a fresh process. All get the "
    "same learning rate, leaves, depth and least rows a leaf, no penalty and no sampling but of columns. "
    "Input is in memory before the clock starts: `int8` or `f32` rows for the peers (CatBoost: `f32` "
    "columns, LightGBM also an Arrow table of `int8`), `u8` or `f32` columns in a panel for fattail. Our "
    "training carries the filling of bins, which binning has timed once already. CatBoost samples "
    "columns for each split, not each tree. Ratios below 1 are in our favour."
)


def answers(only: str | None, rounds: int) -> Iterator[str]:
    wanted = [name for name in ASKED if only in (None, name)]
    yield from (training(question, rounds) for question in TRAINING if question.name in wanted)
    if "predict" in wanted:
        yield prediction(rounds)
    if "explain" in wanted:
        yield explanation(rounds)
    if "growth" in wanted:
        yield growth.answer(train, PLANS["shallow"], rounds, PICTURE)


def main() -> None:
    options = argparse.ArgumentParser(prog="gbdt", description=__doc__)
    options.add_argument("--rounds", type=int, default=3, help="measurements a side (default 3)")
    options.add_argument("--only", choices=ASKED, help="one question alone")
    options.add_argument("--write", action="store_true", help="write to docs/benchmarks.md")
    given = options.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    parts = [machine(), NOTES.format(rounds=given.rounds)]
    print("\n\n".join(parts), flush=True)
    for part in answers(given.only, given.rounds):
        print(f"\n{part}", flush=True)
        parts.append(part)
    if given.write:
        pages.write("gbdt", "Boosting", "\n\n".join(parts))


if __name__ == "__main__":
    main()
