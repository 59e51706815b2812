"""A server that speaks Snowflake's protocol, for tests, and the environment that leads the platform to it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "hush-hush-4711-not-told"
# fakesnow 0.12.1 writes a comment into its own SQL without doubling quotes, and answers with an error of the server. It knows no
# to_number of hexadecimal digits.
_SERVE = """
import sys
from fakesnow import info_schema, transforms
from sqlglot import exp
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
from fakesnow.cli import main
main(sys.argv[1:])
"""


@contextmanager
def snowflake_server(log: Path) -> Iterator[Mapping[str, str]]:
    """The variables of the environment, while it runs. Every session begins in the same empty account."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as output:
        command = [sys.executable, "-c", _SERVE, "--server", "--port", str(port)]
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait(server, port)
        yield {
            "MESH_TARGET": "snowflake",
            "SNOWFLAKE_ACCOUNT": "fakesnow",
            "SNOWFLAKE_USER": "mesh",
            "SNOWFLAKE_PASSWORD": PASSWORD,
            "SNOWFLAKE_ROLE": "SYSADMIN",
            "SNOWFLAKE_WAREHOUSE": "SMALL",
            "SNOWFLAKE_DATABASE": "SHOP",  # not MESH: the stand-in confuses a database with a schema of its name
            "SNOWFLAKE_HOST": "localhost",
            "SNOWFLAKE_PORT": str(port),
            "SNOWFLAKE_PROTOCOL": "http",
        }
    finally:
        server.kill()
        server.wait()


def give_up_early(monkeypatch) -> None:
    """What the server cannot do it answers as a server that is out of order, and would be asked again for minutes."""
    monkeypatch.setattr("platform_resources.warehouses.snowflake.sessions.NETWORK_TIMEOUT", 3)


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Until it answers; it ends by itself if it cannot."""
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server ended with code {server.returncode}")
