"""A mail server with TLS, sign-in and troubles. What it took stands in `taken`: (receiver, message as bytes)."""
import asyncio
import socket
import ssl
import subprocess

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

USER, PASSWORD = b"calls", b"a-long-secret-word"


def make_certificate(folder):
    """A self-signed certificate for 127.0.0.1; also the authority that the sender is told to trust."""
    cert, key = folder / "mail.pem", folder / "mail.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


class Troubles:
    """Refuses nobody@, puts later@ off once, and drops the line of dropped@ once after it had the whole text."""

    def __init__(self):
        self.taken = []
        self.asked = []  # every receiver named to us
        self.tries = {}  # of a text, by receiver: Message-IDs in the order they came
        self.signed_in = False
        self.plain_texts = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.asked.append(address)
        if address.startswith("nobody@"):
            return "550 5.1.1 there is no such mailbox here"
        if address.startswith("later@") and self.asked.count(address) == 1:
            return "451 4.7.1 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if session.ssl is None:
            self.plain_texts += 1
        receiver = envelope.rcpt_tos[0]
        seen = self.tries.setdefault(receiver, [])
        seen.append(message_id(envelope.content))
        if receiver.startswith("dropped@") and len(seen) == 1:
            server.transport.abort()
            await asyncio.sleep(0)
            return "451 4.3.0 gone"
        self.taken.append((receiver, envelope.content))
        return "250 2.0.0 taken"


def message_id(content):
    for line in content.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
        if line.lower().startswith(b"message-id:"):
            return line.split(b":", 1)[1].strip().decode()
    return ""


def free_port():  # the controller asks its own port at once, so it must be known before
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(folder):
    """The controller, its handler and the certificate's file. STARTTLS and a password are demanded."""
    cert, key = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    handler = Troubles()

    def authenticate(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER, PASSWORD)
        handler.signed_in = handler.signed_in or good
        return AuthResult(success=good)

    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True,
                            authenticator=authenticate, auth_required=True)
    controller.start()
    return controller, handler, cert
