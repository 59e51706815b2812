"""What tests of the marketplace share: one mesh, made once, and for each module a copy of it that is served."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from platform_resources.marketplace.application import application
from platform_resources.marketplace.kept_view import opened_market
from tests.marketplace.shop_mesh import NOW, shop_mesh


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The address of the marketplace of a mesh, in a thread of this process. Its view is not renewed by the clock."""
    server = uvicorn.Server(uvicorn.Config(application(opened_market(root), watch=False), port=0, log_level="warning", server_header=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server has ended instead of beginning"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="session")
def made_shop(tmp_path_factory):
    """Nobody changes this one."""
    return shop_mesh(tmp_path_factory.mktemp("shop") / "mesh", NOW)


@pytest.fixture(scope="module", autouse=True)
def no_other_mesh():
    """Nothing of the environment leads to another mesh's state."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("MESH_STATE", "DAGSTER_HOME", "MESH_LEDGER"):
            patch.delenv(variable, raising=False)
        yield


@pytest.fixture(scope="module")
def shop(made_shop, tmp_path_factory):
    """A copy of the mesh for the tests of one module."""
    return shutil.copytree(made_shop, tmp_path_factory.mktemp("copy") / "mesh", symlinks=True)


@pytest.fixture(scope="module")
def address(shop, no_other_mesh):
    with served(shop) as found:
        yield found


@pytest.fixture(scope="module")
def client(address):
    with httpx.Client(base_url=address, timeout=60) as found:
        yield found
