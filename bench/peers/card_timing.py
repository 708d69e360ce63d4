"""What the card's peers share: cases of gtr-bench, its way of timing, and its table.

Times are those between two events on the stream, as gtr-bench takes them: before a cold run twice the second-level cache
is overwritten; before a warm run that, and then a run of the same case. On the CPU, which only tests these programs, a
clock stands in for the events.
"""

import argparse
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
    return parser.parse_args()


class Peer:
    """Measures and writes the rows of one operation."""

    MOST_TIMES = 10  # a slow case ends at this multiple of the seconds asked for
    AT_ONCE = 32  # runs that are enqueued before the stream is waited for

    def __init__(self, operation, description):
        self.options = arguments(description)
        self.operation = operation
        self.device = torch.device(self.options.device)
        self.on_card = self.device.type == "cuda"
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

    def measure(self, case, implementation, run):
        """Writes a cold and a warm row, or one that says why there is none."""
        for state in ("cold", "warm"):
            try:
                with torch.inference_mode():
                    seconds = sorted(self._times(run, state == "warm"))
            except Exception as e:  # whatever a library says it cannot do
                torch_says = (str(e).strip().splitlines() or [type(e).__name__])[0]
                self.absent(case, implementation, torch_says)
                return
            median = statistics.median(seconds)
            quarter = len(seconds) // 4
            spread = (seconds[len(seconds) - 1 - quarter] - seconds[quarter]) / 2 / median
            row = [f"{median:.9g}", f"{spread:.4g}", str(len(seconds)), "0", "0", "0", "0", ""]
            print("\t".join([case.operation, case.precision, f"{case.name}, {state}", implementation, *row]), flush=True)

    def absent(self, case, implementation, reason):
        reason = reason.replace("\t", " ")[:200]
        row = ["-", "0", "0", "0", "0", "0", "0", reason]
        print("\t".join([case.operation, case.precision, case.name, implementation, *row]), flush=True)

    def _times(self, run, warm):
        for _ in range(3):  # compiles, tunes, and wakes the card up
            run()
        if self.on_card:
            torch.cuda.synchronize(self.device)
        results = []
        start = time.perf_counter()
        while True:
            results += self._card_times(run, warm) if self.on_card else [self._host_time(run)]
            total = time.perf_counter() - start
            if len(results) >= self.options.repetitions and total >= self.options.seconds:
                return results
            if total >= self.MOST_TIMES * self.options.seconds:
                return results

    def _card_times(self, run, warm):
        pairs = []
        for _ in range(self.AT_ONCE):
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
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
        start = time.perf_counter()
        run()
        return time.perf_counter() - start
