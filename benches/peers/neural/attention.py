"""How long PyTorch's scaled_dot_product_attention takes, forward and backward: prints JSON in milliseconds.

16 heads of 64, float32, no mask: the sizes of `benches/attention.rs`.
"""

import argparse
import json
import time
from statistics import median

import torch
from torch.nn import functional as F


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--length", type=int, default=4096)
    parser.add_argument("--heads", type=int, default=16)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--causal", action="store_true")
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    torch.manual_seed(1)
    shape = (1, settings.heads, settings.length, settings.width)
    query, key, value = (torch.randn(shape, requires_grad=True) for _ in range(3))
    grad_out = torch.randn(shape)
    forward, both = [], []
    for _ in range(settings.rounds + 1):
        start = time.perf_counter()
        out = F.scaled_dot_product_attention(query, key, value, is_causal=settings.causal)
        forward.append(1e3 * (time.perf_counter() - start))
        out.backward(grad_out)
        both.append(1e3 * (time.perf_counter() - start))
    result = {
        "torch": torch.__version__,
        "threads": settings.threads,
        "length": settings.length,
        "forward_ms": median(forward[1:]),
        "forward_backward_ms": median(both[1:]),
        "forward_backward_least_ms": min(both[1:]),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
