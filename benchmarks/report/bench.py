# SPDX-License-Identifier: BSD-3-Clause
"""Runs fmap_bench, one process for each row, and reports; scripts/bench is its front door."""

import argparse
import json
import pathlib
import re
import subprocess
import sys

import plot
import tables
from rows import WORKLOADS, rows_of


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Compares fmap with its peers. Every round runs each of them once, on the same "
        "workload; a ratio is that of one round, and the median over the rounds is what counts.")
    parser.add_argument("--quick", action="store_true",
                        help="2 * x and 5 µs at B = 256 against oneTBB; no verdicts; under a minute")
    parser.add_argument("--rounds", type=int, default=9, help="default: 9")
    parser.add_argument("--milliseconds", type=int, default=100, metavar="MS",
                        help="how long one measurement lasts; default: 100")
    parser.add_argument("--rows", default="", metavar="REGEX",
                        help="only rows such as twice/256; workloads: " + ", ".join(WORKLOADS))
    parser.add_argument("--peers", default=".*", metavar="REGEX",
                        help="only these peers, such as 'fmap|sequential|tbb.*'")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="keep the raw data")
    parser.add_argument("--plot", type=pathlib.Path, metavar="FILE",
                        help="draw rates over buffersizes, as SVG")
    parser.add_argument("--from-json", type=pathlib.Path, metavar="FILE",
                        help="report what --json kept, measure nothing")
    parser.add_argument("--program", default="build/release/benchmarks/fmap_bench",
                        help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rounds < 1 or options.milliseconds < 1:
        parser.error("--rounds and --milliseconds want a number above 0")
    if options.quick:
        options.rows = options.rows or "^(twice|cpu5us)/256$"
        options.peers = "fmap|sequential|independent|tbb.*"
    return options


def row_names(options):
    """`twice/16`, `twice/64` ... in the order of the tables."""
    listed = subprocess.run([options.program, "--benchmark_list_tests", "--rounds=1"], check=True,
                            stdout=subprocess.PIPE, text=True).stdout.split()
    names = {(workload, int(buffersize))
             for workload, buffersize, peer, *_ in (line.split("/") for line in listed)
             if re.search(options.rows, f"{workload}/{buffersize}")
             and re.fullmatch(options.peers, peer)}
    order = list(WORKLOADS)
    return [f"{w}/{b}" for w, b in sorted(names, key=lambda n: (order.index(n[0]), n[1]))]


def measure(options):
    """Google Benchmark's JSON of all rows in one, and the rows that did not end well."""
    data, failures = {"context": {}, "benchmarks": []}, []
    # A row has about a dozen peers; a healthy one takes a tenth of this.
    timeout = 60 + options.rounds * options.milliseconds * 12 * 10 / 1000
    for name in row_names(options):
        print(f"measuring {name}", file=sys.stderr, flush=True)
        command = [options.program, "--benchmark_format=json",
                   f"--benchmark_filter=^{name}/({options.peers})/[0-9]",
                   f"--rounds={options.rounds}", f"--milliseconds={options.milliseconds}"]
        try:
            run = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=timeout)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            failures.append(f"{name}: {error}")
            continue
        found = json.loads(run.stdout)
        data["context"] = found["context"]
        data["benchmarks"] += found["benchmarks"]
    return data, failures


def main():
    options = parse()
    if options.from_json:
        data, failures = json.loads(options.from_json.read_text()), []
    else:
        data, failures = measure(options)
    if options.json:
        options.json.write_text(json.dumps(data, indent=1))
    rows, wrong = rows_of(data)
    failures += wrong
    rows = [row for row in rows if re.search(options.rows, f"{row.workload}/{row.buffersize}")]
    if rows:
        context = data["context"]
        print(f"\n{context['num_cpus']} cores, {context['workers']} workers, load average "
              f"{context['load_avg'][0]:.2f}, {context['date'][:10]}. B is the buffersize; "
              "all numbers are medians of the rounds, with quartiles in brackets.\n")
        print(tables.rates(rows))
        if any(row.values("fmap") for row in rows):
            print("\n" + tables.ratios(rows))
        text, short, count = tables.targets(rows, judge=not options.quick)
        if count:
            print("\n" + text)
            if not options.quick:
                print(f"\n{count - short} of {count} targets met, {short} short.")
        for remark in tables.remarks(rows):
            print("\n" + remark)
    if options.plot:
        drawing = plot.draw(rows)
        if drawing:
            options.plot.write_text(drawing)
        else:
            print("no plot: no workload was measured at three buffersizes or more", file=sys.stderr)
    for failure in failures:
        print("FAILED:", failure, file=sys.stderr)
    if not rows and not failures:
        print("nothing matches --rows and --peers", file=sys.stderr)
    return 1 if failures or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
