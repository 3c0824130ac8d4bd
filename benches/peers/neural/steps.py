"""Training steps of PyTorch, beside `neural step`: `python steps.py NAME ROUNDS` prints one JSON line.

A step is forward, Huber's loss with delta 0.1, backward, the global norm clipped at 1, and AdamW. Networks,
batches and widths are those of `benches/src/bin/neural/networks.rs`.
"""

import argparse
import json
import time
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Perceptron(nn.Module):
    def __init__(self, inputs: int, hidden: list[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.LayerNorm(inputs)]
        for width in hidden:
            layers += [nn.Linear(inputs, width), nn.LayerNorm(width), nn.ReLU(), nn.Dropout(0.1)]
            inputs = width
        self.body = nn.Sequential(*layers, nn.Linear(inputs, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)[:, 0]


def encoder(width: int, heads: int, hidden: int, layers: int) -> nn.Module:
    layer = nn.TransformerEncoderLayer(width, heads, hidden, 0.1, "gelu", batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)


class Sequence(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.encoder, self.head = nn.Linear(16, 64), encoder(64, 4, 256, 2), nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(self.embed(x.reshape(-1, 32, 16)))[:, -1])[:, 0]


class Features(nn.Module):
    def __init__(self, bins: int) -> None:
        super().__init__()
        shape = (42, bins, 32) if bins else (42, 32)
        self.weight, self.bias = nn.Parameter(torch.randn(shape)), nn.Parameter(torch.randn(42, 32))
        self.first = nn.Parameter(torch.randn(32))
        self.encoder, self.head = encoder(32, 4, 64, 2), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.dim() == 3:
            token = self.weight[torch.arange(42), x.long()] + self.bias
        else:
            token = x[..., None] * self.weight + self.bias
        token = torch.cat([self.first.expand(x.shape[0], 1, -1), token], dim=1)
        return self.head(self.encoder(token)[:, 0])[:, 0]


class Recurrent(nn.Module):
    def __init__(self, cell: type[nn.Module]) -> None:
        super().__init__()
        self.cell, self.head = cell(16, 64, 2, batch_first=True, dropout=0.1), nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cell(x.reshape(-1, 32, 16))[0][:, -1])[:, 0]


class Vae(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.mu, self.logvar = nn.Linear(310, 256), nn.Linear(256, 32), nn.Linear(256, 32)
        self.decoder, self.output = nn.Linear(32, 256), nn.Linear(256, 310)

    def loss(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.encoder(x))
        mu, logvar = self.mu(hidden), self.logvar(hidden)
        latent = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        error = (x - self.output(F.relu(self.decoder(latent)))).square().sum(dim=1).mean()
        divergence = 0.5 * (mu.square() + logvar.exp() - logvar - 1).mean(dim=0)
        return error + 0.5 * divergence.clamp(min=0.05).sum()


class Graph(nn.Module):
    def __init__(self, kind: str, batch: int) -> None:
        super().__init__()
        from torch_geometric.nn import GATv2Conv, GINConv

        node = torch.arange(42)
        sources = torch.cat([(node + step * step) % 42 for step in range(1, 9)])
        edges = torch.stack([sources, node.repeat(8)])
        loops = torch.stack([node, node])
        edges = torch.cat([edges, loops], dim=1)
        self.edges = torch.cat([edges + 42 * sample for sample in range(batch)], dim=1)
        self.features = torch.full((self.edges.shape[1], 1), 0.5)
        self.weight, self.bias = nn.Parameter(torch.randn(42, 64)), nn.Parameter(torch.randn(42, 64))
        self.norms, self.layers = nn.ModuleList(), nn.ModuleList()
        for _ in range(2):
            self.norms.append(nn.LayerNorm(64))
            if kind == "gatv2":
                self.layers.append(GATv2Conv(64, 16, heads=4, edge_dim=1, add_self_loops=False))
            else:
                inside = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64))
                self.layers.append(GINConv(inside, train_eps=True))
        self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = (x[..., None] * self.weight + self.bias).reshape(-1, 64)
        for norm, layer in zip(self.norms, self.layers):
            extra = (self.features,) if hasattr(layer, "lin_edge") else ()
            x = x + F.relu(layer(norm(x), self.edges, *extra))
        return self.head(self.norm(x.reshape(-1, 42, 64).mean(dim=1)))[:, 0]


NETWORKS = {
    "mlp16": (lambda batch: Perceptron(5, [16, 8]), 5, 16),
    "mlp4096": (lambda batch: Perceptron(5, [16, 8]), 5, 4096),
    "wide": (lambda batch: Perceptron(310, [512, 256]), 310, 1024),
    "transformer": (lambda batch: Sequence(), 512, 256),
    "numbers": (lambda batch: Features(0), 42, 256),
    "bins": (lambda batch: Features(5), 42, 256),
    "lstm": (lambda batch: Recurrent(nn.LSTM), 512, 256),
    "gru": (lambda batch: Recurrent(nn.GRU), 512, 256),
    "vae": (lambda batch: Vae(), 310, 1024),
    "gatv2": (lambda batch: Graph("gatv2", batch), 42, 256),
    "gin": (lambda batch: Graph("gin", batch), 42, 256),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=NETWORKS)
    parser.add_argument("rounds", type=int)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(1)
    make, width, batch = NETWORKS[asked.name]
    network = make(batch).train()
    x = torch.randn(batch, width)
    if asked.name == "bins":
        x = (2 + x).clamp(0, 4).floor()
    y = (0.5 + 0.1 * x[:, 0]).clamp(0, 1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)
    took = []
    for _ in range(asked.rounds + 3):
        start = time.perf_counter()
        optimiser.zero_grad()
        loss = network.loss(x) if asked.name == "vae" else F.huber_loss(network(x), y, delta=0.1)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        took.append(1e3 * (time.perf_counter() - start))
    took = took[3:]
    found = {"name": asked.name, "batch": batch, "median_ms": median(took), "least_ms": min(took)}
    print(json.dumps({**found, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
