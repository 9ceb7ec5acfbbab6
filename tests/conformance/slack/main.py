"""Runs the scenarios and prints a JSON line for each. Environment: tests/conformance/README.md."""
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
MONITORING = HERE.parents[2] / "docs" / "monitoring"
sys.path.insert(0, str(HERE.parent / "mail"))
from service import TOKEN, Service  # noqa: E402

WAIT_SECONDS_MAX = 90
SLACK_TOKEN = "xoxb-conformance-0123456789"
TITLE = "N\u00f8rthwind <!channel> & Co"
ARGUMENTS = {"chat.postMessage": "ChatPostMessageArguments", "chat.update": "ChatUpdateArguments"}
scenarios = []


def scenario(name):
    def register(body):
        scenarios.append((name, body))
        return body
    return register


def expect(good, what):
    if not good:
        raise AssertionError(what)


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


class House(Service):
    """One import of a few calls, told in a sandbox of Slack."""

    def __init__(self, folder):
        super().__init__(folder)
        slack = self.start_ready("slack", "sandbox", "slack", "--listen", "127.0.0.1:0", "--token", SLACK_TOKEN)
        self.slack = "http://" + slack
        (folder / "slack-token").write_text(SLACK_TOKEN + "\n")
        (folder / "signing-secret").write_text("0123456789abcdef\n")
        self.configure(f"""
[http]
port = 0

[slack]
token_file = "{folder / 'slack-token'}"
signing_secret_file = "{folder / 'signing-secret'}"
api_url = "{self.slack}/api/"
channel = "#imports"
open_url = "https://calls.example.test/imports/{{import}}"
""")
        self.sandbox = "http://" + self.start_ready("sandbox", "sandbox", "grain", "--listen", "127.0.0.1:0", "--calls", "12",
                                                    "--seed", "7", "--rate", "off", "--slow", "500", "--token", TOKEN)
        ready = json.loads(self.start_ready("serve", "serve", "--data", str(self.data), "--port", "0"))
        self.http = "http://" + ready["http"]
        self.import_all(TITLE)
        self.requests = self.wait_for_the_end()

    def wait_for_the_end(self):
        until = time.monotonic() + WAIT_SECONDS_MAX
        while time.monotonic() < until:
            requests = json.loads(get(self.slack + "/_sandbox/requests"))
            told = any(body.get("reply_broadcast") and body["text"].startswith("Done") for _, body in requests)
            if told and any(method == "chat.update" for method, _ in requests):
                return requests
            time.sleep(0.2)
        raise RuntimeError("Slack was not told of the end: " + (self.folder / "serve.log").read_text()[-800:])


@scenario("slack.the_types_of_slacks_client_take_every_request")
def types(house):
    expect(len(house.requests) >= 2, "a root and the end at least")
    lines = ['import type { ChatPostMessageArguments, ChatUpdateArguments } from "@slack/web-api";']
    for number, (method, body) in enumerate(house.requests):
        lines.append(f"export const request{number}: {ARGUMENTS[method]} = {json.dumps(body, indent=1)};")
    made = HERE / f"requests.{os.getpid()}.ts"  # beside node_modules, where the compiler looks
    made.write_text("\n".join(lines) + "\n")
    try:
        done = subprocess.run(["node", str(HERE / "node_modules" / "typescript" / "bin" / "tsc"), "--noEmit", "--strict",
                               "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext", "--target", "es2022",
                               str(made)], capture_output=True, text=True, timeout=300)
    finally:
        made.unlink()
    expect(done.returncode == 0, done.stdout[-1500:] + done.stderr[-500:])


@scenario("slack.one_root_message_and_everything_else_in_its_thread")
def one_root(house):
    messages = json.loads(get(house.slack + "/_sandbox/messages"))
    roots = [message for message in messages if not message["thread_ts"]]
    expect(len(roots) == 1, f"{len(roots)} messages in the channel itself")
    expect(all(message["thread_ts"] == roots[0]["ts"] for message in messages if message["thread_ts"]), "another thread")
    expect(roots[0]["edits"] >= 1, "the root was never edited")
    blocks = [block for message in messages for block in message["payload"].get("blocks", []) if block["type"] != "header"]
    shown = json.dumps(blocks) + json.dumps([message["payload"]["text"] for message in messages])  # a header is plain text
    expect("<!channel>" not in shown, "a title rang everybody's bell")
    expect(len([message for message in messages if message["broadcast"]]) <= 2, "more broadcasts than the end and the first calls")


def ends_told(text):
    words = ("callimport_notifications_total{", 'channel="slack"', 'kind="import.completed"', 'result="sent"')
    return sum(float(line.split()[-1]) for line in text.splitlines() if all(word in line for word in words))


@scenario("metrics.promtool_finds_nothing_to_mend")
def metrics(house):
    text = get(house.http + "/metrics")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0, done.stdout + done.stderr)
    for name in ["callimport_imports_finished_total", "callimport_calls_total", "callimport_stage_duration_seconds_bucket",
                 "callimport_platform_requests_total", "callimport_media_fetched_bytes_total", "callimport_store_commit_seconds_sum",
                 "callimport_notification_delay_seconds_bucket", "callimport_task_schedule_to_start_seconds_bucket",
                 "callimport_eta_error_ratio", "callimport_build_info", "process_resident_memory_bytes"]:
        expect(name in text, f"no {name}")
    expect("northwind" not in text.lower() and "imp_" not in text, "a customer or an import is in a label")
    registered = [line for line in text.splitlines() if 'outcome="registered"' in line]
    expect(registered and float(registered[0].split()[-1]) > 0, "no call was counted")
    until = time.monotonic() + WAIT_SECONDS_MAX
    while not ends_told(text) and time.monotonic() < until:  # written down after Slack has it
        time.sleep(0.2)
        text = get(house.http + "/metrics")
    expect(ends_told(text) == 1, "the end was not told once in Slack: " + text)


@scenario("metrics.promtool_takes_the_alert_rules_and_plays_them")
def alerts(house):
    for words in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run(["promtool", *words], cwd=MONITORING, capture_output=True, text=True, timeout=60)
        expect(done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr)


@scenario("metrics.promtool_reads_every_question_of_the_dashboard")
def dashboard(house):
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    asked = [target["expr"].replace("$__rate_interval", "1m") for panel in panels for target in panel.get("targets", [])]
    rules = [{"record": f"panel:question:{number}", "expr": question} for number, question in enumerate(asked)]
    made = house.folder / "dashboard.yml"
    made.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(made)], capture_output=True, text=True, timeout=60)
    expect(rules and done.returncode == 0, done.stdout + done.stderr)


def main():
    wanted = os.environ.get("CONFORMANCE_ONLY", "")
    chosen = [(name, body) for name, body in scenarios if wanted in name]
    house = None
    try:
        for name, body in chosen:
            begun = time.monotonic()
            told = {"suite": "slack", "name": name, "status": "passed"}
            try:
                if house is None:
                    folder = pathlib.Path(os.environ["CONFORMANCE_SCRATCH"])
                    house = House(folder)
                body(house)
            except Exception as error:
                told.update(status="failed", reason=f"{type(error).__name__}: {error}"[-1800:])
            told["ms"] = int((time.monotonic() - begun) * 1000)
            print(json.dumps(told), flush=True)
    finally:
        if house is not None:
            house.stop()


main()
