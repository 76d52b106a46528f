"""Training steps of SchNet and PaiNN in PyTorch: the other side of `perf run forcefield`.

Written from the papers' equations (Schuett et al. 2017, 2021) in the published shapes. Reads a case (safetensors: the batch of molecules,
its edges, its labels, the weights, and what our side computes with them) and writes one record as JSON: times of the measured steps, how
far energies and forces are from ours, the losses of the steps before, and peak memory; or {"reason": ...} where --compile cannot be had.

Two forms: `brackets` gathers rows as x[index], as most code has it; `select` as x.index_select(0, index), whose backward pass is faster.
--flush takes subnormal numbers for zero. --trace records the step up to the gradients, derivatives included, as one graph of plain operations
(make_fx, torch 1.13 on); --compile compiles that graph: torch.compile by itself has no second derivatives, which training on forces takes.
"""
import argparse
import json
import math
import resource
import time

import numpy
import torch
import torch.nn.functional as F

import measuring


def read_safetensors(path):
    kinds = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4"}
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    settings = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        values = numpy.frombuffer(data[start:end], dtype=kinds[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return settings, tensors


def rows(x, index, form):
    return x[index] if form == "brackets" else x.index_select(0, index)


def sum_at(x, index, count):
    return torch.zeros((count,) + x.shape[1:], dtype=x.dtype, device=x.device).index_add(0, index, x)


def softplus0(x):
    return F.softplus(x) - math.log(2)


class Radial(torch.nn.Module):
    def __init__(self, count, cutoff):
        super().__init__()
        self.cutoff = cutoff
        self.register_buffer("centers", torch.linspace(0, cutoff, count))
        self.width = cutoff / (count - 1)

    def forward(self, d):
        basis = torch.exp(-0.5 / self.width ** 2 * (d[:, None] - self.centers) ** 2)
        cut = 0.5 * (torch.cos(d * math.pi / self.cutoff) + 1) * (d < self.cutoff)
        return basis, cut[:, None]


class Head(torch.nn.Sequential):
    def __init__(self, f):
        super().__init__(torch.nn.Linear(f, f // 2), torch.nn.SiLU(), torch.nn.Linear(f // 2, 1))

    def named(self, prefix):
        return {prefix + ".0": self[0], prefix + ".1": self[2]}


class SchNet(torch.nn.Module):
    def __init__(self, s, form):
        super().__init__()
        f, k = s["features"], s["radial"]
        self.form, self.radial = form, Radial(k, s["cutoff"])
        self.embedding = torch.nn.Embedding(s["elements"], f)
        linear = torch.nn.Linear
        self.in2f = torch.nn.ModuleList([linear(f, f, bias=False) for _ in range(s["interactions"])])
        self.filter0 = torch.nn.ModuleList([linear(k, f) for _ in range(s["interactions"])])
        self.filter1 = torch.nn.ModuleList([linear(f, f) for _ in range(s["interactions"])])
        self.out0 = torch.nn.ModuleList([linear(f, f) for _ in range(s["interactions"])])
        self.out1 = torch.nn.ModuleList([linear(f, f) for _ in range(s["interactions"])])
        self.head = Head(f)

    def named(self):
        layers = {"representation.embedding": self.embedding, **self.head.named("output_modules.0.outnet")}
        for t in range(len(self.in2f)):
            prefix = f"representation.interactions.{t}."
            layers.update({prefix + "in2f": self.in2f[t], prefix + "f2out.0": self.out0[t], prefix + "f2out.1": self.out1[t],
                           prefix + "filter_network.0": self.filter0[t], prefix + "filter_network.1": self.filter1[t]})
        return layers

    def forward(self, numbers, vectors, senders, receivers):
        basis, cut = self.radial(vectors.norm(dim=1))
        x = self.embedding(numbers)
        for t in range(len(self.in2f)):
            filters = self.filter1[t](softplus0(self.filter0[t](basis))) * cut
            messages = rows(self.in2f[t](x), senders, self.form) * filters
            x = x + self.out1[t](softplus0(self.out0[t](sum_at(messages, receivers, len(x)))))
        return self.head(x).squeeze(1)


class PaiNN(torch.nn.Module):
    def __init__(self, s, form):
        super().__init__()
        f, layers = s["features"], s["interactions"]
        self.f, self.form, self.epsilon, self.radial = f, form, s["epsilon"], Radial(s["radial"], s["cutoff"])
        linear = torch.nn.Linear
        self.embedding = torch.nn.Embedding(s["elements"], f)
        self.filter = linear(s["radial"], layers * 3 * f)
        self.message = torch.nn.ModuleList([torch.nn.Sequential(linear(f, f), torch.nn.SiLU(), linear(f, 3 * f)) for _ in range(layers)])
        self.mix = torch.nn.ModuleList([linear(f, 2 * f, bias=False) for _ in range(layers)])
        self.update = torch.nn.ModuleList([torch.nn.Sequential(linear(2 * f, f), torch.nn.SiLU(), linear(f, 3 * f)) for _ in range(layers)])
        self.head = Head(f)

    def named(self):
        layers = {"representation.embedding": self.embedding, "representation.filter_net": self.filter,
                  **self.head.named("output_modules.0.outnet")}
        for t in range(len(self.mix)):
            layers[f"representation.mixing.{t}.mu_channel_mix"] = self.mix[t]
            for i in (0, 1):
                layers[f"representation.interactions.{t}.interatomic_context_net.{i}"] = self.message[t][2 * i]
                layers[f"representation.mixing.{t}.intraatomic_context_net.{i}"] = self.update[t][2 * i]
        return layers

    def forward(self, numbers, vectors, senders, receivers):
        d = vectors.norm(dim=1)
        basis, cut = self.radial(d)
        unit = (vectors / d[:, None])[:, :, None]
        filters = torch.split(self.filter(basis) * cut, 3 * self.f, dim=1)
        q = self.embedding(numbers)
        mu = q.new_zeros(len(q), 3, self.f)
        for message, mix, update, w in zip(self.message, self.mix, self.update, filters):
            a, b, c = torch.split(rows(message(q), senders, self.form) * w, self.f, dim=1)
            dq = sum_at(a, receivers, len(q))
            dmu = sum_at(b[:, None] * unit + c[:, None] * rows(mu, senders, self.form), receivers, len(q))
            q, mu = q + dq, mu + dmu
            v, u = torch.split(mix(mu), self.f, dim=2)
            norm = torch.sqrt((v * v).sum(1) + self.epsilon)
            a, b, c = torch.split(update(torch.cat([q, norm], 1)), self.f, dim=1)
            q, mu = q + a + c * (v * u).sum(1), mu + b[:, None] * u
        return self.head(q).squeeze(1)


def evaluate(model, case, training, form):
    positions = case["positions"].requires_grad_()
    senders, receivers = case["senders"], case["receivers"]
    vectors = rows(positions, senders, form) - rows(positions, receivers, form)
    energies = sum_at(model(case["numbers"], vectors, senders, receivers), case["frame_of_atom"], len(case["energies"]))
    (gradient,) = torch.autograd.grad(energies.sum(), positions, create_graph=training)
    return energies, -gradient


def loss_of(outputs, labels, s):
    energies, forces = outputs
    return s["energyWeight"] * F.mse_loss(energies, labels[0]) + s["forceWeight"] * F.mse_loss(forces, labels[1])


def traced(model, case, labels, s, form, compiled):
    """-> step() that sets the parameters' gradients and returns the loss, from the step's graph."""
    from torch.fx.experimental.proxy_tensor import make_fx
    try:
        from torch.func import functional_call
    except ImportError:
        from torch.nn.utils.stateless import functional_call
    names, parameters = zip(*model.named_parameters())

    def whole(positions, *values):
        def network(*inputs):
            return functional_call(model, dict(zip(names, values)), inputs)

        loss = loss_of(evaluate(network, {**case, "positions": positions}, training=True, form=form), labels, s)
        return (loss, *torch.autograd.grad(loss, values))

    positions = case["positions"].detach().requires_grad_()
    graph = make_fx(whole)(positions, *parameters)
    call = torch.compile(graph) if compiled else graph

    def step():
        with torch.no_grad():
            loss, *gradients = call(positions, *parameters)
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient
        return loss

    return step


def peak_megabytes():
    # The other figure counts what the parent had when it made this process.
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith("VmHWM:"))
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main():
    parser = argparse.ArgumentParser(description="Training steps of SchNet or PaiNN on a case that `perf run forcefield` wrote.")
    parser.add_argument("case")
    parser.add_argument("form", choices=["brackets", "select"])
    parser.add_argument("steps", type=int)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--flush", action="store_true", help="subnormal numbers are zero")
    parser.add_argument("--trace", action="store_true", help="the whole step as one graph")
    parser.add_argument("--compile", action="store_true", help="that graph by torch.compile")
    o = parser.parse_args()
    if o.flush and not torch.set_flush_denormal(True):
        return measuring.say({"reason": "this processor does not flush subnormal numbers"})
    if o.compile and measuring.no_compile():
        return measuring.say({"reason": measuring.no_compile()})
    metadata, case = read_safetensors(o.case)
    s = json.loads(metadata["settings"])
    torch.set_num_threads(s["threads"])
    device = torch.device(o.device)
    model = {"schnet": SchNet, "painn": PaiNN}[s["model"]](s, o.form)
    with torch.no_grad():
        for name, layer in model.named().items():
            for part, parameter in layer.named_parameters():
                parameter.copy_(case[f"weights.{name}.{part}"])
    model.to(device)
    case = {name: values.to(device) for name, values in case.items() if not name.startswith("weights.")}
    case["positions"] = case["positions"].float()
    energies, forces = evaluate(model, case, training=False, form=o.form)
    more = {
        "energyDifference": (energies - case["model_energies"]).abs().max().item(),
        "forceDifference": (forces - case["model_forces"]).abs().max().item(),
        "idle": peak_megabytes(),
    }
    labels = case["energies"].float(), case["forces"].float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=s["learningRate"], weight_decay=s["weightDecay"])
    losses, wall, processor = [], [], []

    def gradients():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(evaluate(model, case, training=True, form=o.form), labels, s)
        loss.backward()
        return loss

    try:
        run = traced(model, case, labels, s, o.form, o.compile) if o.trace or o.compile else gradients
        run()
    except Exception as error:
        if not (o.trace or o.compile):
            raise
        return measuring.say({"reason": measuring.one_line(error)})
    for step in range(s["warmup"] + o.steps):
        start, used = time.perf_counter(), time.process_time()
        loss = run()
        optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        wall.append(time.perf_counter() - start)
        processor.append(1000 * (time.process_time() - used))
        losses.append(loss.item())
    wall, processor = wall[s["warmup"]:], processor[s["warmup"]:]
    more.update(losses=losses[:s["warmup"]], processor=min(processor), peak=peak_megabytes())
    atoms = len(case["numbers"])
    side = "torch " + o.form + (" compiled" if o.compile else " traced" if o.trace else "") + (measuring.FLUSHED if o.flush else "")
    measuring.say(measuring.record("forcefield", {"model": s["model"], "atoms": atoms}, side, "step", wall, atoms, "atoms", more=more))


if __name__ == "__main__":
    main()
