#!/usr/bin/env python3
"""Times scaled_dot_product_attention of PyTorch on the CPU, at the shapes of gtr-bench's attention.

    python3 bench/peers/torch_attention.py --precision bf16 --batch 2 --heads 12 --tokens 320 --head-width 64 --json

Queries, keys and values are what PyTorch expects: [batch, heads, tokens, head width]. With --layout qkv they are views of
the rows of one qkv product, as a model has them and as gtr-bench measures; with --layout contiguous each is a dense tensor
of its own, whose making is not timed. PyTorch picks the kernel itself.

Each repetition makes as many calls as fill --seconds, and its time is their mean. Prints the median over repetitions and
the quartiles; calls for half a second come first and are not counted.
"""

import argparse
import json
import math
import statistics
import time

import torch
import torch.nn.functional as F

WARM_UP_SECONDS = 0.5


def queries_keys_values(batch, heads, tokens, head_width, layout, dtype):
    rows = torch.randn(batch, tokens, 3 * heads * head_width).to(dtype)
    parts = rows.view(batch, tokens, 3, heads, head_width).permute(2, 0, 3, 1, 4)
    return parts if layout == "qkv" else [part.contiguous() for part in parts]


def seconds_per_call(run, calls):
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


@torch.inference_mode()
def measure(run, repetitions, seconds):
    """Seconds per call, one figure for each repetition."""
    warm, end = [], time.perf_counter() + WARM_UP_SECONDS
    while len(warm) < 2 or time.perf_counter() < end:
        warm.append(seconds_per_call(run, 1))
    calls = max(1, math.ceil(seconds / min(warm)))
    return [seconds_per_call(run, calls) for _ in range(repetitions)]


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--precision", choices=["f32", "bf16"], default="bf16")
    parser.add_argument("--batch", type=positive, default=2, help="a guided image is a batch of two (default: %(default)s)")
    parser.add_argument("--heads", type=positive, default=12, help="(default: %(default)s)")
    parser.add_argument("--tokens", type=positive, default=320, help="queries and keys (default: %(default)s)")
    parser.add_argument("--head-width", type=positive, default=64, help="(default: %(default)s)")
    parser.add_argument("--layout", choices=["qkv", "contiguous"], default="qkv", help="(default: %(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's default")
    parser.add_argument("--repetitions", type=positive, default=15, help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.05, help="per repetition (default: %(default)s)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    dtype = torch.float32 if options.precision == "f32" else torch.bfloat16
    q, k, v = queries_keys_values(
        options.batch, options.heads, options.tokens, options.head_width, options.layout, dtype
    )
    times = measure(lambda: F.scaled_dot_product_attention(q, k, v), options.repetitions, options.seconds)
    lower, median, upper = statistics.quantiles(times, n=4) if len(times) > 1 else 3 * times
    result = dict(
        peer="torch " + torch.__version__,
        torch=torch.__version__,
        operation="attention",
        precision=options.precision,
        batch=options.batch,
        heads=options.heads,
        tokens=options.tokens,
        head_width=options.head_width,
        layout=options.layout,
        threads=torch.get_num_threads(),
        seconds=median,
        lower_quartile_seconds=lower,
        upper_quartile_seconds=upper,
        spread=(upper - lower) / 2,
        repetitions=options.repetitions,
        gflops=4e-9 * options.batch * options.heads * options.tokens**2 * options.head_width / median,
    )
    if options.json:
        print(json.dumps(result))
    else:
        print(
            "{peer}, {precision}, batch {batch}, {heads} heads of {head_width}, {tokens} tokens, {layout}, {threads} threads: "
            "{0:.3f} ms ({1:.3f} to {2:.3f}), {gflops:.0f} GFLOP/s, median and quartiles of {repetitions}".format(
                1e3 * median, 1e3 * lower, 1e3 * upper, **result
            )
        )


if __name__ == "__main__":
    main()
