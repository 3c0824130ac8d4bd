"""PyTorch's answers for `it/mlp/mod.rs`: `python mlp.py > mlp.json` (made with PyTorch 2.15).

A 5-16-8-1 network with layer norms and a sigmoid head, weighted Huber loss, then three steps of AdamW
under a clipped norm. Vectors hold every parameter in the order of `Network::tensors`.
"""

import json

import torch

torch.manual_seed(7)
torch.set_num_threads(1)


class Layer(torch.nn.Module):
    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.linear = torch.nn.Linear(inputs, width)
        self.norm = torch.nn.LayerNorm(width)

    def forward(self, x):
        return torch.relu(self.norm(self.linear(x)))


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.input_norm = torch.nn.LayerNorm(5)
        self.layers = torch.nn.ModuleList([Layer(5, 16), Layer(16, 8)])
        self.head = torch.nn.Linear(8, 1)

    def forward(self, x):
        x = self.input_norm(x)
        for layer in self.layers:
            x = layer(x)
        return torch.sigmoid(self.head(x))[:, 0]


def flat(tensors) -> list[float]:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).tolist()


model = Network()
with torch.no_grad():
    for parameter in model.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
features, target = torch.randn(19, 5), torch.rand(19)
weight = torch.rand(19) + 0.1
answer = {
    "names": [name for name, _ in model.named_parameters()],
    "features": flat([features]),
    "target": flat([target]),
    "weight": flat([weight]),
    "weights": flat(model.parameters()),
}
optimiser = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
for step in range(3):
    optimiser.zero_grad()
    prediction = model(features)
    losses = torch.nn.functional.huber_loss(prediction, target, reduction="none", delta=0.1)
    loss = (losses * weight).sum() / weight.sum()
    loss.backward()
    if step == 0:
        answer["prediction"] = flat([prediction])
        answer["loss"] = loss.item()
        answer["gradient"] = flat(parameter.grad for parameter in model.parameters())
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.01)
    answer.setdefault("norm", norm.item())
    optimiser.step()
answer["stepped"] = flat(model.parameters())
print(json.dumps(answer))
