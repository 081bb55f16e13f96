# SPDX-License-Identifier: BSD-3-Clause
"""What is measured of fmap alone, each figure next to its target."""

import os
import pathlib
import statistics
import subprocess
import sys
import time

ROWS = {  # title, unit, at least, at most
    "latency/median": ("an item every ms: pulled to taken", "µs", None, 60),
    "latency/99": ("the same, 99th percentile", "µs", None, 200),
    "mixed": ("1 in 100 slow; the fast: pulled to done", "µs", None, 200),
    "scaling/1": ("2 * x, B = 1024: 1 worker / 2 workers", "", 0.9, None),
    "scaling/4": ("4 workers / 2 workers", "", 0.9, None),
    "scaling/8": ("8 workers / 2 workers", "", 0.9, None),
    "scaling/64": ("64 workers / 2 workers", "", 0.9, None),
    "scaling/512": ("512 workers / 2 workers", "", 0.9, None),
    "together/rate": ("100 maps at a time / one map", "", 0.8, None),
    "together/least": ("the least of 100 maps / its share", "", 0.5, None),
    "busy": ("beside a busy loop on each core / alone", "", 0.05, None),
    "length/4": ("cost of an item, 10^4 / 10^6 items", "", None, 1.1),
    "length/8": ("cost of an item, 10^8 / 10^6 items", "", None, 1.1),
    "memory": ("peak memory, 10^8 items", "MB", None, 16),
    "await": ("co_await of a future that is done", "ns", None, 5),
    "coroutines": ("map of 64 coroutines / with callbacks", "", None, 1.3),
    "asio": ("1000 Asio coroutines of 10 ms, 50 at a time", "s", None, 0.23),
    "coprocesses": ("2 co-processes, on_batches / by hand", "", None, 1.2),
    "compile": ("quickstart: compile time / on oneTBB", "", None, 1.5),
}


def seconds_to_compile(root, build, source):
    command = [os.environ.get("CXX", "g++"), "-std=c++20", "-O2", "-DNDEBUG", "-I", root / "libfmap",
               "-I", build / "include", "-c", source, "-o", os.devnull]
    begin = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begin


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    here = pathlib.Path(__file__).parent
    root = here.parent.parent
    build = pathlib.Path(program).parent.parent
    missed = 0
    print(f"\nmedians of {rounds} rounds, with the least and the most\n")
    for what, (title, unit, least, most) in ROWS.items():
        found = []
        for _ in range(rounds):
            if what == "compile":
                found.append(seconds_to_compile(root, build, root / "examples/quickstart.cpp")
                             / seconds_to_compile(root, build, here / "quickstart_tbb.cpp"))
            else:
                found.append(float(subprocess.run([program, what], check=True, text=True,
                                                  stdout=subprocess.PIPE).stdout))
        value = statistics.median(found)
        good = (least is None or value >= least) and (most is None or value <= most)
        missed += not good
        wanted = f"at least {least}" if most is None else f"at most {most}"
        print(f"{title:40}{value:8.3g} {unit:3} [{min(found):.3g}, {max(found):.3g}]  "
              f"wanted {wanted}{'' if good else ': MISSED'}", flush=True)
    print(f"\n{len(ROWS) - missed} of {len(ROWS)} targets met, {missed} short.")


if __name__ == "__main__":
    main()
