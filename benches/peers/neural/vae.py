"""How long a training step of a variational autoencoder takes in PyTorch: prints JSON in milliseconds.

4,096 rows of 512 features, one hidden layer of 256 on either side, 32 latents, beta 1. `layer` is the forward and
backward pass of one nn.Linear(512, 256) alone, as in `benches/attention.rs`, and with an activation behind it.
"""

import argparse
import json
import time
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROWS, FEATURES, HIDDEN, LATENTS = 4096, 512, 256, 32


class Vae(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Linear(FEATURES, HIDDEN)
        self.moments = nn.Linear(HIDDEN, 2 * LATENTS)
        self.decode = nn.Linear(LATENTS, HIDDEN)
        self.rebuild = nn.Linear(HIDDEN, FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        mean, log_variance = self.moments(F.gelu(self.encode(x))).chunk(2, dim=1)
        latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        rebuilt = self.rebuild(F.gelu(self.decode(latent)))
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)
        return (0.5 * (rebuilt - x).square().sum(dim=1) + divergence).mean()


def timed(work, rounds: int) -> dict[str, float]:
    took = []
    for _ in range(rounds + 3):
        start = time.perf_counter()
        work()
        took.append(1e3 * (time.perf_counter() - start))
    return {"ms": median(took[3:]), "least_ms": min(took[3:])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    torch.manual_seed(1)
    model, x = Vae(), torch.randn(ROWS, FEATURES)
    optimizer = torch.optim.AdamW(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        model(x).backward()
        optimizer.step()

    rows, grad_out = torch.randn(ROWS, FEATURES, requires_grad=True), torch.randn(ROWS, HIDDEN)
    layer = nn.Linear(FEATURES, HIDDEN)
    result = {"torch": torch.__version__, "threads": settings.threads, "step": timed(step, settings.rounds)}
    for name, activation in (("Identity", lambda x: x), ("Relu", F.relu), ("Gelu", F.gelu)):
        result[name] = timed(lambda: activation(layer(rows)).backward(grad_out), settings.rounds)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
