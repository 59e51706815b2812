"""A real S3-compatible storage on this machine, for as long as a test needs it."""

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from obstore.store import S3Store

KEY, SECRET = "mesh-key", "not-for-everybody"


@contextmanager
def storage(bucket: str = "landing") -> Iterator[tuple[dict[str, str], Any]]:
    """What the environment says of it, and the bucket to write into."""
    with tempfile.TemporaryDirectory(prefix="weed") as folder:
        server, said, made = next(begun for _ in range(5) if (begun := _begun(folder, bucket)) is not None)
        try:
            yield said, made
        finally:
            server.kill()
            server.wait()


def _begun(folder: str, bucket: str) -> tuple[subprocess.Popen[bytes], dict[str, str], Any] | None:
    """The server, once it answers; None where it gave up, as it does when somebody else has taken one of its ports meanwhile."""
    ports = [_free_port() for _ in range(4)]
    identity = {"name": "mesh", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin", "Read", "Write", "List"]}
    Path(folder, "s3.json").write_text(json.dumps({"identities": [identity]}))
    arguments = ["-dir", folder, "-ip", "127.0.0.1", "-s3", "-s3.config", f"{folder}/s3.json", "-volume.max", "4"]
    for name, port in zip(("-master.port", "-volume.port", "-filer.port", "-s3.port"), ports, strict=True):
        arguments += [name, str(port), f"{name}.grpc", str(_free_port())]
    # These two have fixed ports otherwise, so that a second server on the machine would end at once.
    arguments += ["-s3.port.iceberg", "0", "-s3.port.lance", "0", "-master.telemetry=false"]
    command = [str(Path(sys.executable).with_name("weed")), "server", *arguments]
    said = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports[3]}", "AWS_REGION": "us-east-1"}
    said |= {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        made = _made(bucket, said, server)
    except BaseException:
        server.kill()
        raise
    return (server, said, made) if made is not None else None


def _made(bucket: str, said: dict[str, str], server: subprocess.Popen[bytes]) -> Any:
    """The bucket, once the server answers; it makes one with the first object in it. None if the server has ended."""
    config = {name.lower(): value for name, value in said.items()}
    store = S3Store(bucket, config=config, client_options={"allow_http": True}, retry_config={"max_retries": 0})
    for _ in range(240):
        if server.poll() is not None:
            return None
        try:
            store.put("_made", b"x")
            return store
        except Exception as error:  # whatever a server says while it starts
            failed = error
            time.sleep(0.5)
    raise AssertionError(f"the storage did not start: {failed}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
