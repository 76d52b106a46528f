"""What the peers share: timing, and the two ways to run one.

`--serve` answers one line of JSON after another, as `perf run --peer` asks: {"do": "case", ...}, {"do": "step", "side": ...},
{"do": "forget"}. By itself a peer measures the cases given on the command line and prints one record a line, under the names that
`perf run --json` uses, so that `perf table` reads both.
"""
import argparse
import json
import re
import statistics
import sys
import time

import torch



def blas():
    """What multiplies its matrices: MKL with its version, else the name that the build gives."""
    text = torch.__config__.show()
    mkl = re.search(r"Math Kernel Library Version ([\d.]+)", text)
    other = re.search(r"BLAS_INFO=(\w+)", text)
    return "MKL " + mkl.group(1).rstrip(".") if mkl else "BLAS " + (other.group(1) if other else "unknown")


LIBRARY = f"torch {torch.__version__}, {blas()}"

# Appended to a side that takes subnormal numbers for zero: Intel's processors are many times slower on them.
FLUSHED = " flushed"


class Clock:
    """Seconds of work: by events on CUDA, by the system's clock elsewhere."""

    def __init__(self, device):
        self.cuda = torch.device(device).type == "cuda"

    def time(self, work):
        if self.cuda:
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record()
            work()
            end.record()
            end.synchronize()
            return start.elapsed_time(end) / 1000
        start = time.perf_counter()
        work()
        return time.perf_counter() - start


class Case:
    """What a script makes of a request: steps by the side's name, reasons for those it has not got, and how much a pass works through."""

    def __init__(self, items, unit, device="cpu"):
        self.items, self.unit, self.cuda = items, unit, torch.device(device).type == "cuda"
        self.steps, self.skipped = {}, {}

    def add(self, side, step):
        """step(seconds, missing): fills seconds by pass, or a reason by pass. On a CPU once more with subnormal numbers taken for zero."""
        self.steps[side] = step

        def flushed(seconds, missing):
            torch.set_flush_denormal(True)
            try:
                step(seconds, missing)
            finally:
                torch.set_flush_denormal(False)

        if not self.cuda and can_flush():
            self.steps[side + FLUSHED] = flushed

    def skip(self, side, reason):
        self.skipped[side] = reason

    def add_compiled(self, side, function, step_of):
        """step_of(compiled function) -> step; or the reason why it cannot be compiled."""
        reason = no_compile()
        if reason:
            return self.skip(side, reason)
        try:
            import torch._dynamo
            # Else the shapes of earlier cases would make it give up on fixed ones.
            torch._dynamo.reset()
            self.add(side, step_of(torch.compile(function)))
        except Exception as error:
            self.skip(side, one_line(error))


def can_flush():
    """Whether this processor takes subnormal numbers for zero when told; leaves it as it starts, not told."""
    can = torch.set_flush_denormal(True)
    torch.set_flush_denormal(False)
    return can


def no_compile():
    """Why torch.compile cannot be had; None where it can."""
    return None if hasattr(torch, "compile") else f"torch {torch.__version__} has no torch.compile"


def one_line(error):
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:300] + " ..."


def summary(times):
    ordered = sorted(times)

    def at(share):
        place = share * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (place - below) * (ordered[above] - ordered[below])

    return {"repeats": len(ordered), "median": at(0.5), "lowerQuartile": at(0.25), "upperQuartile": at(0.75), "least": ordered[0],
            "greatest": ordered[-1]}


def record(benchmark, parameters, side, name, times, items, unit, size=None, more=None):
    made = {"benchmark": benchmark, "parameters": parameters, "side": side, "pass": name, "seconds": summary(times), "items": items, "unit": unit,
            "itemsPerSecond": items / statistics.median(times), "library": LIBRARY}
    if size:
        made["size"] = size
    if more:
        made["more"] = more
    return made


def say(line):
    # NaN is no JSON.
    print(json.dumps(line, allow_nan=False), flush=True)


def derivatives(forward, inputs, twice, clock, prevent_double=False):
    """A step: forward, backward and, with twice > 0, the derivative of the first gradients, as ours does it."""
    state = {"double": not prevent_double and twice > 0, "reason": None}

    def step(seconds, missing):
        kept = {}

        def run_forward():
            kept["outputs"] = forward()

        def run_backward():
            kept["gradients"] = torch.autograd.grad(kept["outputs"], inputs, kept["ahead"], retain_graph=state["double"],
                                                    create_graph=state["double"], allow_unused=True)

        seconds["forward"] = clock.time(run_forward)
        kept["ahead"] = [torch.ones_like(o).requires_grad_(state["double"]) for o in kept["outputs"]]
        try:
            seconds["backward"] = clock.time(run_backward)
        except RuntimeError as error:
            if not state["double"]:
                raise
            # Compiled functions have no second derivatives.
            state.update(double=False, reason=one_line(error))
            seconds.clear()
            return step(seconds, missing)
        if state["double"]:
            used = [g for g in kept["gradients"][:twice] if g is not None and g.requires_grad]
            along = [torch.ones_like(g) for g in used]
            try:
                seconds["double backward"] = clock.time(
                    lambda: torch.autograd.grad(used, list(inputs) + kept["ahead"], along, allow_unused=True))
            except RuntimeError as error:
                state.update(double=False, reason=one_line(error))
        if state["reason"]:
            missing["double backward"] = state["reason"]

    return step


def serve(make):
    case = None
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if question["do"] == "case":
                torch.set_num_threads(question["threads"])
                case = make(question)
                say({"library": LIBRARY, "sides": list(case.steps), "skipped": case.skipped})
            elif question["do"] == "step":
                seconds, missing = {}, {}
                case.steps[question["side"]](seconds, missing)
                say({"seconds": seconds, "missing": missing})
            else:
                case = None
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
                say({})
        except Exception as error:  # The other side records it and goes on.
            say({"error": one_line(error)})


def main(make, benchmarks, defaults, size_of):
    """Serves, or measures by itself.

    make(request) -> Case; benchmarks: names; defaults: parameters by benchmark, the size's a list; size_of: the size's name by benchmark.
    """
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__.split("\n")[0])
    parser.add_argument("--serve", action="store_true", help="answer `perf run --peer`")
    parser.add_argument("--benchmark", choices=benchmarks, default=None, help="default: all of this script")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--compile", action="store_true", help="torch.compile too")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=2)
    parser.add_argument("--sizes", help="edges or tokens or molecules, separated by commas")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=NUMBER", help="any other parameter of a case")
    options = parser.parse_args()
    if options.serve:
        return serve(make)
    torch.set_num_threads(options.threads)
    for benchmark in [options.benchmark] if options.benchmark else benchmarks:
        parameters = dict(defaults[benchmark])
        size = size_of[benchmark]
        sizes = [int(float(n)) for n in options.sizes.split(",")] if options.sizes else parameters[size]
        for name, value in (pair.split("=") for pair in options.set):
            parameters[name] = value if isinstance(parameters.get(name), str) else int(float(value))
        for number in sizes:
            measure(make, options, benchmark, {**parameters, size: number}, size)


def measure(make, options, benchmark, parameters, size):
    request = {"benchmark": benchmark, "parameters": parameters, "device": options.device, "compile": options.compile, "more": None}
    try:
        case = make(request)
    except Exception as error:
        return say({"benchmark": benchmark, "parameters": parameters, "reason": one_line(error), "failed": True})
    for side, reason in case.skipped.items():
        say({"benchmark": benchmark, "parameters": parameters, "side": side, "reason": reason})
    for side, step in case.steps.items():
        times, missing = {}, {}
        try:
            for repeat in range(-options.warm_up, options.repeats):
                seconds = {}
                step(seconds, missing)
                if repeat >= 0:
                    for name, value in seconds.items():
                        times.setdefault(name, []).append(value)
        except Exception as error:
            say({"benchmark": benchmark, "parameters": parameters, "side": side, "reason": one_line(error), "failed": True})
            continue
        for name, reason in missing.items():
            say({"benchmark": benchmark, "parameters": parameters, "side": side, "pass": name, "reason": reason})
        for name, values in times.items():
            say(record(benchmark, parameters, side, name, values, case.items, case.unit, size))
