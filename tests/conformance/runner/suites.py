"""Runs one suite against one server of its own, and reads the scenarios it tells, a JSON line each."""
import json
import os
import signal
import subprocess
import threading

from .control import Control
from .servers import KINDS, NAMESPACE, SKIPPING_KINDS, ServerError, die_with_parent

SUITES = ["typescript", "go", "python", "cli", "ui", "mail", "slack"]
OURS_ALONE = {"mail", "slack"}  # what the real server knows nothing of
SUITE_SECONDS_MAX = 30 * 60
STATUSES = ("passed", "failed", "skipped")
KILL_SEEDS = 2
KILL_SEEDS_FULL = 20
WHOLE_SUITE = "(the suite itself)"


running = set()  # suites' processes, for `end_all`


def end_all():
    """Ends every suite under way. Servers end with the runner's threads."""
    for process in list(running):
        end_group(process)


def kill_seeds(kind):
    """How many seeds the kill scenarios take, as text. One shows that the real server passes, and costs minutes there."""
    return "1" if kind == "real" else os.environ.get("CONFORMANCE_KILLS") or str(KILL_SEEDS)


def result(suite, name, status, reason="", ms=0, oracle=""):
    return {"suite": suite, "name": name, "status": status, "ms": ms, "reason": reason, "oracle": oracle}


def parse_line(suite, line):
    """A scenario's result, or None where the line is something else a suite printed."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("status") not in STATUSES or not told.get("name"):
        return None
    return result(suite, str(told["name"]), told["status"], str(told.get("reason") or ""), int(told.get("ms") or 0),
                  str(told.get("oracle") or ""))


class SuiteRun:
    """One suite on one server. `run` returns its results; the folder keeps server.log and suite.log."""

    def __init__(self, suite, kind, folder, only, say, env):
        self.suite, self.kind, self.folder, self.only, self.say, self.env = suite, kind, folder, only, say, env
        self.results = []

    def run(self, executable):
        os.makedirs(self.folder, exist_ok=True)
        server = KINDS[self.kind](os.path.join(self.folder, "server"), self.env["CONFORMANCE_TOOLS"])
        skipping = SKIPPING_KINDS[self.kind](os.path.join(self.folder, "skipping"), self.env["CONFORMANCE_TOOLS"])
        control = Control(server, skipping)
        try:
            server.start()
            self._run_suite(executable, server, control)
        except (ServerError, OSError) as error:
            self._take(result(self.suite, WHOLE_SUITE, "failed", str(error)))
        finally:
            server.stop()
            control.close()
            skipping.stop()
        return self.results

    def _run_suite(self, executable, server, control):
        scratch = os.path.join(self.folder, "scratch")
        os.makedirs(scratch, exist_ok=True)
        env = dict(self.env, CONFORMANCE_ADDRESS=server.address, CONFORMANCE_NAMESPACE=NAMESPACE, CONFORMANCE_SERVER=self.kind,
                   CONFORMANCE_ONLY=self.only, CONFORMANCE_RESTART=control.address, CONFORMANCE_SCRATCH=scratch,
                   CONFORMANCE_KILLS=kill_seeds(self.kind))
        log_path = os.path.join(self.folder, "suite.log")
        with open(log_path, "wb") as log:
            process = subprocess.Popen([executable], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                       start_new_session=True, preexec_fn=die_with_parent)
            clock = threading.Timer(SUITE_SECONDS_MAX, lambda: end_group(process))
            clock.start()
            running.add(process)
            try:
                for line in process.stdout:
                    told = parse_line(self.suite, line)
                    if told is None:
                        log.write(line)
                        log.flush()
                    else:
                        self._take(told)
                code = process.wait()
            finally:
                clock.cancel()
                end_group(process)
                running.discard(process)
        if not self.results and not self.only and code == 0:
            self._take(result(self.suite, WHOLE_SUITE, "failed", "it told no scenario"))
        if code not in (0, 1) or (code == 1 and not any(row["status"] == "failed" for row in self.results)):
            with open(log_path, "rb") as log:
                words = " ".join(log.read()[-600:].decode(errors="replace").split())
            self._take(result(self.suite, WHOLE_SUITE, "failed", f"ended with {code}: {words}"))

    def _take(self, told):
        self.results.append(told)
        seconds = told["ms"] / 1000
        mark = f" [oracle: {told['oracle']}]" if told["oracle"] else ""
        why = f": {told['reason']}" if told["reason"] and told["status"] != "passed" else ""
        self.say(f"{self.kind:<4} {told['status']:<7} {self.suite}/{told['name']} {seconds:.1f} s{mark}{why}"[:400])


def end_group(process):
    """Ends what the suite started and left behind: it leads a process group of its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
