"""The two servers a suite can meet: ours and the real dev server. Both on a free loopback port, in a folder of their own."""
import ctypes
import os
import signal
import socket
import subprocess
import threading
import time

NAMESPACE = "default"
SEARCH_ATTRIBUTES = {
    "CustomKeywordField": "Keyword",
    "CustomStringField": "Text",
    "CustomTextField": "Text",
    "CustomIntField": "Int",
    "CustomDoubleField": "Double",
    "CustomBoolField": "Bool",
    "CustomDatetimeField": "Datetime",
    "CustomKeywordListField": "KeywordList",
}
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 20


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def die_with_parent():
    """In the child, before exec: the kernel ends it when the thread that started it ends, however that happens."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class ServerError(Exception):
    pass


class Server:
    """One server process on one port and one folder. `kill` and `start` may alternate: port and folder stay.

    Threads: calls are serialised by a lock, as the control port and the runner share the object.
    """

    name = ""

    def __init__(self, folder, tools):
        self.folder = folder
        self.tools = tools
        self.port = free_port()
        self.process = None
        self.lock = threading.RLock()
        os.makedirs(folder, exist_ok=True)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def command(self):
        raise NotImplementedError

    def start(self):
        """Starts the process and returns once it answers calls in the namespace."""
        with self.lock:
            log = open(os.path.join(self.folder, "server.log"), "ab")
            with log:
                self.process = subprocess.Popen(self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log, preexec_fn=die_with_parent)
            deadline = time.monotonic() + START_SECONDS_MAX
            while not self.answers():
                if self.process.poll() is not None:
                    raise ServerError(f"{self.name} ended with {self.process.returncode}: {self.last_words()}")
                if time.monotonic() > deadline:
                    raise ServerError(f"{self.name} did not answer within {START_SECONDS_MAX} s: {self.last_words()}")

    def answers(self):
        probe = [os.path.join(self.tools, "temporal"), "operator", "namespace", "describe", "-n", NAMESPACE, "--address",
                 self.address, "--command-timeout", "5s"]
        if subprocess.run(probe, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0:
            return True
        time.sleep(0.1)
        return False

    def kill(self):
        """SIGKILL, as a crash would: nothing is flushed or told."""
        self._end(signal.SIGKILL)

    def stop(self):
        self._end(signal.SIGTERM)

    def restart(self):
        with self.lock:
            self.kill()
            self.start()

    def _end(self, how):
        with self.lock:
            if self.process is None:
                return
            self.process.send_signal(how)
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def last_words(self):
        with open(os.path.join(self.folder, "server.log"), "rb") as log:
            return log.read()[-600:].decode(errors="replace").strip()


class Ours(Server):
    name = "ours"
    binary = ""
    flags = ()

    def command(self):
        command = [self.binary, "serve", "--data", self.folder, "--ip", "127.0.0.1", "--port", str(self.port), *self.flags]
        return command + [f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]


class OursSkipping(Ours):
    """Ours with a clock that Temporal's TestService may move. Not for the other scenarios: it stops for whoever locks it."""

    flags = ("--time-skipping",)


class Real(Server):
    name = "real"

    def command(self):
        command = [os.path.join(self.tools, "temporal"), "server", "start-dev", "--headless", "--log-level", "error", "--ip",
                   "127.0.0.1", "--port", str(self.port), "--db-filename", os.path.join(self.folder, "real.db")]
        return command + [f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]


KINDS = {"ours": Ours, "real": Real}
SKIPPING_KINDS = {"ours": OursSkipping, "real": Real}
