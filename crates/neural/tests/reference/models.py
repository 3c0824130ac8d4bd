"""The networks that PyTorch has no single module for, written as a user would write them."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Mlp(nn.Module):
    """[LayerNorm], then Linear, LayerNorm, ReLU, Dropout(0) a hidden width, then Linear to one output and a sigmoid.

    A block whose two widths are equal adds its input to its output.
    """

    def __init__(self, inputs: int, hidden: list[int]) -> None:
        super().__init__()
        self.input_norm = nn.LayerNorm(inputs)
        self.layers = nn.ModuleList()
        for before, after in zip([inputs, *hidden], hidden):
            block = nn.ModuleDict({"linear": nn.Linear(before, after), "norm": nn.LayerNorm(after)})
            self.layers.append(block)
        self.head = nn.Linear(hidden[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.input_norm(x)
        for layer in self.layers:
            y = F.relu(layer["norm"](layer["linear"](x)))
            x = x + y if x.shape == y.shape else y
        return torch.sigmoid(self.head(x))


class RotaryAttention(nn.Module):
    """Attention whose queries and keys are rotated by their positions, pairs (i, i + width/2) together."""

    def __init__(self, base: float, causal: bool) -> None:
        super().__init__()
        self.base, self.causal = base, causal

    def rotate(self, x: Tensor) -> Tensor:
        half = x.shape[-1] // 2
        rate = self.base ** (-torch.arange(half, dtype=x.dtype) / half)
        angle = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] * rate
        low, high = x[..., :half], x[..., half:]
        cos, sin = angle.cos(), angle.sin()
        return torch.cat([low * cos - high * sin, high * cos + low * sin], dim=-1)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(self.rotate(q), self.rotate(k), v, is_causal=self.causal)


class Attention(nn.Module):
    """`scaled_dot_product_attention` with its default scale, 1/sqrt(width)."""

    def __init__(self, causal: bool) -> None:
        super().__init__()
        self.causal = causal

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)


class EncoderLayer(nn.TransformerEncoderLayer):
    """PyTorch's layer; `causal` masks the future."""

    def __init__(self, causal: bool, **settings) -> None:
        super().__init__(**settings, dropout=0.0, batch_first=True)
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        mask = None
        if self.causal:
            mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
        return super().forward(x, src_mask=mask, is_causal=self.causal)


class FeatureTransformer(nn.Module):
    """One token a feature (Gorishniy et al. 2021), a class token first, pre-norm layers, a head on the class token.

    Numerical: token = value * weight + bias. Binned: token = row of the feature's table + bias.
    """

    def __init__(self, features: int, bins: int, width: int, heads: int, hidden: int, layers: int) -> None:
        super().__init__()
        shape = (features, bins, width) if bins else (features, width)
        self.token_weight = nn.Parameter(torch.randn(shape) * 0.5)
        self.token_bias = nn.Parameter(torch.randn(features, width) * 0.5)
        self.class_token = nn.Parameter(torch.randn(width) * 0.5)
        layer = nn.TransformerEncoderLayer(
            width, heads, hidden, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        if self.token_weight.dim() == 3:
            token = self.token_weight[torch.arange(x.shape[1]), x.long()] + self.token_bias
        else:
            token = x[..., None] * self.token_weight + self.token_bias
        start = self.class_token.expand(x.shape[0], 1, -1)
        return self.head(self.encoder(torch.cat([start, token], dim=1))[:, 0])


class Recurrent(nn.Module):
    """`nn.LSTM` or `nn.GRU` from a zero state: every step's output and the last states."""

    def __init__(self, cell: str, inputs: int, width: int, layers: int) -> None:
        super().__init__()
        make = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.cell = make(inputs, width, layers, batch_first=True)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        y, last = self.cell(x)
        names = ("hidden", "memory") if isinstance(last, tuple) else ("hidden",)
        return {"y": y, **dict(zip(names, last if isinstance(last, tuple) else (last,)))}


class Vae(nn.Module):
    """A variational autoencoder (Kingma & Welling 2014) with beta (Higgins et al. 2017) and free bits.

    Free bits as in Kingma et al. 2016, "objective with free bits": the floor of a dimension holds for its batch mean.

    reconstruction = mean over rows of the squared error summed over features
    kl[j]          = mean over rows of (mu^2 + exp(logvar) - 1 - logvar) / 2
    loss           = reconstruction + beta * sum_j max(free_bits, kl[j]), in nats
    """

    def __init__(self, inputs: int, hidden: int, latent: int, beta: float, free_bits: float) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU())
        self.mu, self.logvar = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, inputs))
        self.beta, self.free_bits = beta, free_bits

    def forward(self, x: Tensor, noise: Tensor) -> dict[str, Tensor]:
        hidden = self.encoder(x)
        mu, logvar = self.mu(hidden), self.logvar(hidden)
        decoded = self.decoder(mu + noise * torch.exp(0.5 * logvar))
        reconstruction = (decoded - x).square().sum(dim=1).mean()
        kl = 0.5 * (mu.square() + logvar.exp() - 1.0 - logvar).mean(dim=0)
        assert (kl > self.free_bits).any() and (kl < self.free_bits).any(), "both branches are wanted"
        loss = reconstruction + self.beta * kl.clamp(min=self.free_bits).sum()
        return {"loss": loss, "reconstruction": reconstruction, "kl": kl, "mu": mu, "logvar": logvar, "decoded": decoded}


class OnGraph(nn.Module):
    """A convolution of PyTorch Geometric on `batch` samples that share one graph, as one graph of their union."""

    def __init__(self, conv: nn.Module, edges: list[list[int]], nodes: int) -> None:
        super().__init__()
        self.conv, self.edges, self.nodes = conv, torch.tensor(edges), nodes

    def forward(self, x: Tensor, edge_features: Tensor | None = None) -> Tensor:
        batch = x.shape[0]
        index = torch.cat([self.edges + sample * self.nodes for sample in range(batch)], dim=1)
        extra = {} if edge_features is None else {"edge_attr": edge_features.repeat(batch, 1)}
        return self.conv(x.reshape(batch * self.nodes, -1), index, **extra).reshape(batch, self.nodes, -1)

    def names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """The state as the convolution itself would name it."""
        return {name.removeprefix("conv."): value for name, value in state.items()}
