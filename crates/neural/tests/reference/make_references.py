"""Writes the reference outputs and gradients of PyTorch and PyTorch Geometric; see README.md.

Inputs and parameters are rounded to float32; outputs and gradients are computed from them in float64 and then
rounded, so that they carry no rounding of PyTorch's own sums. The script also runs every case in float32 and stops
if PyTorch itself misses the tolerances that the tests ask for.
"""

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch_geometric
from torch import Tensor, nn
from torch_geometric.nn import GATv2Conv, GINConv

from models import Attention, EncoderLayer, FeatureTransformer, Mlp, OnGraph, Recurrent, RotaryAttention, Vae

HERE = Path(__file__).resolve().parent
VERSIONS = {"torch": torch.__version__, "torch_geometric": torch_geometric.__version__}
FORWARD, GRADIENT = 1e-5, 1e-4
LARGEST_TOTAL = 1_000_000

# Six nodes: node 4 has a self loop already, 0 -> 1 stands twice, nothing points at node 5.
EDGES = [[0, 1, 2, 3, 4, 4, 5, 2, 0, 0, 1], [1, 2, 0, 2, 4, 3, 0, 3, 4, 1, 0]]
NODES = 6


@dataclass
class Case:
    name: str
    model: nn.Module
    inputs: dict[str, Tensor]
    settings: dict
    in_loss: tuple[str, ...] = ("y",)
    state_file: bool = False
    whole: set[str] = field(default_factory=set)  # inputs that are indices: no gradient


def write_safetensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """The format is eight bytes of length, a JSON header, and the values."""
    header, blobs, at = {"__metadata__": VERSIONS}, [], 0
    for name in sorted(tensors):
        blob = tensors[name].detach().to(torch.float32).contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def run(case: Case, weights: dict[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Outputs, and gradients of the sum of outputs times weights."""
    model = case.model.to(dtype).train()
    model.zero_grad()
    inputs = {
        name: value.to(dtype).detach().requires_grad_(name not in case.whole) for name, value in case.inputs.items()
    }
    out = model(**inputs)
    out = out if isinstance(out, dict) else {"y": out}
    sum((out[name] * weights[name].to(dtype)).sum() for name in case.in_loss).backward()
    found = {f"output.{name}": value for name, value in out.items()}
    found |= {f"gradient.input.{name}": value.grad for name, value in inputs.items() if name not in case.whole}
    slopes = {name: value.grad for name, value in model.named_parameters()}
    found |= {f"gradient.parameter.{name}": value for name, value in named(model, slopes).items()}
    return {name: value.detach().clone() for name, value in found.items()}


def named(model: nn.Module, values: dict[str, Tensor]) -> dict[str, Tensor]:
    return model.names(values) if isinstance(model, OnGraph) else values


def loosen(model: nn.Module) -> None:
    """Moves what starts at 0 or 1 away from it: a norm or a bias that does nothing tests nothing."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("bias") or "norm" in name or name.endswith("eps"):
                value.add_(0.2 * torch.randn_like(value))


def write(case: Case, seed: int) -> dict:
    torch.manual_seed(seed)
    loosen(case.model)
    with torch.no_grad():
        out = case.model(**case.inputs)
    out = out if isinstance(out, dict) else {"y": out}
    weights = {
        name: torch.ones(()) if out[name].dim() == 0 else torch.randn_like(out[name]) for name in case.in_loss
    }
    state = {name: value.detach().clone() for name, value in named(case.model, case.model.state_dict()).items()}
    exact, single = run(case, weights, torch.float64), run(case, weights, torch.float32)
    for name, value in exact.items():
        allowed = GRADIENT if name.startswith("gradient") else FORWARD
        missed = (value - single[name].double()).abs().max().item()
        assert missed < allowed / 4, f"{case.name}: {name} differs by {missed} between float32 and float64"
    tensors = {f"input.{name}": value for name, value in case.inputs.items()}
    tensors |= {f"parameter.{name}": value for name, value in state.items()}
    tensors |= {f"weight.{name}": value for name, value in weights.items()}
    write_safetensors(HERE / f"{case.name}.safetensors", tensors | exact)
    entry = {"name": case.name, "file": f"{case.name}.safetensors", "settings": case.settings}
    if case.state_file:
        module = case.model.conv if isinstance(case.model, OnGraph) else case.model
        torch.save(module.float().state_dict(), HERE / f"{case.name}.pt")
        entry["state"] = f"{case.name}.pt"
    return entry | {"in_loss": list(case.in_loss), "forward": FORWARD, "gradient": GRADIENT}


def mlps() -> list[Case]:
    cases = []
    for name, inputs, hidden in (("mlp", 5, [16, 8]), ("mlp_residual", 6, [12, 12])):
        model = Mlp(inputs, hidden)
        count = sum(value.numel() for value in model.parameters())
        assert name != "mlp" or count == 299
        settings = {"inputs": inputs, "hidden": hidden, "residual_where_equal": True, "head": "sigmoid",
                    "parameters": count}
        cases.append(Case(name, model, {"x": torch.randn(9, inputs)}, settings, state_file=True))
    plain = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 1))
    settings = {"inputs": 5, "hidden": [16, 8], "sequential": True, "head": "identity"}
    return [*cases, Case("mlp_sequential", Sequential(plain), {"x": torch.randn(9, 5)}, settings, state_file=True)]


class Sequential(nn.Sequential):
    """A plain stack whose input is named `x`."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)


def attentions() -> list[Case]:
    cases = []
    for name, queries, keys, causal, base in (
        ("attention", 5, 7, False, None), ("attention_causal", 7, 7, True, None),
        ("attention_rotary", 7, 7, False, 10_000.0), ("attention_rotary_causal", 7, 7, True, 10_000.0),
    ):
        model = Attention(causal) if base is None else RotaryAttention(base, causal)
        inputs = {part: torch.randn(2, 3, length, 4) for part, length in (("q", queries), ("k", keys), ("v", keys))}
        settings = {"layout": "batch, heads, length, width", "causal": causal, "rotary_base": base,
                    "rotary": None if base is None else "half_split", "scale": 0.5}
        cases.append(Case(name, model, inputs, settings))
    return cases


def encoders() -> list[Case]:
    cases = []
    for first, activation, causal in (
        (True, "gelu", False), (True, "relu", False), (False, "gelu", False), (False, "relu", False), (True, "gelu", True)
    ):
        shape = {"d_model": 8, "nhead": 2, "dim_feedforward": 12, "norm_first": first, "activation": activation}
        name = f"encoder_{'pre' if first else 'post'}_{activation}{'_causal' if causal else ''}"
        settings = shape | {"layer_norm_eps": 1e-5, "dropout": 0.0, "causal": causal}
        model = EncoderLayer(causal, **shape)
        cases.append(Case(name, model, {"x": torch.randn(2, 5, 8)}, settings, state_file=True))
    for name, bins in (("feature_transformer", 0), ("feature_transformer_binned", 5)):
        settings = {"features": 4, "bins": bins, "width": 8, "heads": 2, "hidden": 12, "layers": 2}
        x = torch.randint(bins, (6, 4)).float() if bins else torch.randn(6, 4)
        settings_out = settings | {"norm_first": True, "activation": "gelu", "final_norm": True, "class_token": "first"}
        model = FeatureTransformer(**settings)
        cases.append(Case(name, model, {"x": x}, settings_out, state_file=True, whole={"x"} if bins else set()))
    return cases


def sequences() -> list[Case]:
    cases = []
    for cell in ("lstm", "gru"):
        settings = {"cell": cell, "inputs": 3, "width": 5, "layers": 2}
        cases.append(Case(cell, Recurrent(**settings), {"x": torch.randn(3, 6, 3)}, settings))
    settings = {"inputs": 6, "hidden": 10, "latent": 3, "beta": 0.7, "free_bits": 0.15}
    inputs = {"x": torch.randn(8, 6), "noise": torch.randn(8, 3)}
    return [*cases, Case("vae", Vae(**settings), inputs, settings, in_loss=("loss",), whole={"noise"})]


def graphs() -> list[Case]:
    cases = []
    for name, choice in (
        ("gatv2_concat", {"concat": True, "share_weights": False, "residual": False}),
        ("gatv2_mean", {"concat": False, "share_weights": False, "residual": False}),
        ("gatv2_shared", {"concat": True, "share_weights": True, "residual": False}),
        ("gatv2_mean_shared", {"concat": False, "share_weights": True, "residual": False}),
        ("gatv2_residual", {"concat": True, "share_weights": False, "residual": True}),
        ("gatv2_no_loops", {"concat": True, "share_weights": False, "residual": False, "add_self_loops": False}),
        ("gatv2_plain", {"concat": True, "share_weights": False, "residual": False, "edge_dim": None}),
    ):
        settings = {"in_channels": 5, "out_channels": 4, "heads": 2, "edge_dim": 3, "add_self_loops": True,
                    "fill_value": "mean", "negative_slope": 0.2, "bias": True} | choice
        inputs = {"x": torch.randn(2, NODES, 5)}
        if settings["edge_dim"] is not None:
            inputs["edge_features"] = torch.randn(len(EDGES[0]), settings["edge_dim"])
        model = OnGraph(GATv2Conv(**settings), EDGES, NODES)
        cases.append(Case(name, model, inputs, settings | {"nodes": NODES, "edges": EDGES}, state_file=True))
    inside = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 4))
    model = OnGraph(GINConv(inside, eps=0.1, train_eps=True), EDGES, NODES)
    settings = {"inputs": 5, "hidden": 7, "outputs": 4, "train_eps": True, "nodes": NODES, "edges": EDGES}
    return [*cases, Case("gin", model, {"x": torch.randn(2, NODES, 5)}, settings, state_file=True)]


def files() -> None:
    """State dictionaries that are read or refused as files, whatever their values."""
    weight = torch.arange(6.0).reshape(2, 3) / 4
    held = {
        "weight": weight.t().contiguous().t(),  # strides that are not the shape's
        "half": weight.half(), "brain": weight.bfloat16(), "double": weight.double(),
        "tied": weight[1:], "batches": torch.tensor(7),
    }
    torch.save({"epoch": 3, "model": {"state_dict": held}}, HERE / "file_within.pt")
    torch.save(held, HERE / "file_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({}, HERE / "file_empty.pt")
    # Views that repeat one value: 4 GiB each in f32, in a file of a few hundred bytes.
    many = {f"layers.{at}": torch.zeros(1).expand(1 << 15, 1 << 15) for at in range(3)}
    torch.save(many, HERE / "file_repeats.pt")
    # One tensor under so many names that together they are far larger than the file.
    torch.save(dict.fromkeys(map(str, range(100)), torch.zeros(1000)), HERE / "file_shared.pt")


def main() -> None:
    for old in (*HERE.glob("*.safetensors"), *HERE.glob("*.pt")):
        old.unlink()
    entries = []
    for seed, make in enumerate((mlps, attentions, encoders, sequences, graphs)):
        torch.manual_seed(seed)
        cases = make()
        entries += [write(case, 1_000 * (seed + 1) + at) for at, case in enumerate(cases)]
    files()
    text = json.dumps({"versions": VERSIONS, "cases": entries}, indent=1)
    (HERE / "cases.json").write_text(text + "\n")
    total = sum(path.stat().st_size for path in HERE.iterdir() if path.is_file())
    assert total < LARGEST_TOTAL, f"{total} bytes"
    print(f"{len(entries)} cases, {total} bytes")


if __name__ == "__main__":
    main()
