"""How long PyTorch Geometric's GATv2 takes: prints JSON with the median and the least milliseconds.

A batch is 256 samples on one graph of 42 nodes with 8 neighbours and a loop each, 4 heads of 16, as one large graph,
which is how PyTorch Geometric batches. `layer` is the forward and backward pass of one GATv2Conv(64, 16, heads=4),
`step` a training step of two of them with ELU between, mean over nodes, a head, Huber loss and AdamW.
"""

import argparse
import json
import time
from statistics import median

import torch
import torch_geometric
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.nn import GATv2Conv

NODES, NEIGHBOURS, HEADS, WIDTH, EDGE_WIDTH = 42, 8, 4, 16, 3


class Network(nn.Module):
    def __init__(self, edge_width: int | None) -> None:
        super().__init__()
        settings = {"heads": HEADS, "edge_dim": edge_width, "add_self_loops": False}
        self.first = GATv2Conv(HEADS * WIDTH, WIDTH, **settings)
        self.second = GATv2Conv(HEADS * WIDTH, WIDTH, **settings)
        self.head = nn.Linear(HEADS * WIDTH, 1)

    def forward(self, x: Tensor, edges: Tensor, features: Tensor | None) -> Tensor:
        x = F.elu(self.first(x, edges, features))
        x = F.elu(self.second(x, edges, features))
        return self.head(x.reshape(-1, NODES, HEADS * WIDTH).mean(dim=1))[:, 0]


def graph(batch: int) -> Tensor:
    """Loops are in the list already: both sides time the same edges."""
    node = torch.arange(NODES)
    sources = torch.cat([(node + step * step) % NODES for step in range(NEIGHBOURS + 1)])
    one = torch.stack([sources, node.repeat(NEIGHBOURS + 1)])
    return torch.cat([one + sample * NODES for sample in range(batch)], dim=1)


def timed(name: str, work, rounds: int) -> dict[str, float]:
    took = []
    for _ in range(rounds + 3):
        start = time.perf_counter()
        work()
        took.append(1e3 * (time.perf_counter() - start))
    return {f"{name}_ms": median(took[3:]), f"{name}_least_ms": min(took[3:])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--edges", action="store_true", help="with an edge term")
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    torch.manual_seed(1)
    edges = graph(settings.batch)
    features = None
    if settings.edges:
        features = torch.randn(NODES * (NEIGHBOURS + 1), EDGE_WIDTH).repeat(settings.batch, 1)
    network = Network(EDGE_WIDTH if settings.edges else None)
    x = torch.randn(settings.batch * NODES, HEADS * WIDTH, requires_grad=True)
    outer = torch.randn(settings.batch * NODES, HEADS * WIDTH)
    target = torch.randn(settings.batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)

    def layer() -> None:
        network.first(x, edges, features).backward(outer)

    def step() -> None:
        optimizer.zero_grad()
        F.huber_loss(network(x.detach(), edges, features), target, delta=0.1).backward()
        optimizer.step()

    report = {
        "torch": torch.__version__, "torch_geometric": torch_geometric.__version__, "threads": settings.threads,
        "batch": settings.batch, "edge_term": settings.edges,
    }
    print(json.dumps(report | timed("layer", layer, settings.rounds) | timed("step", step, settings.rounds)))


if __name__ == "__main__":
    main()
