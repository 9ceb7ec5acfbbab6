"""Runs the scenarios, most of them at once, and prints a JSON line for each. Environment: tests/conformance/README.md."""
import concurrent.futures
import itertools
import os
import sys

import scenarios  # noqa: F401  every file there registers its scenarios
from bench import Bench, House, registered

TOGETHER = 8  # commands mostly wait for the server


def run_lane(house, lane):
    return all([Bench(house, scenario).run() for scenario in lane])


def main():
    only = os.environ.get("CONFORMANCE_ONLY", "")
    chosen = [scenario for scenario in registered if only in scenario.name]
    if not chosen:
        return 0
    key = lambda scenario: scenario.lane or scenario.name  # noqa: E731  one without a lane is a lane of its own
    lanes = [list(lane) for _, lane in itertools.groupby(sorted(chosen, key=key), key)]
    lanes.sort(key=len, reverse=True)  # the longest first
    with House() as house, concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
        good = all(list(pool.map(lambda lane: run_lane(house, lane), lanes)))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
