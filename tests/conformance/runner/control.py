"""The control port: a suite asks for its server to be killed and started, or for another that can skip time. One request a
connection, a line each way."""
import socketserver
import threading

from .servers import ServerError


class Control:
    """Serves `kill`, `start` and `restart` for one server on a loopback port, and `time-skipping`, which starts the second one
    when it is first asked for. Answers `ok` (and that server's address), or `error` and the reason."""

    def __init__(self, server, skipping):
        def start_skipping():
            if skipping.process is None:
                skipping.start()
            return skipping.address

        verbs = {"kill": server.kill, "start": server.start, "restart": server.restart, "time-skipping": start_skipping}

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                verb = self.rfile.readline(64).decode(errors="replace").strip()
                try:
                    if verb not in verbs:
                        raise ServerError(f"no verb '{verb}'")
                    answer = " ".join(filter(None, ["ok", verbs[verb]()]))
                except (ServerError, OSError) as error:
                    answer = "error " + " ".join(str(error).split())
                self.wfile.write(answer.encode() + b"\n")

        # One request at a time on one thread, which lives as long as the servers it starts.
        self.listener = socketserver.TCPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.listener.serve_forever, daemon=True)
        self.thread.start()

    @property
    def address(self):
        host, port = self.listener.server_address
        return f"{host}:{port}"

    def close(self):
        self.listener.shutdown()
        self.listener.server_close()
