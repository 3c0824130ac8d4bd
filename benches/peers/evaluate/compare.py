"""Runs pypbo and skfolio beside fattail in turn, checks that they agree, and prints the ratios."""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
DATA = ROOT / "target" / "peers-backtest"
OURS = ROOT / "target" / "release" / "backtest"
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- backtest: begin -->", "<!-- backtest: end -->"


@dataclass(frozen=True)
class Question:
    name: str
    text: str
    peer: str
    threads: int  # of the peer; fattail has two
    tolerance: float  # of the relative difference
    theirs: tuple[str, ...]
    ours: tuple[str, ...]
    file: str
    multiplied: float = 1.0  # the peer measures a part of the work


def pbo(name: str, blocks: int, measured: int) -> Question:
    """1,000 strategies of 2,000 eras; the peer in so many blocks as it has memory for."""
    part = math.comb(blocks, blocks // 2) / math.comb(measured, measured // 2)
    note = f", peer: {measured} blocks, times {part:.0f}" if part > 1 else ""
    return Question(
        name, f"PBO of 1,000 strategies x 2,000 eras, S = {blocks}{note}", "pypbo", 2, 1e-9,
        ("pbo.py", "--strategies", "1000", "--blocks", f"{measured}"), ("pbo", "1000", f"{blocks}"),
        "scores.f64", part,
    )


def cpcv(name: str, eras: int, rows: int, features: int, threads: int) -> Question:
    text = f"CPCV(10, 3) of ridge, {eras} eras x {rows} rows x {features} features, 120 fits"
    return Question(
        name, text, "skfolio, scikit-learn", threads, 1e-4,
        ("cpcv.py", "--eras", f"{eras}", "--features", f"{features}"), ("cpcv", f"{eras}", f"{features}"),
        f"panel_{eras}_{rows}_{features}.f32",
    )


QUESTIONS = (
    pbo("pbo", 8, 8),
    pbo("pbo16", 16, 8),
    cpcv("cpcv", 400, 500, 50, 2),
    cpcv("cpcv_one", 400, 500, 50, 1),
    cpcv("cpcv_small", 200, 10, 20, 1),
)


def make() -> None:
    """Scores without skill and panels with a weak linear signal, where they are not there yet."""
    DATA.mkdir(parents=True, exist_ok=True)
    for file in sorted({question.file for question in QUESTIONS}):
        if (DATA / file).exists():
            continue
        random = np.random.default_rng(1)
        if file == "scores.f64":
            random.standard_normal((1000, 2000)).tofile(DATA / file)
            continue
        eras, rows, features = map(int, file.removesuffix(".f32").split("_")[1:])
        values = random.standard_normal((features, eras * rows), dtype=np.float32)
        slopes = random.standard_normal(features, dtype=np.float32) * np.float32(0.02)
        target = slopes @ values + random.standard_normal(eras * rows, dtype=np.float32)
        np.vstack([values, target[None]]).astype("<f4").tofile(DATA / file)


def measure(question: Question, side: str) -> dict:
    """One measurement in a fresh process."""
    threads = str(question.threads if side == "peer" else 2)
    pools = ("RAYON", "OMP", "OPENBLAS", "MKL")
    limits = {f"{pool}_NUM_THREADS": threads for pool in pools}
    file = str(DATA / question.file)
    if side == "peer":
        script, *options = question.theirs
        command = [sys.executable, str(HERE / script), file, *options]
    else:
        kind, *options = question.ours
        command = [str(OURS), kind, file, *options]
    done = subprocess.run(command, env=os.environ | limits, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{question.name}: {side} ended with exit code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def ask(question: Question, rounds: int) -> list[str]:
    """Peer, fattail, peer, fattail, ...: a row of the table."""
    seen: dict[str, list[dict]] = {"peer": [], "fattail": []}
    for _ in range(rounds):
        for side in seen:
            print(f"{question.name}: {side}", file=sys.stderr)
            seen[side].append(measure(question, side))
    theirs, ours = (median(one["seconds"] for one in seen[side]) for side in ("peer", "fattail"))
    theirs *= question.multiplied
    peaks = [max(one["peak"] for one in seen[side]) / 2**20 for side in seen]
    agreement = "not compared: other blocks"
    if question.multiplied == 1:
        a, b = (seen[side][0]["agree"] for side in seen)
        apart = abs(a - b) / max(abs(a), 1e-300)
        agreement = f"{apart:.1e}" + ("" if apart <= question.tolerance else " TOO FAR")
    return [
        question.text, question.peer, f"{question.threads}", f"{theirs:.3f} s", f"{ours:.4f} s",
        f"{theirs / ours:.1f}", f"{peaks[0]:,.0f} MiB", f"{peaks[1]:,.0f} MiB", agreement,
    ]


def table(rows: list[list[str]]) -> str:
    head = ["question", "peer", "its threads", "peer takes", "fattail takes", "times faster",
            "peer's memory", "fattail's memory", "relative difference"]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *rows])


def machine() -> str:
    """What the figures depend on, without the machine's name."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "?")
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True)
    peers = ("rltrade-pypbo", "skfolio", "scikit-learn", "numpy")
    named = ", ".join(f"{name} {version(name)}" for name in peers)
    return (
        f"{model}, {os.cpu_count()} cores; {' '.join(rustc.stdout.split()[:2])}, release profile; "
        f"Python {platform.python_version()}; {named}; {date.today()}."
    )


def main() -> None:
    options = argparse.ArgumentParser(prog="backtest", description=__doc__)
    options.add_argument("--rounds", type=int, default=3, help="measurements a side (default 3)")
    options.add_argument("--only", choices=[q.name for q in QUESTIONS], help="one question alone")
    options.add_argument("--write", action="store_true", help="write the table to docs/benchmarks.md")
    given = options.parse_args()
    make()
    rows = [ask(q, given.rounds) for q in QUESTIONS if given.only in (None, q.name)]
    notes = (
        f"Medians of {given.rounds} runs a side, in turn, each in a fresh process with its input in memory; fattail "
        "has two threads. pypbo holds both halves of every combination, 206 GB for S = 16, so that it is measured "
        "with 8 blocks and multiplied by the combinations. The sides must agree: PBO, and the sum of all squared "
        "predictions. fattail's ridge makes standard errors as well, which scikit-learn has none of. Memory is that "
        "of the whole process."
    )
    text = f"{machine()}\n\n{notes}\n\n{table(rows)}"
    print(text)
    if given.write:
        before, rest = PAGE.read_text().split(BEGIN, 1)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}")
    if any("TOO FAR" in line[-1] for line in rows):
        raise SystemExit("fattail and a peer differ: see the last column")


if __name__ == "__main__":
    main()
