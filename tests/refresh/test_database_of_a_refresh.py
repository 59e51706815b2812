"""Stages of one refresh open the product's database one after the other: what one keeps open the next one has already."""

from contextlib import contextmanager

import pytest

from platform_resources.capabilities.registry import installed_registry
from platform_resources.refresh.stages import RefreshedDatabase
from platform_resources.services.refreshes.execution import refresh_product
from platform_resources.warehouses.duckdb import product_database


@pytest.fixture
def database():
    """One that says what becomes of it."""
    said = []

    @contextmanager
    def opened():
        said.append("opened")
        try:
            yield len(said)
        except ValueError:
            said.append("failed")
            raise
        said.append("closed")

    return RefreshedDatabase(opened), said


def test_it_is_closed_after_a_stage_that_does_not_keep_it(database):
    opened, said = database
    with opened(keep=True) as first:
        assert said == ["opened"]
    with opened() as second:
        assert (second, said) == (first, ["opened"])
    assert said == ["opened", "closed"]
    with opened():
        assert said == ["opened", "closed", "opened"]


def test_what_was_kept_is_closed_once_and_opened_again(database):
    opened, said = database
    with opened(keep=True):
        pass
    opened.close()
    opened.close()
    assert said == ["opened", "closed"]
    with opened():
        assert said == ["opened", "closed", "opened"]


def test_after_an_error_it_is_not_kept_and_knows_why(database):
    opened, said = database
    with opened(keep=True):
        pass
    with pytest.raises(ValueError), opened(keep=True):
        raise ValueError
    assert said == ["opened", "failed"]
    opened.close()
    assert said == ["opened", "failed"]


def test_a_refresh_opens_it_to_pull_to_build_and_for_all_that_comes_after_dbt_and_leaves_it_closed(running_mesh, monkeypatch):
    connected, files = product_database._connected, []
    monkeypatch.setattr(product_database, "_connected", lambda file, deadline: (files.append(file), connected(file, deadline))[1])
    done = refresh_product(running_mesh.root, running_mesh.root, running_mesh.product("readings"), installed_registry(), "run")
    assert done.outcome == "published"
    assert files == [running_mesh.root / "warehouse/plant/readings.duckdb"] * 3
    assert not files[0].with_name("readings.duckdb.wal").exists(), "all is in the file, which another machine may take"
