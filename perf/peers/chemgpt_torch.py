"""ChemGPT's training step in PyTorch: the other side of `perf run chemgpt`.

Two forms: `padded` pads the batch to its longest molecule everywhere; `packed` pads inside attention only, as a careful PyTorch
user would write it. Both use AdamW. With --compile each is there once more, its model compiled.
"""
import math

import torch
import torch.nn.functional as F

import measuring


class Block(torch.nn.Module):
    def __init__(self, h, heads):
        super().__init__()
        self.heads = heads
        self.ln1 = torch.nn.LayerNorm(h)
        self.ln2 = torch.nn.LayerNorm(h)
        self.qkv = torch.nn.Linear(h, 3 * h, bias=False)
        self.proj = torch.nn.Linear(h, h)
        self.fc = torch.nn.Linear(h, 4 * h)
        self.out = torch.nn.Linear(4 * h, h)

    def attend(self, qkv, mask):
        b, n, _ = qkv.shape
        q, k, v = qkv.view(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-1, -2) + mask, -1)
        return (weights @ v).transpose(1, 2).reshape(b, n, -1)

    def forward(self, x, mask, pad, unpad, shape):
        qkv = self.qkv(self.ln1(x))
        if pad is None:
            a = self.attend(qkv, mask)
        else:
            a = self.attend(qkv.index_select(0, pad).view(*shape, -1), mask).flatten(0, 1).index_select(0, unpad)
        x = x + self.proj(a)
        return x + self.out(gelu(self.fc(self.ln2(x))))


def gelu(x):
    # torch 1.13's own tanh form; older versions have none.
    return F.gelu(x, approximate="tanh")


class Model(torch.nn.Module):
    def __init__(self, s):
        super().__init__()
        h = s["width"]
        self.wte = torch.nn.Embedding(s["vocabulary"], h)
        self.wpe = torch.nn.Embedding(2048, h)
        self.blocks = torch.nn.ModuleList([Block(h, s["heads"]) for _ in range(s["layers"])])
        self.ln = torch.nn.LayerNorm(h)
        for p in self.parameters():
            if p.dim() > 1:
                torch.nn.init.normal_(p, 0, 0.02)

    def forward(self, ids, positions, mask, pad, unpad, shape):
        x = self.wte(ids) + self.wpe(positions)
        for block in self.blocks:
            x = block(x, mask, pad, unpad, shape)
        return F.linear(self.ln(x), self.wte.weight)


def batch(lengths, packed, vocabulary, device):
    longest, b = max(lengths), len(lengths)
    mask = torch.full((longest, longest), -math.inf).triu(1)
    if packed:
        ids = torch.randint(5, vocabulary, (sum(lengths),))
        positions = torch.cat([torch.arange(n) for n in lengths])
        starts = [sum(lengths[:i]) for i in range(b)]
        pad = torch.tensor([starts[i] + min(t, lengths[i] - 1) for i in range(b) for t in range(longest)])
        unpad = torch.tensor([i * longest + t for i in range(b) for t in range(lengths[i])])
        targets = torch.cat([torch.cat([ids[starts[i] + 1:starts[i] + lengths[i]], torch.tensor([-100])]) for i in range(b)])
        tensors = (ids, positions, mask, pad, unpad, targets)
        ids, positions, mask, pad, unpad, targets = (t.to(device) for t in tensors)
        return ids, positions, mask, pad, unpad, (b, longest), targets
    ids = torch.randint(5, vocabulary, (b, longest))
    positions = torch.arange(longest).expand(b, longest)
    targets = torch.full((b, longest), -100)
    for i, n in enumerate(lengths):
        targets[i, :n - 1] = ids[i, 1:n]
    ids, positions, mask, targets = (t.to(device) for t in (ids, positions, mask, targets))
    return ids, positions, mask, None, None, None, targets


def training(settings, lengths, form, device, clock, model, call):
    torch.manual_seed(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5, weight_decay=0.01)
    ids, positions, mask, pad, unpad, shape, targets = batch(lengths, form == "packed", settings["vocabulary"], device)

    def once():
        logits = call(ids, positions, mask, pad, unpad, shape)
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-100)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()

    def step(seconds, missing):
        seconds["step"] = clock.time(once)

    return step


def make(request):
    parameters, more = request["parameters"], request["more"] or {}
    # By itself: molecules of MOSES' mean length.
    lengths = more.get("lengths") or [37] * max(1, parameters["tokens"] // 37)
    settings = {"vocabulary": more.get("vocabulary", 684), **parameters}
    case, clock = measuring.Case(sum(lengths), "tokens", request["device"]), measuring.Clock(request["device"])
    for form in ("packed", "padded"):
        model = Model(settings).to(request["device"])
        case.add("torch " + form, training(settings, lengths, form, request["device"], clock, model, model))
        if request["compile"]:
            other = Model(settings).to(request["device"])
            case.add_compiled(f"torch {form} compiled", other,
                              lambda call, form=form, other=other: training(settings, lengths, form, request["device"], clock, other, call))
    return case


if __name__ == "__main__":
    measuring.main(make, ["chemgpt"], {"chemgpt": {"layers": 24, "width": 128, "heads": 16, "tokens": [592]}}, {"chemgpt": "tokens"})
