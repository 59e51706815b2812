"""A download of a large file from the marketplace beside the same from nginx: how fast, and what it costs.

`python benchmarks/downloads.py [--megabytes 1024] [--rounds 3]` prints a Markdown table. The server, nginx with `sendfile` and a client that
throws away what it gets run on the same cores, one download after another, in turn. Needs nginx; the file is read from memory.
"""

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from generated_mesh import generate
from marketplace import processor_seconds

VERSION = "20260101T000000.000000Z"
FILE = f"entities_file/v1/{VERSION}/entities.parquet"
PART = 1024 * 1024
NGINX = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;
events {{ worker_connections 64; }}
http {{ access_log off; sendfile on; tcp_nopush on; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; server {{ listen 127.0.0.1:{port}; root {root}; }} }}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    nginx = shutil.which("nginx") or sys.exit("nginx is not installed: apt-get install nginx-light")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        root = generate(Path(folder) / "mesh", 1)
        ports = published(root, asked.megabytes * 1024 * 1024)
        with marketplace(root) as (market, server), served_by(nginx, Path(folder), ports) as (port, process):
            path = f"/api/v1/products/product_0000/ports/entities_file/versions/{VERSION}/files/entities.parquet"
            ways = {"marketplace": (market, path, server), "nginx": (port, f"/{FILE}", process)}
            for where, address, _ in ways.values():
                downloaded(where, address)
            table(ways, asked.rounds, asked.megabytes)


def table(ways: dict[str, tuple[int, str, int]], rounds: int, megabytes: int) -> None:
    """In turn, so that what else runs on the machine slows both."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    cost: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (port, path, server) in ways.items():
            before, begun = processor_seconds(server), time.perf_counter()
            assert downloaded(port, path) == megabytes * 1024 * 1024
            took[name].append(time.perf_counter() - begun)
            cost[name].append(processor_seconds(server) - before)
    print(f"{megabytes:,} MB\n\n| from | MB/s, median | of a core (s), median |\n|---| ---: | ---: |")
    for name in ways:
        print(f"| {name} | {megabytes / statistics.median(took[name]):,.0f} | {statistics.median(cost[name]):.2f} |")
    print(f"\nmarketplace / nginx: {statistics.median(took['nginx']) / statistics.median(took['marketplace']):.2f}")


def published(root: Path, size: int) -> Path:
    """The folder of a product's ports, with one version of one file."""
    ports = root / "ports/domain_00/product_0000"
    file = ports / FILE
    file.parent.mkdir(parents=True)
    with file.open("wb") as writing:
        for _ in range(size // PART):
            writing.write(b"x" * PART)
    port = {"port": "entities_file", "data_set": "entities", "format": "parquet", "rows": 1, "columns": {}, "watermark": None}
    record = {
        "id": VERSION,
        "product": "product_0000",
        "product_version": "1.0.0",
        "published_at": datetime.now(UTC).isoformat(),
        "run_id": "run",
        "fingerprint": "",
        "inputs": {},
        "built_in": "run",
        "ports": [{**port, "files": [FILE], "bytes": size}],
    }
    (ports / "versions").mkdir()
    (ports / f"versions/{VERSION}.json").write_text(json.dumps(record))
    (ports / "latest.json").write_text(json.dumps({"latest": VERSION, "published": [VERSION], "version": record}))
    return ports


@contextmanager
def marketplace(root: Path) -> Iterator[tuple[int, int]]:
    command = [sys.executable, "-c", "from platform_resources.cli.app import main; main()", "--root", str(root), "serve", "--port", "0"]
    with subprocess.Popen([*command, "--workers", "1"], stderr=subprocess.PIPE, text=True) as process:
        address = process.stderr.readline().removeprefix("marketplace: ").strip()
        yield urlsplit(address).port or 0, process.pid
        process.terminate()


@contextmanager
def served_by(nginx: str, folder: Path, root: Path) -> Iterator[tuple[int, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, root=root))
    with subprocess.Popen([nginx, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]) as process:
        _until(lambda: socket.create_connection(("127.0.0.1", port)).close())
        yield port, process.pid
        process.terminate()


def _until(act: Callable[[], None]) -> None:
    for _ in range(100):
        try:
            return act()
        except OSError:
            time.sleep(0.1)
    return act()


def downloaded(port: int, path: str) -> int:
    """The bytes of an answer."""
    part, total = bytearray(PART), 0
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        assert head.startswith(b"HTTP/1.1 200"), head[:200]
        total = len(head) - head.index(b"\r\n\r\n") - 4
        while received := connection.recv_into(part):
            total += received
    return total


if __name__ == "__main__":
    main()
