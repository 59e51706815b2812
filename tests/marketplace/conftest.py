"""What tests of the marketplace share: one mesh, made once, and for each module a copy of it that is served."""

import shutil

import httpx
import pytest

from tests.marketplace.shop_mesh import NOW, served, shop_mesh


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
    with httpx.Client(base_url=address, timeout=300) as found:
        yield found


@pytest.fixture(scope="module")
def pages(shop):
    """What people see whose names a proxy says."""
    from platform_resources.marketplace.people.auth_settings import auth_settings
    from tests.marketplace.test_people import BEHIND_PROXY, browser

    with browser(shop, auth_settings(BEHIND_PROXY)) as client:
        yield client
