"""How long two of PyTorch's nn.TransformerEncoderLayer take, forward and backward: prints JSON in milliseconds.

Batch 256, length 32, width 64, 4 heads, feed-forward 256, GELU, norm first: the sizes of `benches/attention.rs`.
"""

import argparse
import json
import time
from statistics import median

import torch
from torch import nn


def timed(dropout: float, rounds: int) -> dict[str, float]:
    layers = nn.Sequential(
        *(
            nn.TransformerEncoderLayer(64, 4, 256, dropout, "gelu", batch_first=True, norm_first=True)
            for _ in range(2)
        )
    )
    rows = torch.randn(256, 32, 64, requires_grad=True)
    grad_out = torch.randn(256, 32, 64)
    forward, both = [], []
    for _ in range(rounds + 3):
        start = time.perf_counter()
        out = layers(rows)
        forward.append(1e3 * (time.perf_counter() - start))
        out.backward(grad_out)
        both.append(1e3 * (time.perf_counter() - start))
    return {
        "forward_ms": median(forward[3:]),
        "forward_backward_ms": median(both[3:]),
        "forward_backward_least_ms": min(both[3:]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    torch.manual_seed(1)
    result = {"torch": torch.__version__, "threads": settings.threads}
    for name, dropout in (("plain", 0.0), ("dropout", 0.1)):
        result[name] = timed(dropout, settings.rounds)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
