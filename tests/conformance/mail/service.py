"""Our service with a sandbox behind it, in a folder of its own. Everything ends with `stop`."""
import ctypes
import json
import os
import signal
import subprocess
import threading

TOKEN = "grain_pat_mail0000_0123456789abcdefghijklmnopqrstuvwxyzABCD"
SECONDS_MAX = 120


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Service:
    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir()
        self.binary = os.environ["CONFORMANCE_BINARY"]
        self.processes = []

    def configure(self, text):
        (self.data / "callimport.toml").write_text(text)

    def start_ready(self, name, *words):
        """Starts a command that tells on a descriptor that it is ready, and answers that line's last word."""
        reads, writes = os.pipe()
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen([self.binary, *words, "--ready-fd", str(writes)], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, pass_fds=[writes], preexec_fn=die_with_parent)
        os.close(writes)
        self.processes.append(process)
        timer = threading.Timer(SECONDS_MAX, process.kill)
        timer.start()
        with os.fdopen(reads) as ready:
            line = ready.readline()
        timer.cancel()
        if not line:
            raise RuntimeError(f"{name} did not become ready: " + (self.folder / f"{name}.log").read_text()[-500:])
        return line.split()[-1]

    def start(self, calls):
        self.sandbox = "http://" + self.start_ready("sandbox", "sandbox", "grain", "--listen", "127.0.0.1:0", "--calls", str(calls),
                                                    "--seed", "7", "--rate", "off", "--slow", "0", "--token", TOKEN)
        self.http = "http://" + json.loads(self.start_ready("serve", "serve", "--data", str(self.data), "--port", "0"))["http"]

    def run(self, *words, stdin=""):
        env = dict(os.environ, CALLIMPORT_DATA=str(self.data))
        done = subprocess.run([self.binary, *words], input=stdin, env=env, capture_output=True, text=True, timeout=SECONDS_MAX)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-500:]}")
        return done.stdout.strip()

    def import_all(self, title):
        credential = self.run("credentials", "add", "--platform", "grain", "--workspace", "northwind", "--token-stdin", stdin=TOKEN)
        identity = self.run("start", "--platform", "grain", "--workspace", "northwind", "--title", title, "--credential", credential,
                            "--base-url", self.sandbox, "--window", "always", "--yes", "--owns-data")
        self.run("watch", identity, "--exit-status")
        return identity

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
