"""What tests of whole refreshes share."""

import pytest

from tests.meshes import copied_mesh, tiny_mesh
from tests.refresh.running import publish, running


@pytest.fixture(scope="session")
def refreshed_copy(tmp_path_factory):
    """A mesh that is refreshed once, and copied for each test that begins with it.

    It is called with a name for the mesh, what writes it into a folder, what is done with it then, and the folder for the copy.
    """
    made = {}

    def copy(name, write, begin, folder):
        if name not in made:
            root = write(tmp_path_factory.mktemp(name) / "mesh")
            with running(root) as mesh:
                begin(mesh)
            made[name] = root
        return copied_mesh(made[name], folder)

    return copy


@pytest.fixture
def published(refreshed_copy, tmp_path):
    """The mesh of `running_mesh` with a version of both products."""
    with running(refreshed_copy("tiny", tiny_mesh, publish("readings", "summary"), tmp_path)) as found:
        yield found


@pytest.fixture
def running_mesh(tiny):
    """A fresh mesh, nothing refreshed yet, with a Dagster instance of its own."""
    with running(tiny) as found:
        yield found
