"""ChemGPT's generation in PyTorch: the other side of `perf run generate`.

Keys and values are kept, and sequences that have ended leave the batch. Two forms: `growing` has room for 64 positions more whenever it is
full; `bound` has room for the longest sequence that may be, from the start.
"""
import torch
import torch.nn.functional as F

import measuring
from chemgpt_torch import Model, gelu

TOP, TEMPERATURE, GROWTH, START = 50, 0.8, 64, 2


class Cache:
    """Keys or values of one layer, (sequences, heads, room, width of a head)."""

    def __init__(self, sequences, heads, width, room, device):
        self.all = torch.zeros(sequences, heads, room, width, device=device)

    def put(self, at, values):
        if at == self.all.shape[2]:
            b, heads, _, width = self.all.shape
            self.all = torch.cat([self.all, torch.zeros(b, heads, GROWTH, width, device=self.all.device)], 2)
        self.all[:, :, at] = values
        return self.all[:, :, :at + 1]

    def keep(self, rows, used, room):
        """Only what is used is copied."""
        kept = self.all[:, :, :used].index_select(0, rows)
        self.all = F.pad(kept, (0, 0, 0, room(used) - used))


def step(model, ids, at, keys, values):
    x = model.wte(ids) + model.wpe.weight[at]
    for layer, block in enumerate(model.blocks):
        q, k, v = block.qkv(block.ln1(x)).view(len(ids), 3, block.heads, -1).unbind(1)
        k, v = keys[layer].put(at, k), values[layer].put(at, v)
        weights = torch.softmax(q.unsqueeze(2) @ k.transpose(-1, -2), -1)
        x = x + block.proj((weights @ v).reshape(len(ids), -1))
        x = x + block.out(gelu(block.fc(block.ln2(x))))
    scores, of = torch.topk(F.linear(model.ln(x), model.wte.weight), TOP)
    return of.gather(1, torch.multinomial(torch.softmax(scores / TEMPERATURE, -1), 1)).squeeze(1)


def generate(model, settings, lengths, form, device):
    """Draws sequences of these lengths, the end token included, as many side by side as a batch has; returns the tokens drawn."""
    heads, width, bound, drawn = settings["heads"], settings["width"] // settings["heads"], settings["bound"], 0

    def room(used):
        return bound if form == "bound" else (used // GROWTH + 1) * GROWTH

    for first in range(0, len(lengths), settings["batch"]):
        ends = torch.tensor(lengths[first:first + settings["batch"]], device=device)
        ids = torch.full((len(ends),), START, device=device)
        keys, values = ([Cache(len(ends), heads, width, room(0), device) for _ in model.blocks] for _ in range(2))
        at = 0
        while len(ends) > 0:
            ids = step(model, ids, at, keys, values)
            at += 1
            drawn += len(ids)
            rows = (ends > at).nonzero().squeeze(1)
            if len(rows) == len(ends):
                continue
            ends, ids = ends[rows], ids[rows]
            for cache in keys + values:
                cache.keep(rows, at, room)
    return drawn


def make(request):
    parameters, more = request["parameters"], request["more"] or {}
    # By itself: molecules of MOSES' lengths.
    lengths = more.get("lengths") or [27 + 17 * i % 22 for i in range(parameters["sequences"])]
    settings = {"vocabulary": more.get("vocabulary", 684), "batch": more.get("batch", 64), **parameters}
    torch.manual_seed(1)
    model = Model(settings).to(request["device"]).eval()
    case, clock = measuring.Case(sum(lengths), "tokens", request["device"]), measuring.Clock(request["device"])
    for form in ("growing", "bound"):
        def once(seconds, missing, form=form):
            def work():
                with torch.no_grad():
                    drawn = generate(model, settings, lengths, form, request["device"])
                assert drawn == sum(lengths), drawn

            seconds["molecules"] = clock.time(work)

        case.add("torch " + form, once)
    return case


if __name__ == "__main__":
    measuring.main(make, ["generate"], {"generate": {"layers": 4, "width": 64, "heads": 16, "sequences": [100], "bound": 100}}, {"generate": "sequences"})
