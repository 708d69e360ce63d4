#!/usr/bin/env python3
"""Whole guided images in PyTorch on a card: the work of gtr-bench's "image bf16 MODEL GtR 12,3,1, N images".

The model and the plan are those of torch_image.py. Everything is on the device before the first event and nothing waits
between the events: indices are there, and detail tokens are sorted out without their count. Two peers:

    torch.compile, CUDA graphs  one graph per decode step, of transformer blocks and reverse steps by torch.compile,
                                which compiles once per model for any number of rows; where it cannot, "torch CUDA
                                graphs" takes its place, of eager kernels
    torch eager                 as its host enqueues it

Of each the first image, or batch of them, warms up.
"""

import re

import torch

from card_head import chain, coefficients, reverse_step
from card_timing import Peer, captured
from torch_image import CHANNELS, SIZES, TOKENS, Block, Mar, decode_plan, frequency_energy

# The last has no more in common with gtr-bench's cases for the emulator than that both end soon.
MODELS = {"MAR-B": SIZES["b"], "MAR-L": SIZES["l"], "MAR-H": SIZES["h"], "small": (160, 1, 2, 64, 1)}
IMAGES = (1, 2, 8, 32)  # of the cases that are measured, those with so many
DETAIL_STEPS = 50


class Images:
    """A batch of guided images that goes through the plan, one decode step after the other."""

    def __init__(self, model, stage_steps, images, device, dtype):
        self.model, self.images = model, images
        self.tokens = torch.zeros(2 * images, TOKENS, CHANNELS, device=device, dtype=dtype)
        self.labels = torch.cat([torch.arange(images) % 1000, torch.full((images,), 1000)]).to(device)
        self.tables, self.plan = {}, []
        known = torch.empty(0, dtype=torch.long)
        for cells, steps, details in decode_plan(stage_steps):
            self.plan.append((known.to(device), cells.to(device), steps, details))
            known = torch.cat([known, cells])
            for t in (steps, DETAIL_STEPS):
                if t not in self.tables:
                    self.tables[t] = coefficients(t, device, dtype)

    def steps(self, reverse):
        """A function for each decode step."""
        return [lambda step=step: self._decode(reverse, *step) for step in self.plan]

    def _decode(self, reverse, known, cells, steps, details):
        z = self.model.conditions(self.tokens, known, self.labels)[:, cells]
        order = torch.arange(len(cells), device=cells.device).expand(self.images, -1)
        groups = [(steps, len(cells))]
        if details:
            order = frequency_energy(z[: self.images]).argsort(dim=1, descending=True)
            groups = [(DETAIL_STEPS, details), (steps, len(cells) - details)]
        parts = order.split([count for _, count in groups], dim=1)
        for (t, _), part in zip(groups, parts):
            places = part.repeat(2, 1).unsqueeze(2)
            chosen = z.gather(1, places.expand(-1, -1, z.shape[2])).flatten(0, 1)
            x = chain(reverse, self.model.head, chosen, self.tables[t]).view(self.images, -1, CHANNELS)
            tokens = cells[places].expand(-1, -1, CHANNELS)
            self.tokens.scatter_(1, tokens, torch.cat([x, x]).to(self.tokens.dtype))


def in_turn(steps):
    def run():
        for step in steps:
            step()

    return run


def in_graphs(images, reverse):
    """Of one memory pool, since graphs that run in turn can share it."""
    pool = torch.cuda.graph_pool_handle()
    return in_turn([captured(step, pool) for step in images.steps(reverse)])


def with_compiled_blocks(model):
    """The same model, whose blocks run by torch.compile: all blocks have one code and are compiled once."""
    for module in model.modules():
        if isinstance(module, Block):
            module.compile(dynamic=True)
    return model


def measure_model(peer, name, cases):
    with peer.device:
        model, compiled_model = (Mar(*MODELS[name]).eval().requires_grad_(False).to(torch.bfloat16) for _ in range(2))

    def measure(case, implementation, make):
        return peer.measure(case, implementation, make(), states=[""], warm_ups=1, at_least=3 if peer.on_card else 1)

    def images(case, of_model):
        stage_steps = [int(n) for n in re.search(r"GtR ([0-9,]+[0-9])", case.name).group(1).split(",")]
        return Images(of_model, stage_steps, case.images, peer.device, torch.bfloat16)

    if peer.on_card:
        compiled_step = torch.compile(reverse_step, dynamic=True)
        with_compiled_blocks(compiled_model)
        for case in cases:
            of_compiled = images(case, compiled_model)
            if not measure(case, "torch.compile, CUDA graphs", lambda: in_graphs(of_compiled, compiled_step)):
                measure(case, "torch CUDA graphs", lambda: in_graphs(images(case, model), reverse_step))
    for case in cases:
        measure(case, "torch eager", lambda: in_turn(images(case, model).steps(reverse_step)))


def main():
    peer = Peer("image", __doc__)
    whole = re.compile(r" GtR [0-9,]+, [0-9]+ images?$")
    found = [case for case in peer.cases() if case.precision == "bf16" and whole.search(case.name)]
    found = [case for case in found if case.images in IMAGES]
    for name in MODELS:
        cases = [case for case in found if case.name.startswith(name + " ")]
        if cases:
            measure_model(peer, name, cases)


if __name__ == "__main__":
    main()
