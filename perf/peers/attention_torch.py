"""Causal attention over molecules in PyTorch: the other side of `perf run attention`.

The same packed (T, 3 h) input and (T, h) output in each form, and whatever it takes to get there: `sdpa` on the padded batch, `nested` on a
ragged one (torch 2.1 on), `flex` with a mask of molecules (torch 2.5 on), `flash` by the varlen function of flash_attn, in bfloat16 as that
has nothing wider. What is not installed is said.
"""
import math

import torch
import torch.nn.functional as F

import measuring


def unavailable(window):
    """Reasons by form."""
    reasons = {}
    if not hasattr(F, "scaled_dot_product_attention"):
        reasons["torch sdpa"] = f"torch {torch.__version__} has no scaled_dot_product_attention"
    if not hasattr(getattr(torch, "nested", None), "nested_tensor_from_jagged"):
        reasons["torch nested"] = f"torch {torch.__version__} has no jagged tensors"
    elif window:
        reasons["torch nested"] = "no window on jagged tensors"
    try:
        from torch.nn.attention import flex_attention  # noqa: F401
    except ImportError:
        reasons["torch flex"] = f"torch {torch.__version__} has no flex_attention"
    return reasons


def causal(length, window, device):
    visible = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    if window:
        visible = visible & torch.ones(length, length, dtype=torch.bool, device=device).triu(1 - window)
    return torch.zeros(length, length, device=device).masked_fill(~visible, -math.inf)


def make(request):
    p, device = request["parameters"], request["device"]
    molecules, length, heads, d, window = p["molecules"], p["tokens"], p["heads"], p["headWidth"], p["window"]
    tokens, scale, cuda = molecules * length, 1 / math.sqrt(d), torch.device(device).type == "cuda"
    qkv = torch.randn(tokens, 3 * heads * d, device=device).requires_grad_()
    window = window if 0 < window < length else 0
    starts = torch.arange(molecules + 1, device=device, dtype=torch.int64) * length
    case, clock, reasons = measuring.Case(tokens, "tokens", device), measuring.Clock(device), unavailable(window)
    # As for molecules of unlike lengths, gathered and scattered, although these have one length.
    slots = torch.arange(tokens, device=device)
    scores = 24 * tokens * length * heads
    allowed = request.get("memory") or math.inf
    if scores > allowed:
        reasons["torch eager"] = reasons["torch compile"] = f"takes about {scores / 2**30:.1f} GiB of {allowed / 2**30:.1f}"
    mask = None if scores > allowed and not window else causal(length, window, device)

    def padded():
        return qkv.index_select(0, slots).view(molecules, length, 3, heads, d).permute(2, 0, 3, 1, 4)

    def packed(output):
        return output.transpose(1, 2).reshape(tokens, heads * d).index_select(0, slots)

    def by_hand():
        q, k, v = padded()
        return (packed(torch.softmax(q @ k.transpose(-1, -2) * scale + mask, -1) @ v),)

    def sdpa():
        q, k, v = padded()
        own = {"attn_mask": mask} if window else {"is_causal": True}
        return (packed(F.scaled_dot_product_attention(q, k, v, **own)),)

    def nested():
        q, k, v = (torch.nested.nested_tensor_from_jagged(t, starts, min_seqlen=length, max_seqlen=length)
                   for t in qkv.view(tokens, 3, heads, d).unbind(1))
        output = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True)
        return (output.transpose(1, 2).values().reshape(tokens, heads * d),)

    def add(name, forward):
        if name in reasons:
            case.skip(name, reasons[name])
        else:
            case.add(name, measuring.derivatives(forward, [qkv], 0, clock))

    add("torch eager", by_hand)
    add("torch sdpa", sdpa)
    add("torch nested", nested)
    if not cuda:
        reasons.setdefault("torch flex", "flex_attention has no backward pass on the CPU")
    elif d < 16:
        reasons.setdefault("torch flex", f"flex_attention wants heads of 16 or more, not {d}")
    elif not request["compile"]:
        reasons.setdefault("torch flex", "flex_attention is not fused unless compiled: --compile")
    if "torch flex" in reasons:
        case.skip("torch flex", reasons["torch flex"])
    else:
        try:
            add("torch flex", flex(qkv, molecules, length, heads, d, window))
        except Exception as error:
            case.skip("torch flex", measuring.one_line(error))
    add_flash(case, clock, qkv, starts, length, heads, d, window, cuda)
    if request["compile"]:
        if "torch compile" in reasons:
            case.skip("torch compile", reasons["torch compile"])
        else:
            case.add_compiled("torch compile", by_hand, lambda compiled: measuring.derivatives(compiled, [qkv], 0, clock))
    return case


def flex(qkv, molecules, length, heads, d, window):
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention
    tokens = molecules * length

    def mask(b, h, i, j):
        seen = (i >= j) & (i // length == j // length)
        return seen & (i - j < window) if window else seen

    blocks = create_block_mask(mask, None, None, tokens, tokens, device=qkv.device)
    compiled = torch.compile(flex_attention)

    def forward():
        q, k, v = (t.transpose(0, 1)[None] for t in qkv.view(tokens, 3, heads, d).unbind(1))
        return (compiled(q, k, v, block_mask=blocks)[0].transpose(0, 1).reshape(tokens, heads * d),)

    return forward


def add_flash(case, clock, qkv, starts, length, heads, d, window, cuda):
    try:
        from flash_attn import flash_attn_varlen_qkvpacked_func
    except ImportError:
        return case.skip("flash varlen bf16", "flash_attn is not installed")
    if not cuda or d % 8:
        return case.skip("flash varlen bf16", "flash_attn runs on CUDA alone" if not cuda else f"flash_attn has no heads of {d}")
    half = qkv.detach().to(torch.bfloat16).requires_grad_()
    bounds = starts.to(torch.int32)
    reach = (window - 1, 0) if window else (-1, -1)

    def forward():
        return (flash_attn_varlen_qkvpacked_func(half.view(-1, 3, heads, d), bounds, length, causal=True, window_size=reach).flatten(1),)

    case.add("flash varlen bf16", measuring.derivatives(forward, [half], 0, clock))


if __name__ == "__main__":
    measuring.main(make, ["attention"],
                   {"attention": {"molecules": [16, 64], "tokens": 37, "heads": 16, "headWidth": 8, "window": 0}}, {"attention": "molecules"})
