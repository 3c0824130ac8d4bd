"""Seconds that pypbo takes for the probability of backtest overfitting, as one line of JSON.

    python pbo.py FILE --strategies 1000 --blocks 8

FILE holds the scores as 64-bit floats, strategy after strategy. pypbo keeps both halves of every combination in
memory, `C(S, S/2) · T · N · 8` bytes: 206 GB for 1,000 strategies of 2,000 eras in 16 blocks. What does not fit is
refused here before it starts; measure fewer blocks and multiply, since the work is that of
`combinations · eras · strategies`.
"""

import argparse
import json
import math
import resource
import time

import numpy as np
import psutil
import pypbo


def sharpe(half: np.ndarray) -> np.ndarray:
    """Mean over standard deviation of each column, the fastest form numpy has."""
    return half.mean(axis=0) / half.std(axis=0, ddof=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--strategies", type=int, default=1000)
    parser.add_argument("--blocks", type=int, default=8)
    args = parser.parse_args()

    scores = np.fromfile(args.file).reshape(args.strategies, -1).T.copy()
    combinations = math.comb(args.blocks, args.blocks // 2)
    needed, available = combinations * scores.nbytes, psutil.virtual_memory().available
    if needed > 0.8 * available:
        parser.exit(2, f"needs {needed / 1e9:.1f} GB, {available / 1e9:.1f} GB are available\n")

    start = time.perf_counter()
    found = pypbo.pbo(scores, args.blocks, metric_func=sharpe, threshold=0.0)
    seconds = time.perf_counter() - start
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "agree": float(found.pbo), "work": combinations, "peak": peak}))


if __name__ == "__main__":
    main()
