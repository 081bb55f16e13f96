# SPDX-License-Identifier: BSD-3-Clause
"""Worker processes: fmap's and those of Python's standard library, side by side."""

import concurrent.futures
import multiprocessing
import statistics
import subprocess
import sys
import time

TEXT = "x" * 65536


def twice(x):
    return 2 * x


def echo(text):
    return text


def bounded(executor, function, items, buffersize):
    """What future-map's FutureMap does: at most buffersize futures, results as they complete."""
    items, pending = iter(items), set()
    while True:
        for item in items:
            pending.add(executor.submit(function, item))
            if len(pending) == buffersize:
                break
        if not pending:
            return
        done, pending = concurrent.futures.wait(
            pending, return_when=concurrent.futures.FIRST_COMPLETED)
        for future in done:
            yield future.result()


def timed(results, count):
    begin = time.perf_counter()
    assert sum(1 for _ in results) == count
    return time.perf_counter() - begin


def multiprocessing_pool(what):
    if what == "start":
        begin = time.perf_counter()
        with multiprocessing.Pool(2) as pool:
            pool.apply(twice, (1,))
            return (time.perf_counter() - begin) * 1e3
    with multiprocessing.Pool(2) as pool:
        pool.apply(twice, (1,))
        if what.startswith("twice"):
            count = 500_000
            return count / timed(pool.imap_unordered(twice, range(count), chunksize=256), count)
        if what.startswith("texts"):
            count = 2000
            results = pool.imap_unordered(echo, (TEXT for _ in range(count)))
            return count * len(TEXT) / 1e6 / timed(results, count)
        count = 2000
        return timed((pool.apply(twice, (i,)) for i in range(count)), count) / count * 1e6


def future_map(what):
    if what == "start":
        begin = time.perf_counter()
        with concurrent.futures.ProcessPoolExecutor(2) as executor:
            executor.submit(twice, 1).result()
            return (time.perf_counter() - begin) * 1e3
    with concurrent.futures.ProcessPoolExecutor(2) as executor:
        executor.submit(twice, 1).result()
        if what.startswith("twice"):
            count = 10_000
            return count / timed(bounded(executor, twice, range(count), 256), count)
        if what.startswith("texts"):
            count = 1000
            results = bounded(executor, echo, (TEXT for _ in range(count)), 16)
            return count * len(TEXT) / 1e6 / timed(results, count)
        count = 1000
        return timed((executor.submit(twice, i).result() for i in range(count)), count) / count * 1e6


ROWS = {  # title, unit, how many times better fmap is to be (Pool, FutureMap), the most it may be
    "twice/256": ("2 * x, B = 256", "items/s", (2, 100), None),
    "twice/8192": ("2 * x, B = 8192", "items/s", (2, 100), None),
    "texts/16": ("64 KiB there and back, B = 16", "MB/s", None, None),
    "roundtrip": ("lone round trip", "µs", None, 100),
    "start": ("start to first result", "ms", None, 100),
}


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    only = sys.argv[3:]  # rows; none: all, with a verdict
    missed = False
    print(f"\n2 worker processes, medians of {rounds} rounds\n")
    print(f"{'':32}{'':10}{'fmap':>12}{'Pool':>12}{'FutureMap':>12}")
    for what, (title, unit, times, most) in ROWS.items():
        if only and what not in only:
            continue
        peers = {
            "fmap": lambda w: float(subprocess.run([program, w], check=True, text=True,
                                                   stdout=subprocess.PIPE).stdout),
            "Pool": multiprocessing_pool,
            "FutureMap": future_map,
        }
        found = {name: [] for name in peers}
        for _ in range(rounds):
            for name, measure in peers.items():
                found[name].append(measure(what))
        ours, pool, loop = (statistics.median(found[name]) for name in peers)
        verdict = ""
        if times:
            good = ours >= times[0] * pool and ours >= times[1] * loop
            verdict = f"{ours / pool:.1f} and {ours / loop:.0f} times; wanted {times[0]} and {times[1]}"
        elif most:
            good = ours <= most
            verdict = f"wanted at most {most}"
        else:
            good = True
        missed |= not good
        print(f"{title:32}{unit:10}{ours:12.4g}{pool:12.4g}{loop:12.4g}  "
              f"{verdict}{'' if good or only else ': MISSED'}", flush=True)
    sys.exit(missed and not only)


if __name__ == "__main__":
    main()
