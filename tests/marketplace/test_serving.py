"""The command `mesh serve`: where it listens, and what it says where it cannot."""

import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from typer.testing import CliRunner

from platform_resources.cli.app import app

pytestmark = pytest.mark.slow


def refused(shop, *arguments):
    return CliRunner().invoke(app, ["--root", str(shop), "serve", *arguments])


@pytest.mark.parametrize(("ended_by", "workers"), [(signal.SIGINT, "1"), (signal.SIGTERM, "2")])
def test_it_says_its_address_answers_there_and_ends_when_it_is_told(shop, ended_by, workers):
    command = [sys.executable, "-c", "from platform_resources.cli.app import main; main()", "--root", str(shop), "serve", "--port", "0"]
    command += ["--workers", workers]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ}) as process:
        said = process.stderr.readline()
        assert said.startswith("marketplace: http://127.0.0.1:")
        assert "Sensor readings" in httpx.get(said.removeprefix("marketplace: ").strip(), timeout=300).text
        process.send_signal(ended_by)
        process.wait(300)
        assert process.stderr.read() == "", "neither an error nor a semaphore that is left behind"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.com", "::"])
def test_only_this_computer_is_served(shop, host):
    answer = refused(shop, "--host", host)
    assert answer.exception.code == 3
    assert f'--host is "{host}"; allowed: 127.0.0.1, localhost, ::1' in answer.stderr


def test_a_port_that_is_taken_is_said(shop):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = refused(shop, "--port", str(port))
    assert answer.exception.code == 3
    assert f"port {port} of 127.0.0.1 cannot be listened on" in answer.stderr
