"""A storage for the tests of this folder, and shelves of machines that share it."""

import uuid

import pytest

from platform_resources.publications import shared_pointer, shared_versions
from platform_resources.publications.shared_versions import shared_shelf


@pytest.fixture
def shared(bucket, monkeypatch, tmp_path):
    """What makes the shelf of a product on a machine of this name; all of a test share one prefix."""
    share(bucket, monkeypatch)

    def machine(name, product="orders"):
        return shared_shelf(tmp_path / name, "sales", product)

    return machine


@pytest.fixture
def two_machines(shared):
    writer = shared("writer")
    assert writer.claim() == ""
    yield TwoMachines(writer, shared("reader"))
    writer.let_go()


def share(bucket, monkeypatch):
    """Have versions in a part of the storage that nobody else uses."""
    for name, value in bucket[0].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MESH_STORE", f"s3://mesh/{uuid.uuid4().hex}")
    monkeypatch.setenv("MESH_LEDGER", "postgresql://db/ledger")
    monkeypatch.setattr(shared_versions, "LOOK_AGAIN_SECONDS", 0.0)


def elsewhere():
    """What this process has claimed another one has claimed: it does not know of it any more, and its beats end."""
    for claim in shared_pointer._HELD.values():
        claim.done.set()
    held = dict(shared_pointer._HELD)
    shared_pointer._HELD.clear()
    return held


class TwoMachines:
    """One shelf: what begins, publishes and prunes happens on one machine, what reads and pins on the other."""

    def __init__(self, writer, reader):
        self.writer, self.reader = writer, reader
        self.begin, self.publish, self.prune, self.staging = writer.begin, writer.publish, writer.prune, writer.local.staging
        self.remove = writer.remove

    def __getattr__(self, name):
        return getattr(self.reader, name)

    def path(self, file):
        """Where the reading machine has the file, as long as it is kept."""
        for port in (port for version in self.reader.published() for port in version.ports if file in port.files):
            self.reader.where(port)
        return self.reader.local.path(file)
