"""The session that docs/session.md shows: every command is typed again in a shell, with a real database and a real server."""

import os
import re
import resource
import shlex
import subprocess
import sys
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.capabilities.test_rest_rows import Handler
from tests.forked_commands import MESH, program
from tests.golden_files import REWRITE, assert_golden
from tests.ledger.ledgers import plainly_named, postgres
from tests.meshes import REPOSITORY

pytestmark = pytest.mark.slow
PAGE = REPOSITORY / "docs/session.md"
RECORDED = re.compile(r"^(?:RECORDED|Recorded .*)$", re.MULTILINE)
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
# What is another thing each time: versions, moments, and how long something took.
VARIES = {
    r"\d{8}T\d{6}\.\d{6}Z": "VERSION",
    r"\b[A-Z][a-z]{2} \d{1,2} [A-Z][a-z]{2}, \d\d:\d\d UTC": "MOMENT",
    r"\b\d+(\.\d+)? (s|min)\b": "TIME",
    r"at most TIME\b|between .*? and TIME": "USUAL",
    r" {2,}": "  ",
}
ORDERS = """
create role mesh login password 'let-me-in';
create table orders (order_id bigint primary key, amount_eur numeric(12,2), status text, customer_mail text, updated_at timestamptz);
insert into orders select n, n % 7 + 0.25, case n % 3 when 0 then 'open' else 'paid' end, 'c' || n || '@example.com',
timestamptz '2026-06-01 12:00:00+02' + n * interval '1 hour' from generate_series(1, 400) n;
grant select on orders to mesh;
"""


class Tickets(Handler):
    def do_GET(self):  # noqa: N802
        self.path = self.path.replace("/tickets", "/links")
        super().do_GET()


@pytest.fixture
def places():
    """Where the database and the interface of the page really are, by what the page calls them."""
    with postgres() as url, ThreadingHTTPServer(("127.0.0.1", 0), Tickets) as server:
        admin = create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("create database shop"))
        shop = create_engine(admin.url.set(database="shop"))
        with shop.begin() as connection:
            connection.execute(text(ORDERS))
        admin.dispose()
        shop.dispose()
        server.asked, server.trouble, server.away, server.etag = [], [], "", ""
        server.records = [
            {"id": n, "subject": f"Ticket {n}", "priority": ("low", "high")[n % 2], "opened": "2026-11-20"} for n in range(60)
        ]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        socket = plainly_named(str(admin.url.query["host"]))
        yield {"/run/postgresql": socket, "127.0.0.1:8000": f"127.0.0.1:{server.server_port}"}
        server.shutdown()
        os.unlink(socket)


def commands(block: str) -> list[str]:
    """What was typed: lines after `$ `, with those after `> ` that go on."""
    return re.findall(r"^\$ (.*(?:\n> .*)*)", block, re.MULTILINE)


def typed(block: str, folder: Path, programs: Path, places: dict[str, str]) -> str:
    """What a terminal shows when all commands of the block are typed into one shell."""
    lines = []
    for command in commands(block):
        plain = command.replace("\n> ", "\n")
        for shown, real in places.items():
            plain = plain.replace(shown, str(real))
        lines += [f"printf '%s\\n' {shlex.quote('$ ' + command)}", plain]
    left_out = ("MESH_", "PYTHON", "DAGSTER_", "VIRTUAL_ENV")
    own = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    own |= {"PATH": f"{programs}:{Path(sys.executable).parent}:{own['PATH']}", "COLUMNS": "140", "TZ": "UTC"}
    script = "\n".join(["exec 2>&1", *lines])
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=own, stdout=subprocess.PIPE, text=True, timeout=1800, check=False)
    output = "\n".join(line.rstrip() for line in done.stdout.splitlines()).rstrip() + "\n"
    for shown, real in places.items():
        output = output.replace(str(real), shown)
    return output


def plain(output: str) -> str:
    for varies, word in VARIES.items():
        output = re.sub(varies, word, output)
    return output


def test_golden_session_is_what_a_terminal_shows(tmp_path, tmp_path_factory, places):
    page = PAGE.read_text(encoding="utf-8")
    (block,) = BLOCK.findall(page)
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    programs = tmp_path_factory.mktemp("programs")
    if not os.environ.get(REWRITE):  # else the page says how long its commands take
        program(programs / "mesh", MESH[2])
    output = typed(block, tmp_path, programs, places)
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert re.findall(r"^(?:published|unchanged) +(\w+)", output, re.MULTILINE) == ["visits", "orders", "tickets", "orders"], output
    if plain(output) != plain(block):
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        load = os.getloadavg()[0]
        said = f"Recorded on two cores with a load of {load:.1f}: {took:.0f} s for all of it, {used:.0f} s of them the processor's."
        assert_golden(RECORDED.sub(said, BLOCK.sub(lambda _: output, page)), PAGE)
