"""A server that speaks Snowflake's protocol, for tests, and the environment that leads the platform to it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PASSWORD = "hush-hush-4711-not-told"
# fakesnow 0.12.1 writes a comment into its own SQL without doubling quotes, and answers with an error of the server. It knows no
# to_number of hexadecimal digits. It never refuses a login or breaks a statement off: what a file says it answers instead. How each login
# was made is written to a file, and a browser that is sent to it is sent back with a token, as by a company's identity provider.
# Where a folder is given, its databases are files there, and a server that is started again has them.
_SERVE = """
import gzip, importlib, json, os, sys
from pathlib import Path
import uvicorn
from fakesnow import info_schema, transforms
from fakesnow.instance import FakeSnow
from sqlglot import exp
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse, RedirectResponse
written = info_schema.insert_table_comment_sql
info_schema.insert_table_comment_sql = lambda *words: written(*(str(word).replace("'", "''") for word in words))
to_decimal = transforms.to_decimal
def hexadecimal(node):
    form = node.args.get("format") if isinstance(node, exp.ToNumber) else None
    if form is None or set(form.name) != {"X"}:
        return to_decimal(node)
    digits = exp.DPipe(this=exp.Literal.string("0x"), expression=node.this.copy())
    return exp.cast(exp.cast(digits, exp.DataType.Type.INT128), "decimal(38, 0)", dialect="duckdb")
transforms.to_decimal = hexadecimal
server = importlib.import_module("fakesnow.server")
troubles, folder = Path(sys.argv[1]), sys.argv[2]
logins = troubles.with_suffix(".logins")
if folder:
    server.shared_fs = FakeSnow(db_path=folder)
    for file in sorted(Path(folder).glob("*.db")):
        server.shared_fs.connect(file.stem)
class Troubled(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        body = await request.body()
        path, sent = request.url.path, gzip.decompress(body) if body[:2] == b"\\x1f\\x8b" else body
        asked = f"{path} {sent.decode(errors='replace')}"
        for trouble in json.loads(troubles.read_text()) if troubles.exists() else ():
            if trouble["where"] in asked and "code" not in trouble:
                os._exit(1)
            if trouble["where"] in asked:
                told = {"errorCode": trouble["code"], "sqlState": trouble["state"], "queryId": "1"}
                return JSONResponse({"success": False, "code": trouble["code"], "message": trouble["message"], "data": told})
        if path == "/sso":
            return RedirectResponse(f"http://localhost:{request.query_params['port']}/?token=token-of-the-browser")
        if path == "/session/authenticator-request":
            port = json.loads(sent)["data"]["BROWSER_MODE_REDIRECT_PORT"]
            data = {"ssoUrl": f"{request.base_url}sso?port={port}", "proofKey": "proof"}
            return JSONResponse({"success": True, "data": data})
        if path.endswith("login-request"):
            given = json.loads(sent)["data"]
            told = {key: given.get(key) for key in ("AUTHENTICATOR", "TOKEN", "PASSWORD")}
            with logins.open("a") as file:
                file.write(json.dumps({"by": given["CLIENT_ENVIRONMENT"]["APPLICATION"], **told}) + "\\n")
        return await call_next(request)
server.app.add_middleware(Troubled)
uvicorn.run(server.app, host="127.0.0.1", port=int(sys.argv[3]), log_level="info")
"""


@dataclass
class Server:
    """A server that can be stopped in the middle of anything, started again with all that it had, and told to refuse something."""

    log: Path
    folder: Path | None = None
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        if self.folder is not None:
            self.folder.mkdir(exist_ok=True)
        arguments = [str(self._troubles), str(self.folder or ""), str(self.port)]
        with self.log.open("a") as output:
            self.process = subprocess.Popen([sys.executable, "-c", _SERVE, *arguments], stdout=output, stderr=subprocess.STDOUT)
        _wait(self.process, self.port)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def _troubles(self) -> Path:
        return self.log.with_name(f"{self.log.name}.troubles")

    def refuse(self, *troubles: Mapping[str, str]) -> None:
        """From now on it answers so where a request has the text `where`, or dies of it where there is no `code`; with none it does as usual."""
        part = self._troubles.with_suffix(".part")
        part.write_text(json.dumps(troubles))
        os.replace(part, self._troubles)

    def logins(self) -> "list[dict[str, str | None]]":
        """How each session was begun since this was asked last: by which program, in which way, and with which token or password."""
        file = self._troubles.with_suffix(".logins")
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "MESH_TARGET": "snowflake",
            "SNOWFLAKE_ACCOUNT": "fakesnow",
            "SNOWFLAKE_USER": "mesh",
            "SNOWFLAKE_PASSWORD": PASSWORD,
            "SNOWFLAKE_ROLE": "SYSADMIN",
            "SNOWFLAKE_WAREHOUSE": "SMALL",
            "SNOWFLAKE_DATABASE": "SHOP",  # not MESH: the stand-in confuses a database with a schema of its name
            "SNOWFLAKE_HOST": "localhost",
            "SNOWFLAKE_PORT": str(self.port),
            "SNOWFLAKE_PROTOCOL": "http",
            "MESH_STATEMENT_TIMEOUT": "2m",
        }


@contextmanager
def started(log: Path, folder: Path | None = None) -> Iterator[Server]:
    """A server, while it is needed."""
    server = Server(log, folder)
    server.start()
    try:
        yield server
    finally:
        if sessions := sys.modules.get("platform_resources.warehouses.snowflake.sessions"):
            sessions.IDLE.end()
        server.stop()


def on_account() -> bool:
    """Whether tests run on the account that the environment names, as `make account` says."""
    return os.environ.get("MESH_TRIAL") == "yes"


def trial(prefix: str) -> str:
    """What names of databases begin with in a test: on an account with what deploy/snowflake/teardown.sql takes away."""
    return f"MESH_TRIAL_{prefix}" if on_account() else prefix


@contextmanager
def snowflake_server(log: Path) -> Iterator[Mapping[str, str]]:
    """The variables of the environment, while it runs; those that lead to an account are there already.

    Every session of the server begins in the same empty account.
    """
    if on_account():
        yield {"MESH_TARGET": "snowflake", "SNOWFLAKE_DATABASE": trial("SHOP")}
        return
    with started(log) as server:
        yield server.environment


def give_up_early(monkeypatch: Any) -> None:
    """What the server cannot do it answers as a server that is out of order, and would be asked again for minutes."""
    if not on_account():
        monkeypatch.setattr("platform_resources.warehouses.snowflake.sessions.NETWORK_TIMEOUT", 3)
        # A server of tests ends and is there again within a moment.
        monkeypatch.setattr("platform_resources.warehouses.snowflake.sessions.SURE_SECONDS", 0.0)
        monkeypatch.setenv("MESH_STATEMENT_TIMEOUT", "5s")


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Until it answers; it ends by itself if it cannot."""
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server ended with code {server.returncode}")
