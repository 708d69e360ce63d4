#!/usr/bin/env python3
"""Times whole MAR images in PyTorch on the CPU, at the schedule and shapes that gtr4j samples with.

    python3 bench/peers/torch_image.py --size b --batch 1 --precision bf16 --repetitions 3 --json
    bench/cpu.sh images --python python3      # beside gtr4j, taking turns

Weights are random. The model is written as a PyTorch user would write it for speed: fused qkv, scaled_dot_product_attention,
every activation in the model's dtype, both halves of guidance in one batch, known tokens gathered so that the encoder sees
no padding, and only the rows that are decoded go through the diffusion head. The head runs each decode step's rows for that
step's number of diffusion steps; the reconstruction step's detail rows (FTS) run as a chain of their own, as a framework
without ragged chains has to. What it does not do is what gtr4j saves exactly: the last decoder block computes all rows, and
the head computes its modulations at every reverse step.

Prints the median over repetitions and its parts; the first image warms up and is not counted. With --serve it samples a
batch, says that it is ready, and then samples one for each line that it reads, all in lines of JSON.
"""

import argparse
import json
import math
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

SIZES = {  # width, encoder and decoder blocks each, heads, head width, head blocks
    "b": (768, 12, 12, 1024, 6),
    "l": (1024, 16, 16, 1280, 8),
    "h": (1280, 20, 16, 1536, 12),
}
GRID, CHANNELS, BUFFER = 16, 16, 64
TOKENS = GRID * GRID


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, n, w = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        x = x + self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, w))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class HeadBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.fc1, self.fc2, self.modulation = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, 3 * width)

    def forward(self, h, y):
        shift, scale, gate = self.modulation(y).chunk(3, dim=-1)
        return h + gate * self.fc2(F.silu(self.fc1(self.norm(h) * (1 + scale) + shift)))


class Head(nn.Module):
    def __init__(self, condition, width, blocks):
        super().__init__()
        self.width = width
        self.time1, self.time2 = nn.Linear(256, width), nn.Linear(width, width)
        self.condition, self.input = nn.Linear(condition, width), nn.Linear(CHANNELS, width)
        self.blocks = nn.ModuleList(HeadBlock(width) for _ in range(blocks))
        self.modulation, self.last = nn.Linear(width, 2 * width), nn.Linear(width, 2 * CHANNELS)

    def forward(self, x, sinusoid, condition):
        y = F.silu(self.time2(F.silu(self.time1(sinusoid))) + condition)
        h = self.input(x)
        for block in self.blocks:
            h = block(h, y)
        shift, scale = self.modulation(y).chunk(2, dim=-1)
        return self.last(F.layer_norm(h, (self.width,), eps=1e-6) * (1 + scale) + shift)


class Mar(nn.Module):
    def __init__(self, width, depth, heads, head_width, head_blocks):
        super().__init__()
        self.z_proj, self.z_norm = nn.Linear(CHANNELS, width), nn.LayerNorm(width, eps=1e-6)
        self.classes = nn.Embedding(1001, width)
        self.encoder_position = nn.Parameter(0.02 * torch.randn(BUFFER + TOKENS, width))
        self.decoder_position = nn.Parameter(0.02 * torch.randn(BUFFER + TOKENS, width))
        self.last_position = nn.Parameter(0.02 * torch.randn(TOKENS, width))
        self.mask_token = nn.Parameter(0.02 * torch.randn(width))
        self.encoder = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.decoder = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.embed = nn.Linear(width, width)
        self.head = Head(width, head_width, head_blocks)

    def conditions(self, tokens, known, labels):
        """tokens [B, L, C] and labels [B] of both halves, known [n] cells -> z [B, L, width]."""
        b = tokens.shape[0]
        classes = self.classes(labels).unsqueeze(1).expand(b, BUFFER, -1)
        x = torch.cat([classes, self.z_proj(tokens[:, known])], dim=1)
        place = torch.cat([torch.arange(BUFFER, device=known.device), BUFFER + known])
        x = self.z_norm(x + self.encoder_position[place])
        for block in self.encoder:
            x = block(x)
        x = self.embed(self.encoder_norm(x))
        y = self.mask_token.expand(b, BUFFER + TOKENS, -1).clone()
        y[:, place] = x
        y = y + self.decoder_position
        for block in self.decoder:
            y = block(y)
        return self.decoder_norm(y)[:, BUFFER:] + self.last_position


def cosine(t):
    return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2


def respaced(steps):
    """Base steps and, for each, the coefficients of the reverse step, in double precision."""
    betas = [min(1 - cosine((i + 1) / 1000) / cosine(i / 1000), 0.999) for i in range(1000)]
    base, alpha_bars, product = [], [], 1.0
    wanted = {round(i * 999.0 / (steps - 1)) for i in range(steps)} if steps > 1 else {0}
    for i, beta in enumerate(betas):
        product *= 1 - beta
        if i in wanted:
            base.append(i)
            alpha_bars.append(product)
    table, previous = [], 1.0
    for step, alpha_bar in zip(base, alpha_bars):
        beta = 1 - alpha_bar / previous
        posterior = beta * (1 - previous) / (1 - alpha_bar)
        table.append(
            dict(
                step=step,
                log_beta=math.log(beta),
                log_posterior=math.log(posterior) if posterior > 0 else None,
                x0=beta * math.sqrt(previous) / (1 - alpha_bar),
                x=(1 - previous) * math.sqrt(1 - beta) / (1 - alpha_bar),
                root=1 / math.sqrt(alpha_bar),
                root_minus_1=math.sqrt(1 / alpha_bar - 1),
            )
        )
        previous = alpha_bar
    table[0]["log_posterior"] = table[1]["log_posterior"] if len(table) > 1 else table[0]["log_beta"]
    return table


def sinusoid(step):
    angles = step * torch.exp(-math.log(10000) * torch.arange(128, dtype=torch.float32) / 128)
    return torch.cat([torch.cos(angles), torch.sin(angles)])


def chain(head, z, steps, cfg, dtype):
    """z [2R, D], the conditional rows first -> x0 [R, C]."""
    rows = z.shape[0] // 2
    condition = head.condition(z)
    x = torch.randn(rows, CHANNELS)
    for index, c in reversed(list(enumerate(respaced(steps)))):
        out = head(torch.cat([x, x]).to(dtype), sinusoid(c["step"]).to(dtype), condition).float()
        conditional, unconditional = out.chunk(2)
        epsilon = unconditional[:, :CHANNELS] + cfg * (conditional[:, :CHANNELS] - unconditional[:, :CHANNELS])
        x0 = c["root"] * x - c["root_minus_1"] * epsilon
        x = c["x0"] * x0 + c["x"] * x
        if index > 0:
            fraction = (conditional[:, CHANNELS:] + 1) / 2
            log_variance = fraction * c["log_beta"] + (1 - fraction) * c["log_posterior"]
            x = x + torch.exp(0.5 * log_variance) * torch.randn_like(x)
    return x


def decode_plan(stage_steps):
    """(cells, diffusion steps, detail tokens) of each GtR decode step."""
    stages = len(stage_steps)
    rest = [(i, j) for i in range(GRID) for j in range(GRID)]
    fine = []
    for k in range(1, stages):
        fine.append([c for c in rest if sum(c) % 2**k != 0])
        rest = [c for c in rest if sum(c) % 2**k == 0]
    order = [rest] + fine[::-1]
    generation = sum(stage_steps[:-1])
    plan, g = [], 0
    for stage, (cells, n) in enumerate(zip(order, stage_steps)):
        cells = [cells[i] for i in torch.randperm(len(cells)).tolist()]
        for i in range(n):
            part = cells[len(cells) * i // n : len(cells) * (i + 1) // n]
            numbers = torch.tensor([r * GRID + c for r, c in part])
            if stage < stages - 1:
                t = 50 if generation == 1 else (100 * (generation - 1) - 60 * g + generation - 1) // (2 * (generation - 1))
                plan.append((numbers, t, 0))
                g += 1
            else:
                plan.append((numbers, 20, max(1, math.floor(0.1 * len(part) + 0.5))))
    return plan


def frequency_energy(z):
    magnitude = torch.fft.rfft(z.float()).abs()[..., 1:]
    half = magnitude.shape[-1]
    return (magnitude * (1 + torch.arange(1, half + 1, device=z.device) / half)).sum(-1)


@torch.inference_mode()
def sample(model, batch, cfg, stage_steps, dtype):
    """Tokens of `batch` images; seconds in the backbone and in the head."""
    plan = decode_plan(stage_steps)
    labels = torch.cat([torch.arange(batch) % 1000, torch.full((batch,), 1000)])
    tokens = torch.zeros(2 * batch, TOKENS, CHANNELS)
    known = torch.empty(0, dtype=torch.long)
    backbone = head = 0.0
    for cells, steps, details in plan:
        start = time.perf_counter()
        z = model.conditions(tokens.to(dtype), known, labels)[:, cells]
        middle = time.perf_counter()
        known = torch.cat([known, cells])
        scale = 1 + (cfg - 1) * min(len(known), TOKENS - 1) / TOKENS
        conditional, unconditional = z.chunk(2)
        x = torch.empty(batch, len(cells), CHANNELS)
        groups = [(steps, torch.ones(batch, len(cells), dtype=torch.bool))]
        if details:
            chosen = torch.zeros(batch, len(cells), dtype=torch.bool)
            chosen.scatter_(1, frequency_energy(conditional).topk(details, dim=1).indices, True)
            groups = [(50, chosen), (steps, ~chosen)]
        for t, rows in groups:
            x[rows] = chain(model.head, torch.cat([conditional[rows], unconditional[rows]]), t, scale, dtype)
        tokens[:batch, cells] = x
        tokens[batch:, cells] = x
        end = time.perf_counter()
        backbone += middle - start
        head += end - middle
    return tokens[:batch], backbone, head


def timed(model, options, stage_steps, dtype):
    """Seconds of a batch: total, backbone, head."""
    start = time.perf_counter()
    _, backbone, head = sample(model, options.batch, options.cfg, stage_steps, dtype)
    return time.perf_counter() - start, backbone, head


def serve(run):
    """Answers every line of the standard input with the times of a batch."""
    run()
    print(json.dumps(dict(name="PyTorch " + torch.__version__, planned_bytes=0)), flush=True)
    for _ in sys.stdin:
        total, backbone, head = run()
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        times = dict(seconds=total, backbone_seconds=backbone, head_seconds=head, resident_peak_bytes=peak)
        print(json.dumps(times), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="b")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--steps", default="12,3,1", help="decode steps of the GtR stages")
    parser.add_argument("--cfg", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's default")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", action="store_true", help="sample whenever a line is read, for bench/cpu.sh")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    dtype = torch.float32 if options.precision == "f32" else torch.bfloat16
    model = Mar(*SIZES[options.size]).eval().to(dtype)
    stage_steps = [int(n) for n in options.steps.split(",")]
    if options.serve:
        serve(lambda: timed(model, options, stage_steps, dtype))
        return
    runs = [timed(model, options, stage_steps, dtype) for _ in range(options.repetitions + 1)]
    total, backbone, head = (statistics.median(column) / options.batch for column in zip(*runs[1:]))
    result = dict(
        peer="torch " + torch.__version__,
        size=options.size,
        batch=options.batch,
        precision=options.precision,
        steps=options.steps,
        threads=torch.get_num_threads(),
        seconds_per_image=total,
        backbone_seconds=backbone,
        head_seconds=head,
        repetitions=options.repetitions,
    )
    if options.json:
        print(json.dumps(result))
    else:
        print(
            "{peer}, MAR-{size}, batch {batch}, {precision}, GtR {steps}, {threads} threads: {seconds_per_image:.2f} s per "
            "image (backbone {backbone_seconds:.2f}, head {head_seconds:.2f}), median of {repetitions}".format(**result)
        )


if __name__ == "__main__":
    main()
