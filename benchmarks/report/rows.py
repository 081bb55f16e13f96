# SPDX-License-Identifier: BSD-3-Clause
"""What was measured, row by row, and what it is held against."""

import collections
import statistics

WORKLOADS = {  # in the order of the tables
    "twice": "2 * x",
    "cpu5us": "5 µs of CPU",
    "sleep1ms": "1 ms sleep, 64 workers",
    "mixed": "1 in 100: 1 ms, else 1 µs",
    "hash4k": "4 KiB string to hash",
    "move64k": "64 KiB, move-only",
    "tasks": "submit + get, B outstanding",
}
SLEEPERS = 64
SEVERAL = {  # peers that are held against fmap as one: the fastest of them
    "chunked": ["tbb-chunk4", "tbb-chunk16", "tbb-chunk64", "tbb-chunk256"],
    "loose": ["tbb-loose4", "tbb-loose16", "tbb-loose64", "tbb-loose256"],
    "unchunked": ["tbb", "threads", "asio", "caf"],
}
RATE, CPU = "items_per_second", "cpu_us_per_item"

Target = collections.namedtuple("Target", "workload buffersizes reference at_least quantity of",
                                defaults=[RATE, "fmap"])
TARGETS = [
    Target("twice", [1024], "tbb", 5),
    Target("twice", [64, 256, 1024], "chunked", 2),
    Target("twice", [16], "unchunked", 2),
    Target("cpu5us", [64, 256], "tbb", 1.2),
    Target("cpu5us", [64, 256], "threads", 1.2),
    Target("cpu5us", [64, 256], "ideal", 0.97),
    Target("cpu5us", [16], "ideal", 0.9),
    Target("cpu5us", [16, 64, 256], "chunked", 1),
    Target("sleep1ms", [256], "threads", 0.99),
    Target("sleep1ms", [256], "threads", 1, CPU),
    Target("mixed", [256], "ideal", 0.95),
    Target("hash4k", [64, 256], "tbb", 1),
    Target("move64k", [16, 64], "tbb", 1),
    Target("tasks", [1000], "asio", 1),
    Target("twice", [64, 256], "caf", 1, RATE, "stage"),
    Target("cpu5us", [64, 256], "caf", 1, RATE, "stage"),
]


class Row:
    """One workload at one buffersize: what each peer did in each round."""

    def __init__(self, workload, buffersize, workers):
        self.workload, self.buffersize = workload, buffersize
        self.workers = SLEEPERS if workload == "sleep1ms" else workers
        self.peers = collections.defaultdict(dict)  # peer -> round -> measurement

    def values(self, peer, quantity=RATE):
        """By round; for `ideal`, what as many sequential loops as there are workers would do."""
        if peer == "ideal":
            if self.workload == "twice":
                return {}  # one loop that adds numbers up is no yardstick for a map
            return {r: self.workers * m[RATE] for r, m in self.peers.get("sequential", {}).items()}
        return {r: m[quantity] for r, m in self.peers.get(peer, {}).items()}

    def median(self, peer):
        values = self.values(peer)
        return statistics.median(values.values()) if values else None

    def resolve(self, reference):
        """The peer that is meant; None where none was measured."""
        peers = SEVERAL.get(reference, [reference])
        return max((p for p in peers if self.values(p)), key=self.median, default=None)

    def ratios(self, reference, quantity=RATE, of="fmap"):
        """How much better fmap (or a stage) was than the reference, in each round that has both."""
        peer = self.resolve(reference)
        ours, theirs = self.values(of, quantity), self.values(peer, quantity)
        pairs = [(ours[r], theirs[r]) for r in sorted(ours.keys() & theirs.keys())]
        return [b / a if quantity == CPU else a / b for a, b in pairs]


def rows_of(data):
    """Rows from Google Benchmark's JSON, in order, and the benchmarks that failed."""
    rows, failures = {}, []
    for benchmark in data["benchmarks"]:
        workload, buffersize, peer, number = benchmark["name"].split("/")[:4]
        if benchmark.get("error_occurred"):
            failures.append(f"{benchmark['name']}: {benchmark['error_message']}")
            continue
        key = (list(WORKLOADS).index(workload), int(buffersize))
        if key not in rows:
            rows[key] = Row(workload, int(buffersize), int(data["context"]["workers"]))
        rows[key].peers[peer][int(number)] = benchmark
    return [rows[key] for key in sorted(rows)], failures


def quartiles(values):
    """Lower quartile, median, upper quartile."""
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")
