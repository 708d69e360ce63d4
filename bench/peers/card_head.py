#!/usr/bin/env python3
"""Guided reverse chains of MAR's diffusion head in PyTorch, at the shapes of gtr-bench's head chain.

As a PyTorch user would write it for speed: everything in the model's dtype, both halves of guidance in one batch, the
condition's embedding once per chain. Eager, and in bf16 also as one CUDA graph per chain, of eager kernels and of a
reverse step by torch.compile, which compiles once per model for any number of rows. Only with a cold cache: a chain of
many steps warms it by itself.
"""

import torch

from card_timing import Peer, captured
from torch_image import CHANNELS, Head, respaced, sinusoid

CFG = 3.0


def reverse_step(head, x, time, condition, c, noise):
    """x [R, C]; time [256]; condition [2R, w]; c the step's seven coefficients as a tensor; noise [R, C]."""
    log_beta, log_posterior, x0_factor, x_factor, root, root_minus_1, noise_factor = c
    out = head(torch.cat([x, x]).to(condition.dtype), time, condition).float()
    conditional, unconditional = out.chunk(2)
    epsilon = unconditional[:, :CHANNELS] + CFG * (conditional[:, :CHANNELS] - unconditional[:, :CHANNELS])
    mean = x0_factor * (root * x - root_minus_1 * epsilon) + x_factor * x
    fraction = (conditional[:, CHANNELS:] + 1) / 2
    log_variance = fraction * log_beta + (1 - fraction) * log_posterior
    return mean + noise_factor * torch.exp(0.5 * log_variance) * noise


def coefficients(steps, device, dtype):
    """Of each reverse step, in the order in which they run: the embedding of its time, and seven numbers."""
    result = []
    for index, c in reversed(list(enumerate(respaced(steps)))):
        numbers = [c["log_beta"], c["log_posterior"], c["x0"], c["x"], c["root"], c["root_minus_1"], float(index > 0)]
        result.append((sinusoid(c["step"]).to(device, dtype), torch.tensor(numbers, device=device)))
    return result


def chain(step, head, z, table):
    """z [2R, D], the conditional rows first -> x0 [R, C], by `step` once per row of the table."""
    condition = head.condition(z)
    x = torch.randn(z.shape[0] // 2, CHANNELS, device=z.device)
    for time, numbers in table:
        x = step(head, x, time, condition, numbers, torch.randn_like(x))
    return x


def main():
    peer = Peer("head chain", __doc__)
    compiled_step = torch.compile(reverse_step, dynamic=True)
    heads = {}
    for case in peer.cases():
        if case.channels != CHANNELS:
            raise SystemExit(f"'{case.name}' has {case.channels} channels; this program has {CHANNELS}")
        shape = (case.condition, case.width, case.blocks, case.dtype)
        if shape not in heads:
            with peer.device:
                heads[shape] = Head(*shape[:3]).eval().requires_grad_(False).to(case.dtype)
        z = peer.random(2 * case.rows, case.condition, dtype=case.dtype)
        table = coefficients(case.steps, peer.device, case.dtype)

        def run(step, head=heads[shape], z=z, table=table):
            return chain(step, head, z, table)

        once = dict(states=["cold"], warm_ups=1)
        peer.measure(case, "torch eager", lambda: run(reverse_step), **once)
        if peer.on_card and case.precision == "bf16":
            peer.measure(case, "torch CUDA graph", captured(lambda: run(reverse_step)), **once)
            peer.measure(case, "torch.compile, CUDA graph", captured(lambda: run(compiled_step)), **once)


if __name__ == "__main__":
    main()
