"""Runs every peer and fattail in turn, checks that they agree, and prints the ratios."""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = ROOT / "target"
DATA, VALUES = TARGET / "peers-data", TARGET / "peers-values"
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"


@dataclass(frozen=True)
class Question:
    name: str
    text: str
    peers: tuple[str, ...]
    threads: int
    tolerance: float  # of a value's difference, relative to max(1, |value|)
    memory: str  # which figure of memory is asked: "extra" or "peak"


QUESTIONS = (
    Question(
        "scores",
        "CORR, MMC and FNC (42 features) of 1,000 eras x 5,000 rows",
        ("numerai-tools",), 1, 1e-9, "extra",
    ),
    Question(
        "rolling",
        "mean, std, min and max over 200 rows of 50 columns x 1,000,000 rows",
        ("pandas", "polars"), 2, 1e-6, "extra",
    ),
    Question(
        "robust",
        "robust scaler, fitted and applied, 1,000,000 x 20",
        ("scikit-learn",), 2, 1e-9, "extra",
    ),
    Question(
        "quantile",
        "quantile-normal scaler with 1,000 quantiles, fitted and applied, 1,000,000 x 20",
        ("scikit-learn",), 2, 1e-9, "extra",
    ),
    Question(
        "parquet",
        "Parquet of 500,000 x 500 int8 to a panel (peer: to a matrix)",
        ("pyarrow",), 2, 0.0, "peak",
    ),
)


def measure(question: Question, side: str) -> dict:
    """One measurement in a fresh process; adds where its values lie."""
    values = VALUES / f"{question.name}-{side}.f64"
    program = [str(TARGET / "release" / "peers"), question.name]
    if side != "fattail":
        program = [sys.executable, str(HERE / "peer.py"), question.name, side]
    threads = str(question.threads)
    pools = ("RAYON", "POLARS_MAX", "OMP", "OPENBLAS", "MKL")
    limits = {f"{p}_THREADS" if p == "POLARS_MAX" else f"{p}_NUM_THREADS": threads for p in pools}
    command = [*program, str(DATA), str(values)]
    done = subprocess.run(command, env=os.environ | limits, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{question.name}: {side} ended with exit code {done.returncode}")
    return json.loads(done.stdout) | {"values": values}


def difference(question: Question, peer: str) -> float:
    """The largest difference of the two sides' values, relative to max(1, |value|)."""
    ours, theirs = (np.fromfile(VALUES / f"{question.name}-{s}.f64") for s in ("fattail", peer))
    if ours.size != theirs.size or ours.size == 0:
        raise SystemExit(f"{question.name}: {ours.size} values beside {theirs.size} of {peer}")
    apart = np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs))
    apart[np.isnan(ours) & np.isnan(theirs)] = 0.0
    return float(apart.max())


def ask(question: Question, rounds: int) -> list[list[str]]:
    """Peer, fattail, peer, fattail, ...: a row of the table for each peer, and whether all agree."""
    seen: dict[str, list[dict]] = {}
    for _ in range(rounds):
        for peer in question.peers:
            for side in (peer, "fattail"):
                print(f"{question.name}: {side}", file=sys.stderr)
                seen.setdefault(side, []).append(measure(question, side))
    return [row(question, peer, seen) for peer in question.peers]


def row(question: Question, peer: str, seen: dict[str, list[dict]]) -> list[str]:
    def middle(side: str, field: str) -> float:
        return median(one[field] for one in seen[side])

    times = [middle(side, "seconds") for side in (peer, "fattail")]
    memory = [middle(side, question.memory) / 2**20 for side in (peer, "fattail")]
    apart = difference(question, peer)
    agree = apart <= question.tolerance
    return [
        question.text, f"{question.threads}", peer, f"{times[0]:.3f} s", f"{times[1]:.3f} s",
        f"{times[0] / times[1]:.1f}", f"{memory[0]:,.0f} MiB {question.memory}",
        f"{memory[1]:,.0f} MiB {question.memory}",
        f"{apart:.1e}" + ("" if agree else f" MORE THAN {question.tolerance:.0e}"),
    ]


def table(rows: list[list[str]]) -> str:
    head = ["question", "threads", "peer", "peer takes", "fattail takes", "times faster",
            "peer's memory", "fattail's memory", "largest difference"]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    """What the figures depend on, without the machine's name."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "?")
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True)
    named = (line.split("==")[0] for line in (HERE / "requirements.txt").read_text().splitlines()[1:8])
    peers = ", ".join(f"{name} {version(name)}" for name in named)
    return (
        f"{model}, {os.cpu_count()} cores; {' '.join(rustc.stdout.split()[:2])}, release profile; "
        f"Python {sys.version.split()[0]}; {peers}; {date.today()}."
    )


def page(text: str) -> str:
    """The page with what stands between the two marks replaced."""
    old = PAGE.read_text() if PAGE.exists() else f"# Benchmarks\n\n{BEGIN}\n{END}\n"
    if BEGIN not in old:
        old = f"{old.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, rest = old.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}"


def main() -> None:
    options = argparse.ArgumentParser(prog="run", description=__doc__)
    options.add_argument("--rounds", type=int, default=3, help="measurements a side (default 3)")
    options.add_argument("--only", choices=[q.name for q in QUESTIONS], help="one question alone")
    options.add_argument("--write", action="store_true", help="write the table to docs/benchmarks.md")
    given = options.parse_args()
    VALUES.mkdir(parents=True, exist_ok=True)
    asked = [q for q in QUESTIONS if given.only in (None, q.name)]
    rows = [line for question in asked for line in ask(question, given.rounds)]
    notes = (
        f"Medians of {given.rounds} runs a side (fattail: that for each peer), sides in turn, each in a "
        "fresh process; input is in memory before the clock starts, except the Parquet file. "
        "numerai-tools scores 50 of the eras and its time is multiplied by 20. "
        "`extra` memory is what the work takes beyond its input and output, `peak` that of the whole "
        "process. Differences are relative to max(1, |value|)."
    )
    text = f"{machine()}\n\n{notes}\n\n{table(rows)}"
    print(text)
    if given.write:
        PAGE.write_text(page(text))
    if any("MORE THAN" in line[-1] for line in rows):
        raise SystemExit("fattail and a peer differ: see the last column")


if __name__ == "__main__":
    main()
