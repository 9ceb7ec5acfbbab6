"""Runs the scenarios and prints a JSON line for each. Environment: tests/conformance/README.md."""
import email
import email.policy
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

import receiver
from service import Service

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE.parents[1] / "golden" / "messages"
WAIT_SECONDS_MAX = 90
PUBLIC = "https://calls.example.test"
TITLE = "Nørthwind\r\nBcc: eve@example.test"
PEOPLE = ["ana@example.test", "nobody@example.test", "later@example.test", "dropped@example.test"]
scenarios = []


def scenario(name):
    def register(body):
        scenarios.append((name, body))
        return body
    return register


def expect(good, what):
    if not good:
        raise AssertionError(what)


class House:
    """One import of a few calls, told by mail to four people, three of whom their server makes wait or refuses."""

    def __init__(self, folder):
        self.controller, self.server, cert = receiver.start(folder)
        (folder / "password").write_text(receiver.PASSWORD.decode() + "\n")
        self.service = Service(folder)
        self.service.configure(f"""
[http]
port = 0
url = "{PUBLIC}"

[mail]
url = "smtp://127.0.0.1:{self.controller.port}"
from = "Calls <calls@example.test>"
to = {json.dumps(PEOPLE)}
user = "{receiver.USER.decode()}"
password_file = "{folder / 'password'}"
ca_file = "{cert}"
open_url = "https://calls.example.test/imports/{{import}}"
""")
        self.service.start(calls=12)
        self.identity = self.service.import_all(TITLE)
        self.wait(lambda: all(len(self.of(address)) >= 2 for address in PEOPLE if not address.startswith("nobody")))

    def wait(self, done):
        until = time.monotonic() + WAIT_SECONDS_MAX
        while not done():
            if time.monotonic() > until:
                raise RuntimeError(f"after {WAIT_SECONDS_MAX} s there are {[who for who, _ in self.server.taken]}, asked for "
                                   f"{self.server.asked}")
            time.sleep(0.1)

    def of(self, address):
        return [email.message_from_bytes(content, policy=email.policy.default)
                for receiver_, content in list(self.server.taken) if receiver_ == address]

    def stop(self):
        self.service.stop()
        self.controller.stop()


def part(message, subtype):
    return next(piece for piece in message.iter_parts() if piece.get_content_subtype() == subtype).get_content()


@scenario("sign-in and text only inside TLS")
def over_tls(house):
    expect(house.server.signed_in, "nobody signed in")
    expect(house.server.plain_texts == 0, "a text came without TLS")


@scenario("headers as people and programs expect them")
def headers(house):
    for message in house.of("ana@example.test"):
        expect(not message.defects, message.defects)
        expect(message["From"].addresses[0].addr_spec == "calls@example.test", message["From"])
        expect(message["To"].addresses[0].addr_spec == "ana@example.test", message["To"])
        expect(message["Auto-Submitted"] == "auto-generated", message["Auto-Submitted"])
        expect(f"<{house.identity}.imports.example.test>" in message["List-Id"], message["List-Id"])
        expect(message["Date"].datetime is not None, message["Date"])
        expect("Bcc" not in message, "a title made a header")
        expect("Nørthwind Bcc: eve@example.test" in message["Subject"], message["Subject"])


@scenario("one thread an import: one subject, one root")
def threads(house):
    messages = house.of("ana@example.test")
    first, later = messages[0], messages[1:]
    expect(first["In-Reply-To"] is None and first["References"] is None, "the first answers something")
    for message in later:
        expect(message["Subject"] == first["Subject"], message["Subject"])
        expect(message["In-Reply-To"] == first["Message-ID"], message["In-Reply-To"])
        expect(message["References"] == first["Message-ID"], message["References"])
    identities = [message["Message-ID"] for message in messages]
    expect(len(set(identities)) == len(identities), identities)


@scenario("text first, then HTML of the same lines")
def twins(house):
    for address in ("ana@example.test", "later@example.test", "dropped@example.test"):
        for message in house.of(address):
            expect(message.get_content_type() == "multipart/alternative", message.get_content_type())
            expect([piece.get_content_type() for piece in message.iter_parts()] == ["text/plain", "text/html"], "the parts")
            for piece in message.iter_parts():
                expect(piece["Content-Transfer-Encoding"] == "quoted-printable", piece["Content-Transfer-Encoding"])
            text, html = part(message, "plain"), re.sub(r"\s+", " ", part(message, "html"))
            for line in text.splitlines()[:3]:
                shown = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&apos;")
                expect(shown.replace('"', "&quot;") in html, f"not in the HTML: {line}")
            expect(len(message.as_bytes()) < 100_000, len(message.as_bytes()))


@scenario("one receiver refused: the others have theirs, that one is not asked for again")
def one_refused(house):
    expect(not house.of("nobody@example.test"), "nobody got something")
    asked = house.server.asked.count("nobody@example.test")
    told = len(house.of("ana@example.test"))
    expect(asked <= told, f"asked {asked} times for {told} messages")


@scenario("put off once: comes later under the same Message-ID")
def put_off(house):
    expect(house.server.asked.count("later@example.test") > len(house.of("later@example.test")), house.server.asked)


@scenario("line dropped after the text: sent again under the same Message-ID")
def dropped(house):
    tries = house.server.tries["dropped@example.test"]
    expect(tries[0] == tries[1] and tries[0], tries)


def ask(house, method, path, body=None):
    """As a mail program does: by the path of the public address, at the port of this machine."""
    request = urllib.request.Request(house.service.http + path, data=body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@scenario("one click ends such mails (RFC 8058); looking at the link does not")
def one_click(house):
    message = house.of("ana@example.test")[0]
    expect(message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click", message["List-Unsubscribe-Post"])
    link = message["List-Unsubscribe"]
    expect(link.startswith(f"<{PUBLIC}/unsubscribe/") and link.endswith(">"), link)
    for subtype in ("plain", "html"):
        expect(link[1:-1] in part(message, subtype), f"the link is not in the {subtype} part")
    path = link[1 + len(PUBLIC):-1]
    for method in ("GET", "HEAD"):
        expect(ask(house, method, path)[0] == 200, method)
    expect(ask(house, "POST", path, b"")[0] == 400, "a POST without the words did something")
    forged = path[:-1] + ("A" if path[-1] != "A" else "B")
    expect(ask(house, "POST", forged + "A", b"List-Unsubscribe=One-Click")[0] == 404, "a forged link was taken")
    expect(json.loads(house.service.run("notifications", "mutes", "-o", "json")) == [], "looking muted somebody")
    status, page = ask(house, "POST", path, b"List-Unsubscribe=One-Click")
    expect(status == 200 and "no more mails about this import" in page, f"{status} {page[:200]}")
    mutes = json.loads(house.service.run("notifications", "mutes", "-o", "json"))
    expect([(mute["person"], mute["scope"], mute["target"]) for mute in mutes] == [("ana@example.test", "import", house.identity)],
           mutes)


@scenario("Chromium shows every message in light and in dark, and fetches nothing")
def shown(house):
    folder = pathlib.Path(os.environ["CONFORMANCE_SCRATCH"]) / "html"
    folder.mkdir()
    for number, message in enumerate(house.of("ana@example.test")):
        (folder / f"received-{number}.html").write_text(part(message, "html"))
    for golden in GOLDEN.glob("*.html"):
        (folder / golden.name).write_bytes(golden.read_bytes())
    done = subprocess.run(["node", "--disable-warning=ExperimentalWarning", str(HERE.parent / "ui" / "mail.ts"), str(folder)],
                          capture_output=True, text=True, timeout=300)
    expect(done.returncode == 0, (done.stdout + done.stderr)[-500:])


def tell(name, began, status, reason=""):
    print(json.dumps({"suite": "mail", "name": name, "status": status, "ms": int((time.monotonic() - began) * 1000),
                      "reason": " ".join(reason.split())[:600]}), flush=True)


def main():
    only = os.environ.get("CONFORMANCE_ONLY", "")
    chosen = [(name, body) for name, body in scenarios if only in name]
    if not chosen:
        return 0
    folder = pathlib.Path(os.environ["CONFORMANCE_SCRATCH"])
    house, good, began = None, True, time.monotonic()
    try:
        house = House(folder)
        for name, body in chosen:
            began = time.monotonic()
            try:
                body(house)
                tell(name, began, "passed")
            except Exception as error:  # whatever a scenario ends with is its result
                good = False
                tell(name, began, "failed", f"{type(error).__name__}: {error}")
    except Exception as error:
        good = False
        tell("(the suite itself)", began, "failed", f"{type(error).__name__}: {error}")
    finally:
        if house:
            house.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
