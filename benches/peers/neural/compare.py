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


def attention(rounds: int) -> None:
    print("\n| attention, 16 heads of 64, length | fattail, ms | PyTorch, ms | ratio | fattail's memory, MiB |")
    print("|---|---|---|---|---|")
    for length in [1024, 4096]:
        ours, theirs = [], []
        for _ in range(rounds):
            theirs.append(ask(sys.executable, HERE / "attention.py", "--length", length)["forward_backward_ms"])
            ours.append(ask(OURS, "attention", length, 5))
        a, b = median(found["forward_backward_ms"] for found in ours), median(theirs)
        extra = max(found["extra_bytes"] for found in ours) / 2**20
        print(f"| {length} | {a:.4g} | {b:.4g} | {a / b:.3f} | {extra:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--only", choices=STEPS)
    asked = parser.parse_args()
    print("| network | batch | fattail, ms a step | PyTorch, ms a step | ratio |\n|---|---|---|---|---|")
    for name in [asked.only] if asked.only else STEPS:
        steps = asked.steps * (2000 if name == "mlp16" else 1)
        # Of two threads PyTorch loses by small networks: it gets the better of one and two.
        threads = [1, 2] if name.startswith("mlp") else [2]
        ours, theirs = [], {count: [] for count in threads}
        for _ in range(asked.rounds):
            for count, found in theirs.items():
                python = [sys.executable, HERE / "steps.py", name, min(steps, 2000), "--threads", count]
                found.append(ask(*python)["median_ms"])
            ours.append(ask(OURS, "step", name, steps))
        a = median(found["median_ms"] for found in ours)
        b = min(median(found) for found in theirs.values())
        print(f"| {name} | {ours[0]['batch']} | {a:.4g} | {b:.4g} | {a / b:.3f} |", flush=True)
    if asked.only:
        return
    attention(asked.rounds)
    print("\n| network | batch | pre-flight, MiB | peak, MiB | ratio |\n|---|---|---|---|---|")
    for name, batch in MEMORY:
        found = ask(OURS, "memory", name, batch)
        mib = [found[part] / 2**20 for part in ("estimate", "peak")]
        print(f"| {name} | {batch} | {mib[0]:.3f} | {mib[1]:.3f} | {found['ratio']:.3f} |", flush=True)


if __name__ == "__main__":
    main()
