"""What a scenario is, and what it is given: the command line, ids of its own, a queue that a worker polls."""
import dataclasses
import json
import os
import re
import secrets
import subprocess
import sys
import threading
import time
import traceback
import types

HERE = os.path.dirname(os.path.realpath(__file__))
SCENARIO_SECONDS_MAX = 120
COMMAND_SECONDS_MAX = 60
ASK_EVERY_SECONDS = 0.1


@dataclasses.dataclass
class Scenario:
    name: str
    body: types.FunctionType
    lane: str
    oracle: str


registered = []


def family(prefix, lane=""):
    """A decorator for scenarios `prefix/name`. Those of one lane run one after another, all others at once."""
    def scenario(name, oracle=""):
        def register(body):
            registered.append(Scenario(f"{prefix}/{name}", body, lane, oracle))
            return body
        return register
    return scenario


class Unmet(Exception):
    """What was expected did not come."""


def expect(met, what):
    if not met:
        raise Unmet(what)


def same(got, wanted, what="it"):
    if got != wanted:
        raise Unmet(f"{what}: expected {wanted!r}, came {got!r}"[:600])


def contains(text, *parts):
    for part in parts:
        if part not in text:
            raise Unmet(f"expected {part!r} in {text[:400]!r}")


class House:
    """What all scenarios share: where the server is, and one worker. Threads: any."""

    def __init__(self):
        self.address = os.environ["CONFORMANCE_ADDRESS"]
        self.scratch = os.environ["CONFORMANCE_SCRATCH"]
        self.mark = secrets.token_hex(3)
        self.queue = f"cli-{self.mark}"
        self.telling = threading.Lock()
        # A home of its own: nobody's settings are read or written.
        self.env = {**os.environ, "HOME": self.scratch, "XDG_CONFIG_HOME": self.scratch, "NO_COLOR": "1"}

    def __enter__(self):
        source = os.path.join(HERE, "..", "typescript", "worker_process.ts")
        bundle = os.path.join(self.scratch, "bundle.js")
        self.worker = subprocess.Popen(["node", "--disable-warning=ExperimentalWarning", source, bundle, self.queue],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.worker.stdout.readline().strip() != "ready":
            raise Unmet("the worker did not start")
        return self

    def __exit__(self, *_):
        self.worker.kill()
        self.worker.wait()

    def tell(self, row):
        with self.telling:
            print(json.dumps(row), flush=True)


class Bench:
    """One scenario's hands."""

    def __init__(self, house, scenario):
        self.house, self.scenario = house, scenario
        self.queue, self.address, self.scratch = house.queue, house.address, house.scratch
        self.stem = re.sub(r"[^a-z0-9]+", "-", scenario.name.lower())[:40] + "-" + house.mark
        self.serial = 0
        self.began = time.monotonic()

    def run(self):
        """Runs the scenario and tells its end; true if it passed."""
        self.began, reason = time.monotonic(), ""
        try:
            self.scenario.body(self)
        except Exception as error:  # whatever it is, it is this scenario's
            reason = str(error) or repr(error)
            if not isinstance(error, Unmet):
                traceback.print_exc()
        passed = time.monotonic() - self.began
        self.house.tell({"suite": "cli", "name": self.scenario.name, "status": "failed" if reason else "passed",
                         "ms": int(passed * 1000), "reason": " ".join(reason.split())[:600], "oracle": self.scenario.oracle})
        return not reason

    def id(self, suffix=""):
        """A name nobody else uses: for workflow ids, queues, schedules."""
        self.serial += 1
        return f"{self.stem}-{self.serial}" + (f"-{suffix}" if suffix else "")

    def command(self, *words, server=True):
        """Runs `temporal WORDS`; its exit code, standard output and standard error."""
        command = ["temporal", *words] + (["--address", self.address] if server else [])
        try:
            done = subprocess.run(command, env=self.house.env, cwd=self.scratch, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, check=False)
        except subprocess.TimeoutExpired:
            raise Unmet(f"no end after {COMMAND_SECONDS_MAX} s: temporal {' '.join(words)}") from None
        return done.returncode, done.stdout, done.stderr

    def ok(self, *words, server=True):
        """What the command prints; it must end with code 0."""
        code, out, err = self.command(*words, server=server)
        if code != 0:
            raise Unmet(f"temporal {' '.join(words)} ended with {code}: {err.strip()}")
        return out

    def json(self, *words):
        return json.loads(self.ok(*words, "-o", "json") or "null")

    def refused(self, *words):
        """What the command says to standard error; it must end with code 1."""
        code, out, err = self.command(*words)
        if code != 1:
            raise Unmet(f"temporal {' '.join(words)}: expected code 1, came {code}: {out} {err}"[:600])
        return err

    def until(self, ask, met):
        """Asks until `met` holds for what `ask` tells: for what the server does in its own time."""
        while True:
            value = ask()
            if met(value):
                return value
            if time.monotonic() - self.began > SCENARIO_SECONDS_MAX:
                raise Unmet(f"no end after {SCENARIO_SECONDS_MAX} s; last came {value!r}"[:600])
            time.sleep(ASK_EVERY_SECONDS)

    def start(self, workflow_type, *inputs, options=()):
        """Starts a run on the shared queue; its workflow id."""
        told = self.json("workflow", "start", "--type", workflow_type, "-t", self.queue, "-w", self.id(),
                         *as_inputs(inputs), *options)
        return told["workflowId"]

    def start_idle(self, options=()):
        """Starts a run on a queue nobody polls; its workflow id."""
        told = self.json("workflow", "start", "--type", "idle", "-t", self.id("nobody"), "-w", self.id(), *options)
        return told["workflowId"]

    def describe(self, workflow_id):
        return self.json("workflow", "describe", "-w", workflow_id)

    def status(self, workflow_id):
        return self.describe(workflow_id)["workflowExecutionInfo"]["status"].removeprefix("WORKFLOW_EXECUTION_STATUS_")

    def kinds(self, workflow_id):
        """The names of the run's events."""
        events = self.json("workflow", "show", "-w", workflow_id)["events"]
        return [event["eventType"].removeprefix("EVENT_TYPE_") for event in events]

    def result(self, workflow_id):
        return self.json("workflow", "result", "-w", workflow_id)["result"]

    def listed(self, query, limit=None):
        """The workflow ids that the query finds."""
        words = ["--limit", str(limit)] if limit else []
        return {row["execution"]["workflowId"] for row in self.json("workflow", "list", "-q", query, *words)}

    def wait_listed(self, query, ids):
        self.until(lambda: self.listed(query), lambda found: found == set(ids))


def as_inputs(values):
    return [word for value in values for word in ("-i", json.dumps(value))]
