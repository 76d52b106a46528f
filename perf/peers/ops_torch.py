"""Radial basis, SchNet's filter and PaiNN's message in PyTorch, eager and compiled: the other side of `perf run radial filter painn`.

Written from the papers' equations (Schuett et al. 2017, 2021) as a user of PyTorch would write them: gathers by index_select, sums by
index_add, derivatives by autograd. Forward, backward by all inputs, and double backward of the gradients that depend on positions.
"""
import math

import torch
import torch.nn.functional as F

import measuring

CUTOFF = 5.0


def ring(edges, neighbors, device):
    atoms = max(1, edges // neighbors)
    e = torch.arange(atoms * neighbors, device=device)
    receivers = torch.div(e, neighbors, rounding_mode="floor")
    return atoms, (receivers + 1 + e % neighbors) % atoms, receivers


def sum_at(x, index, count):
    return torch.zeros((count,) + x.shape[1:], dtype=x.dtype, device=x.device).index_add(0, index, x)


def radial(p, device):
    k = p["functions"]
    gaussian = p["basis"] == "gaussian"
    numbers = torch.arange(k, device=device, dtype=torch.float32)
    centers = numbers * (CUTOFF / k) if gaussian else (numbers + 1) * (math.pi / CUTOFF)
    exponent = -0.5 * k * k / (CUTOFF * CUTOFF)
    vectors = (torch.rand(p["edges"], 3, device=device) * 5 + 0.5).requires_grad_()

    def forward(r):
        d = r.norm(dim=1, keepdim=True)
        cut = 0.5 * (torch.cos(d * (math.pi / CUTOFF)) + 1) * (d < CUTOFF)
        basis = torch.exp(exponent * (d - centers) ** 2) if gaussian else torch.sin(d * centers) / d
        return d, r / d, cut, basis

    return forward, [vectors], 1, p["edges"]


def schnet_filter(p, device):
    n, k = p["filters"], p["functions"]
    atoms, senders, receivers = ring(p["edges"], p["neighbors"], device)
    edges = len(senders)
    shapes = [(atoms, n), (edges, k), (edges, 1), (n, k), (n,), (n, n), (n,)]
    inputs = [(torch.randn(shape, device=device) * 0.1).requires_grad_() for shape in shapes]

    def forward(h, phi, cut, w1, b1, w2, b2):
        hidden = F.softplus(F.linear(phi, w1, b1)) - math.log(2)
        weights = F.linear(hidden, w2, b2) * cut
        return (sum_at(h.index_select(0, senders) * weights, receivers, atoms),)

    return forward, inputs, 3, edges


def painn_message(p, device):
    f, n = p["features"], p["functions"] + 1
    atoms, senders, receivers = ring(p["edges"], p["neighbors"], device)
    edges = len(senders)
    shapes = [(atoms, 3 * f), (atoms, 3, f), (edges, 3), (edges, n), (3 * f, n)]
    inputs = [torch.randn(shape, device=device).requires_grad_() for shape in shapes]

    def forward(x, mu, u, basis, weights):
        a, b, c = torch.split(x.index_select(0, senders) * F.linear(basis, weights), f, dim=1)
        along = b[:, None] * u[:, :, None] + c[:, None] * mu.index_select(0, senders)
        return sum_at(a, receivers, atoms), sum_at(along, receivers, atoms)

    return forward, inputs, 4, edges


PROBLEMS = {"radial": radial, "filter": schnet_filter, "painn": painn_message}


def make(request):
    device, benchmark = request["device"], request["benchmark"]
    if request["parameters"].get("operation", "message") != "message":
        raise ValueError("only PaiNN's message is here")
    forward, inputs, twice, edges = PROBLEMS[benchmark](request["parameters"], device)
    case, clock = measuring.Case(edges, "edges", device), measuring.Clock(device)
    case.add("torch eager", measuring.derivatives(lambda: forward(*inputs), inputs, twice, clock))
    if request["compile"]:
        case.add_compiled("torch compile", forward, lambda compiled: measuring.derivatives(lambda: compiled(*inputs), inputs, twice, clock))
    return case


if __name__ == "__main__":
    edges = {"edges": [10_000, 100_000], "neighbors": 18}
    measuring.main(make, list(PROBLEMS), {
        "radial": {"basis": "gaussian", "edges": [10_000, 100_000], "functions": 20},
        "filter": {**edges, "filters": 128, "functions": 20},
        "painn": {"operation": "message", **edges, "features": 128, "functions": 20},
    }, dict.fromkeys(PROBLEMS, "edges"))
