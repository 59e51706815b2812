"""What all tests share."""

import os

import pytest
from hypothesis import settings

from platform_resources.capabilities.registry import installed_registry
from tests.meshes import tiny_mesh

# Dagster would log what it would send.
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "true"
settings.register_profile("mesh", deadline=None, max_examples=100)
settings.load_profile("mesh")


# Tests of what works on a database, or runs in Dagster or as a command: none of them is pure.
SLOW_FOLDERS = {"cli", "conformance", "deliveries", "ledger", "orchestration", "publications", "refresh", "rehearsals", "warehouses"}
LONG_FOLDERS = {"cli", "refresh", "rehearsals"}


def pytest_collection_modifyitems(items):
    """The files that take minutes come first: one that comes last keeps one process busy while the others have nothing to do."""
    items.sort(key=lambda item: (item.path.parent.name not in LONG_FOLDERS, item.path.parent.name not in SLOW_FOLDERS))
    for item in items:
        if item.path.parent.name in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module", autouse=True)
def own_environment():
    """What a module's tests leave in the environment (Dagster's home, a mesh's variables) is not there for the next module."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def registry():
    """The capabilities that are built in."""
    return installed_registry()


@pytest.fixture
def tiny(tmp_path):
    """The root of a fresh mesh with the products readings and summary; see tests/meshes.py."""
    return tiny_mesh(tmp_path)
