"""What the card's peers share: cases of gtr-bench, its way of timing, and its table.

Times are those between two events on the stream, as gtr-bench takes them: before a cold run twice the second-level
cache is overwritten; before a warm run that, and then a run of the same case. PyTorch's host is slower than gtr4j's: it
gets a head start, so that short runs are on the stream before the card reaches them, and their times are the card's
alone. Runs that take their host longer than that, such as eager chains, are measured as their host enqueues them. On the
CPU, which only tests these programs, a clock stands in for the events.
"""

import argparse
import math
import statistics
import time

import torch

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


class Case:
    """One line of `gtr-bench --list`: operation, precision, name, and the shape as attributes."""

    def __init__(self, line):
        self.operation, self.precision, self.name, shape = line.rstrip("\n").split("\t")
        self.shape = {}
        for word in shape.split():
            key, value = word.split("=")
            self.shape[key] = int(value) if value.lstrip("-").isdigit() else value
        self.dtype = DTYPES[self.precision]

    def __getattr__(self, key):
        try:
            return self.__dict__["shape"][key]
        except KeyError as e:
            raise AttributeError(f"{self.operation} '{self.name}' has no {key}") from e


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--cases", required=True, help="output of gtr-bench --list")
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to test this program")
    parser.add_argument("--filter", default="", help="only cases whose name contains this")
    parser.add_argument("--seconds", type=float, default=0.1, help="per case at least")
    parser.add_argument("--repetitions", type=int, default=15, help="per case at least")
    parser.add_argument("--budget", type=float, default=math.inf, help="seconds after which no case is begun")
    return parser.parse_args()


def captured(run, pool=None):
    """`run` as a CUDA graph, which the first call captures. `run` may not wait, nor allocate what outlives it."""
    graph = None

    def call():
        nonlocal graph
        if graph is None:
            # What compiles, tunes or loads must not do so while the stream is captured.
            aside = torch.cuda.Stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                run()
            torch.cuda.current_stream().wait_stream(aside)
            fresh = torch.cuda.CUDAGraph()
            with torch.cuda.graph(fresh, pool=pool, capture_error_mode="thread_local"):
                run()
            graph = fresh
        graph.replay()

    return call


class Peer:
    """Measures and writes the rows of one operation."""

    MOST_TIMES = 10  # a slow case ends at this multiple of the seconds asked for
    AT_ONCE = 32  # runs that are enqueued before the stream is waited for
    MOST_HEAD_START = 1e-3  # seconds
    CYCLES_PER_SECOND = 2e9  # about the clock of a card

    def __init__(self, operation, description):
        self.options = arguments(description)
        self.operation = operation
        self.device = torch.device(self.options.device)
        self.on_card = self.device.type == "cuda"
        self.started = time.perf_counter()
        torch.manual_seed(1)
        # FP32 means FP32, as in gtr4j.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        if self.on_card:
            cache = torch.cuda.get_device_properties(self.device).L2_cache_size
            self.flush = torch.empty(max(1 << 20, 2 * cache), dtype=torch.int8, device=self.device)
        print(
            "operation\tprecision\tcase\timplementation\tmedian_seconds\tspread\trepetitions\tflops_per_second\t"
            "peak_flops_per_second\tbytes_per_second\tpeak_bytes_per_second\tshape"
        )

    def cases(self):
        with open(self.options.cases, encoding="utf-8") as lines:
            found = [case for case in map(Case, lines) if case.operation == self.operation]
        found = [case for case in found if self.options.filter in case.name]
        if not found:
            raise SystemExit(f"{self.options.cases} has no case of {self.operation} with '{self.options.filter}'")
        return found

    def random(self, *shape, dtype=torch.float32):
        return (torch.rand(*shape, device=self.device) / 4 - 0.125).to(dtype)

    def measure(self, case, implementation, run, states=("cold", "warm"), warm_ups=3, at_least=1):
        """Writes a row for each state of the cache, or one that says why there is none. Was it measured?

        An empty state is a cold cache without its name. However slow, a case runs `at_least` so often.
        """
        if self.is_late():
            self.absent(case, implementation, f"not begun within {self.options.budget:g} seconds")
            return False
        for state in states:
            try:
                with torch.inference_mode():
                    seconds = sorted(self._times(run, state == "warm", warm_ups, at_least))
            except Exception as e:  # whatever a library says it cannot do
                torch_says = (str(e).strip().splitlines() or [type(e).__name__])[0]
                self.absent(case, implementation, torch_says)
                return False
            median = statistics.median(seconds)
            quarter = len(seconds) // 4
            spread = (seconds[len(seconds) - 1 - quarter] - seconds[quarter]) / 2 / median
            name = f"{case.name}, {state}" if state else case.name
            row = [f"{median:.9g}", f"{spread:.4g}", str(len(seconds)), "0", "0", "0", "0", ""]
            print("\t".join([case.operation, case.precision, name, implementation, *row]), flush=True)
        return True

    def is_late(self):
        return time.perf_counter() - self.started > self.options.budget

    def absent(self, case, implementation, reason):
        reason = reason.replace("\t", " ")[:200]
        row = ["-", "0", "0", "0", "0", "0", "0", reason]
        print("\t".join([case.operation, case.precision, case.name, implementation, *row]), flush=True)

    def _times(self, run, warm, warm_ups, at_least):
        for _ in range(warm_ups):  # compiles, tunes, and wakes the card up
            enqueued = self._host_time(run)
        # In which the host surely enqueues what is measured and what comes before.
        head_start = min(3 * enqueued + 1e-4, self.MOST_HEAD_START)
        results = []
        start = time.perf_counter()
        while True:
            results += self._card_times(run, warm, head_start) if self.on_card else [self._host_time(run)]
            total = time.perf_counter() - start
            if len(results) >= self.options.repetitions and total >= self.options.seconds:
                return results
            if len(results) >= at_least and total >= self.MOST_TIMES * self.options.seconds:
                return results

    def _card_times(self, run, warm, head_start):
        pairs = []
        for _ in range(self.AT_ONCE):
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda._sleep(int(head_start * self.CYCLES_PER_SECOND))
            self.flush.zero_()
            if warm:
                run()
            begin.record()
            run()
            end.record()
            pairs.append((begin, end))
            if len(pairs) == 1:
                # A slow case is not enqueued many times at once.
                end.synchronize()
                if begin.elapsed_time(end) > 5:
                    break
        torch.cuda.synchronize(self.device)
        return [begin.elapsed_time(end) * 1e-3 for begin, end in pairs]

    def _host_time(self, run):
        """Seconds until the host has enqueued, or on the CPU done, a run."""
        if self.on_card:
            torch.cuda.synchronize(self.device)
        start = time.perf_counter()
        run()
        return time.perf_counter() - start
