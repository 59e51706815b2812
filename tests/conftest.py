"""What all tests share."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from platform_resources.capabilities.registry import installed_registry
from tests.garbage import collect_rarely
from tests.meshes import keep_written, tiny_mesh

# Dagster would log what it would send.
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "true"
# Where it is large enough, the tests' files lie in memory: on a disk they wait for it at each commit of each database, a third of their time.
MEMORY = Path("/dev/shm")
if not os.environ.get("TMPDIR") and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 * 2**30:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
# The same examples in each run, so that what passed passes again; `--hypothesis-profile search` looks for others.
settings.register_profile("mesh", deadline=None, max_examples=100, derandomize=True, database=None)
settings.register_profile("quick", settings.get_profile("mesh"), max_examples=15)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile("mesh")


def pytest_configure(config):
    """While working, a law is tried on a few examples: all pure tests take seconds then. The whole suite tries it on a hundred."""
    if config.option.markexpr == "not slow":
        settings.load_profile("quick")
    collect_rarely()


def pytest_collection_finish():
    """What was imported meanwhile stays too."""
    collect_rarely()


# Tests of what works on a database, or runs in Dagster or as a command: none of them is pure.
SLOW_FOLDERS = {"cli", "conformance", "deliveries", "ledger", "orchestration", "publications", "refresh", "rehearsals", "warehouses"}
LONG_FOLDERS = {"cli", "refresh", "rehearsals"}


def pytest_collection_modifyitems(items):
    """The files that take minutes come first: one that comes last keeps one process busy while the others have nothing to do."""
    items.sort(key=lambda item: (item.path.parent.name not in LONG_FOLDERS, item.path.parent.name not in SLOW_FOLDERS))
    for item in items:
        if item.path.parent.name in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)
    if "dagster" in sys.modules:
        from tests.repeated_work import do_once

        do_once()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown():
    """Before the folder of a test that has passed is removed."""
    keep_written()


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


@pytest.fixture(scope="session")
def bucket():
    """What the environment says of a real S3-compatible storage, and its bucket `mesh`: one server for all tests."""
    from tests.deliveries.storage import storage

    with storage("mesh") as served:
        yield served


@pytest.fixture(scope="session")
def postgres_server():
    """The address of a real PostgreSQL server, for all tests that have databases of their own in it."""
    from tests.ledger.ledgers import postgres

    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_ledgers(tmp_path_factory):
    """New ledgers in SQLite, as many as are wanted: one is migrated, and the others are copies of it."""
    from tests.ledger.ledgers import SqliteLedgers

    return SqliteLedgers(tmp_path_factory.mktemp("ledgers"))


@pytest.fixture
def ledger(sqlite_ledgers):
    """An empty ledger in SQLite."""
    found = sqlite_ledgers.new()
    yield found
    found.close()


@pytest.fixture(scope="module")
def broker():
    """A broker of Kafka with topics of its own."""
    from tests.brokers import mock_broker

    with mock_broker() as found:
        yield found


@pytest.fixture
def tiny(tmp_path):
    """The root of a fresh mesh with the products readings and summary; see tests/meshes.py."""
    return tiny_mesh(tmp_path)
