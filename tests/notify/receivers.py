"""Real receivers of messages: a mail server and a web server that take, refuse, hold or drop them as they are told."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


@dataclass
class MailServer:
    """Takes mail on `port`; `answers` are given to the next messages instead, `refused` recipients never get any; `silent` never answers."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    silent: bool = False

    def url(self, more: str = "") -> str:
        return f"mailto://127.0.0.1:{self.port}/?from=mesh@example.com{more}"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refused:
            return f"550 5.1.1 nobody here is called {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.silent:
            await asyncio.Event().wait()
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"


@contextmanager
def mail_server(password: str | None = None, **told: Any) -> Iterator[MailServer]:
    """With a password the server wants `mesh` to log in with it, and takes nobody else."""
    server = MailServer(**told)

    def login(smtp, session, envelope, mechanism, data):
        return AuthResult(success=data.password == (password or "").encode(), handled=False)

    more = {"authenticator": login, "auth_required": True, "auth_require_tls": False} if password else {}
    controller = Controller(server, hostname="127.0.0.1", port=free_port(), **more)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


@dataclass
class WebServer:
    """Takes JSON on `port`; `statuses` are given to the next requests instead of 200. `hold` keeps requests waiting until it is set."""

    port: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    answer: str = "thank you"
    arrived: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event | None = None
    seconds: float = 0

    @property
    def keys(self) -> list[str]:
        return [request["key"] for request in self.requests]


@contextmanager
def web_server(**told: Any) -> Iterator[WebServer]:
    server = WebServer(**told)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken = {"path": self.path, "key": self.headers["X-Mesh-Message"], "body": json.loads(body)}
            server.arrived.set()
            if server.hold is not None:
                server.hold.wait()
            time.sleep(server.seconds)
            status = server.statuses.pop(0) if server.statuses else 200
            if status == 200:
                server.requests.append(taken)
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked may be gone
                self.send_response(status)
                self.end_headers()
                self.wfile.write(server.answer.encode())

        def log_message(self, *arguments: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    server.port = httpd.server_address[1]
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        if server.hold is not None:
            server.hold.set()
        httpd.shutdown()
        httpd.server_close()


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
