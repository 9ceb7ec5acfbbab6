"""Runs the scenarios and prints a JSON line for each. Environment: tests/conformance/README.md."""
import asyncio
import importlib
import json
import logging
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

from harness import Bench, House, Scenario, scenarios
import harness

TOGETHER = 8  # scenarios at once: one interpreter runs them and their workers


def reason(error: BaseException) -> str:
    causes: list[str] = []
    at: BaseException | None = error
    while at is not None and len(causes) < 4:
        causes.append(f"{type(at).__name__}: {at}")
        at = at.__cause__
    return " ".join(" <- ".join(causes).split())[:600]


async def run_one(house: House, scenario: Scenario) -> bool:
    began = time.monotonic()
    told = {"suite": "python", "name": scenario.name, "status": "passed", "reason": "", "oracle": scenario.oracle}
    try:
        await asyncio.wait_for(scenario.body(Bench(house, scenario.name)), scenario.seconds)
    except TimeoutError:
        told.update(status="failed", reason=f"no end after {scenario.seconds} s")
    except Exception as error:  # whatever a scenario ends with is its result
        told.update(status="failed", reason=reason(error))
        traceback.print_exc()
    told["ms"] = int((time.monotonic() - began) * 1000)
    print(json.dumps(told), flush=True)
    return told["status"] == "passed"


async def run_phase(house: House, chosen: list[Scenario], phase: str, at_once: int) -> bool:
    waiting = [scenario for scenario in reversed(chosen) if scenario.phase == phase]
    good = True

    async def lane():
        nonlocal good
        while waiting:
            good = await run_one(house, waiting.pop()) and good

    await asyncio.gather(*(lane() for _ in range(at_once)))
    return good


async def run_all() -> int:
    for path in sorted((Path(__file__).parent / "scenarios").glob("*.py")):
        importlib.import_module(f"scenarios.{path.stem}")
    chosen = [scenario for scenario in scenarios if os.environ.get("CONFORMANCE_ONLY", "") in scenario.name]
    if not chosen:
        return 0
    house = await House.open()
    good = True
    if any(scenario.phase != "last" for scenario in chosen):
        async with house.worker(house.queue):
            for phase, at_once in (("together", TOGETHER), ("alone", 1)):
                good = await run_phase(house, chosen, phase, at_once) and good
    good = await run_phase(house, chosen, "last", 1) and good
    return 0 if good else 1


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    warnings.simplefilter("always")
    warnings.showwarning = lambda message, *_: harness.warned.append(str(message))
    code = asyncio.run(run_all())
    sys.stdout.flush()
    os._exit(code)  # threads of activities that outlived their scenario are of no more interest
