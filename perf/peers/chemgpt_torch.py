"""ChemGPT's training step in eager PyTorch: the other side of `perf run chemgpt`.

Two forms: `padded` pads the batch to its longest molecule everywhere; `packed` pads inside attention only, as a careful PyTorch
user would write it. Both use AdamW. Reads one JSON object of settings on standard input, writes one of results.
"""
import json
import math
import sys
import time

import torch
import torch.nn.functional as F


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


def batch(lengths, packed, vocabulary):
    longest, b = max(lengths), len(lengths)
    mask = torch.full((longest, longest), -math.inf).triu(1)
    if packed:
        ids = torch.randint(5, vocabulary, (sum(lengths),))
        positions = torch.cat([torch.arange(n) for n in lengths])
        starts = [sum(lengths[:i]) for i in range(b)]
        pad = torch.tensor([starts[i] + min(t, lengths[i] - 1) for i in range(b) for t in range(longest)])
        unpad = torch.tensor([i * longest + t for i in range(b) for t in range(lengths[i])])
        targets = torch.cat([torch.cat([ids[starts[i] + 1:starts[i] + lengths[i]], torch.tensor([-100])]) for i in range(b)])
        return ids, positions, mask, pad, unpad, (b, longest), targets
    ids = torch.randint(5, vocabulary, (b, longest))
    positions = torch.arange(longest).expand(b, longest)
    targets = torch.full((b, longest), -100)
    for i, n in enumerate(lengths):
        targets[i, :n - 1] = ids[i, 1:n]
    return ids, positions, mask, None, None, None, targets


def main():
    s = json.load(sys.stdin)
    torch.set_num_threads(s["threads"])
    torch.manual_seed(1)
    results = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    for form in s["forms"]:
        model = Model(s)
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5, weight_decay=0.01, **({"foreach": True} if s.get("foreach") else {}))
        ids, positions, mask, pad, unpad, shape, targets = batch(s["lengths"], form == "packed", s["vocabulary"])
        best = math.inf
        for _ in range(s["steps"] + 2):
            start = time.perf_counter()
            logits = model(ids, positions, mask, pad, unpad, shape)
            loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-100)
            optimizer.zero_grad(set_to_none=False)
            loss.backward()
            optimizer.step()
            best = min(best, time.perf_counter() - start)
        results[form] = sum(s["lengths"]) / best
    json.dump(results, sys.stdout)


main()
