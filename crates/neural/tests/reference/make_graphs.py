"""Writes `graphs.json`: GATv2 with a residual path, from PyTorch Geometric (versions in `requirements.txt`).

Parameters and inputs are float32; outputs and gradients are computed from them in float64. Run it in this folder:
`venv/bin/python make_graphs.py`.
"""

import json
from pathlib import Path

import torch
import torch_geometric
from torch_geometric.nn import GATv2Conv

from models import OnGraph

HERE = Path(__file__).parent
NODES = 5
# A loop, a double edge, and a node without incoming edges.
EDGES = [[0, 1, 2, 2, 3, 4, 4, 1], [1, 2, 0, 0, 3, 1, 2, 3]]


def numbers(value: torch.Tensor) -> list[float]:
    return [float(x) for x in value.detach().to(torch.float32).reshape(-1)]


def case(name: str, seed: int, **choice) -> dict:
    torch.manual_seed(seed)
    settings = {"in_channels": 3, "out_channels": 2, "heads": 2, "edge_dim": 2, "negative_slope": 0.2, "residual": True}
    settings |= choice
    model = OnGraph(GATv2Conv(**settings), EDGES, NODES)
    with torch.no_grad():
        model.conv.bias.copy_(0.3 * torch.randn_like(model.conv.bias))
    x, features = torch.randn(2, NODES, 3), torch.randn(len(EDGES[0]), 2)
    state = {key: numbers(value) for key, value in model.conv.state_dict().items()}
    shapes = {key: list(value.shape) for key, value in model.conv.state_dict().items()}
    model = model.double()
    x, features = x.double().requires_grad_(), features.double().requires_grad_()
    y = model(x, features)
    weight = torch.randn_like(y).float().double()
    (y * weight).sum().backward()
    gradients = {key: numbers(value.grad) for key, value in model.conv.named_parameters()}
    return {
        "name": name, "settings": settings, "x": numbers(x), "edge_features": numbers(features), "state": state,
        "shapes": shapes, "y": numbers(y), "weight": numbers(weight), "gradients": gradients,
        "gradient_x": numbers(x.grad), "gradient_edge_features": numbers(features.grad),
    }


def main() -> None:
    cases = [
        case("residual beside heads", 1, concat=True),
        case("residual on the mean of heads", 2, concat=False),
        case("residual with shared sides", 3, concat=False, share_weights=True),
        case("residual without loops", 4, concat=True, add_self_loops=False),
    ]
    versions = {"torch": torch.__version__, "torch_geometric": torch_geometric.__version__}
    whole = {"versions": versions, "nodes": NODES, "edges": EDGES, "cases": cases}
    (HERE / "graphs.json").write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
