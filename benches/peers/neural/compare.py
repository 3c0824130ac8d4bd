"""Networks beside PyTorch in one run: `python compare.py [--rounds 3] [--steps 15] [--only NAME]`.

Both sides in turn, each measurement a process of its own; the ratio is that of the medians of the rounds.
Then what the pre-flight says that a step takes, beside the most that was allocated. Prints Markdown.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
OURS = HERE.parents[2] / "target" / "release" / "neural"
STEPS = ["mlp16", "mlp4096", "wide", "transformer", "numbers", "bins", "lstm", "gru", "vae", "gatv2", "gin"]
MEMORY = [
    ("mlp16", 16), ("mlp", 4096), ("wide", 1024), ("transformer", 64), ("transformer", 256), ("recomputed", 256),
    ("numbers", 256), ("bins", 256), ("patches", 256), ("lstm", 256), ("gru", 256), ("vae", 1024), ("gatv2", 256),
    ("gin", 256),
]  # fmt: skip


def ask(*command: object) -> dict:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--only", choices=STEPS)
    asked = parser.parse_args()
    print("| network | batch | fattail, ms a step | PyTorch, ms a step | ratio |\n|---|---|---|---|---|")
    for name in [asked.only] if asked.only else STEPS:
        steps = asked.steps * (2000 if name == "mlp16" else 1)
        ours, theirs = [], []
        for _ in range(asked.rounds):
            theirs.append(ask(sys.executable, HERE / "steps.py", name, min(steps, 2000)))
            ours.append(ask(OURS, "step", name, steps))
        a, b = (median(found["median_ms"] for found in side) for side in (ours, theirs))
        print(f"| {name} | {ours[0]['batch']} | {a:.4g} | {b:.4g} | {a / b:.3f} |", flush=True)
    if asked.only:
        return
    print("\n| network | batch | pre-flight, MiB | peak, MiB | ratio |\n|---|---|---|---|---|")
    for name, batch in MEMORY:
        found = ask(OURS, "memory", name, batch)
        mib = [found[part] / 2**20 for part in ("estimate", "peak")]
        print(f"| {name} | {batch} | {mib[0]:.3f} | {mib[1]:.3f} | {found['ratio']:.3f} |", flush=True)


if __name__ == "__main__":
    main()
