"""PyTorch's side of `benches/mlp.rs`: `python mlp.py [--threads 2] [--seconds 3]`.

Trains the same network (layer norm, linear, ReLU, dropout 0.1, sigmoid head; Huber 0.1; global norm
clipped at 1; AdamW) eagerly, and prints one JSON line a question: the network's widths, rows in a
batch, and the median and the smallest microseconds of a step. A step is gathering by index, forward,
backward, clipping and AdamW. The first line compares nothing: it names the versions.
"""

import argparse
import json
import os
import statistics
import time


def network(torch, inputs: int, hidden: list[int]):
    layers = [torch.nn.LayerNorm(inputs)]
    for width in hidden:
        layers += [
            torch.nn.Linear(inputs, width),
            torch.nn.LayerNorm(width),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.1),
        ]
        inputs = width
    return torch.nn.Sequential(*layers, torch.nn.Linear(inputs, 1), torch.nn.Sigmoid())


def measure(torch, inputs: int, hidden: list[int], batch: int, seconds: float) -> list[float]:
    """Microseconds of steps, after ten that do not count."""
    torch.manual_seed(1)
    rows = 200_000
    features = torch.rand(rows, inputs) * 2 - 1
    target = (0.5 + 0.3 * features[:, :1] - 0.2 * features[:, 1:2] * features[:, 2:3]).clamp(0, 1)
    model = network(torch, inputs, hidden).train()
    if hidden == [16, 8] and inputs == 5:
        assert sum(parameter.numel() for parameter in model.parameters()) == 299
    loss = torch.nn.HuberLoss(delta=0.1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    order = torch.randperm(rows)
    times, start = [], time.perf_counter()
    for step in range(1_000_000):
        at = (step * batch) % (rows - batch)
        begin = time.perf_counter()
        chosen = order[at : at + batch]
        optimiser.zero_grad()
        loss(model(features[chosen]), target[chosen]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        times.append((time.perf_counter() - begin) * 1e6)
        if step >= 20 and time.perf_counter() - start > seconds:
            break
    return times[10:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each question")
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(asked.threads)
    import torch

    torch.set_num_threads(asked.threads)
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    questions = [
        (5, [16, 8], 16),
        (5, [16, 8], 4096),
        (64, [64, 32], 4096),
        (64, [128, 128], 4096),
        (64, [256, 256], 4096),
    ]
    for inputs, hidden, batch in questions:
        times = measure(torch, inputs, hidden, batch, asked.seconds)
        line = {
            "widths": [inputs, *hidden, 1],
            "batch": batch,
            "median_us": round(statistics.median(times), 1),
            "smallest_us": round(min(times), 1),
            "steps": len(times),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
