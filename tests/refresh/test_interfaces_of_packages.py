"""Interfaces of an installed package bring their own reader and writer, and a refresh uses both."""

import json
import sys

import pytest

from platform_resources.publications.published_versions import shelf
from tests.capabilities.test_registry import package
from tests.forked_commands import forked
from tests.meshes import REPOSITORY, component, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import environment

INTERFACES = '''
"""Holidays that a source knows, and a file that says when its rows were written."""

from dataclasses import dataclass

import duckdb

from platform_resources import Extracted, PullRows, Store, Strict


class SourceSettings(Strict):
    """Which years."""

    years: list[int]


@dataclass(frozen=True)
class Years:
    years: tuple[int, ...]

    def read(self, extraction):
        known = extraction.cursor or []
        if (extraction.folder / "source_is_down").exists():
            raise ConnectionError("the source is down")
        years = [*known, *(year for year in self.years if year not in known)]
        return Extracted(extraction.connection.sql(f"select unnest({years}) as year"), years)


class Source:
    """Years that a source knows."""

    name, kind, config = "years", "years", SourceSettings
    example = "- {name: known years, type: input-port, properties: {interface: years, years: [2024]}}"

    def pull(self, settings):
        return PullRows(Years(tuple(settings.years)))


class ListSettings(Strict):
    """What stands first."""

    title: str


@dataclass(frozen=True)
class List:
    title: str
    suffix: str = "txt"

    def write(self, files, columns, target):
        rows = duckdb.read_parquet([str(file) for file in files]).order("year").fetchall()
        if len(rows) > 2:
            raise ValueError(f"{rows[0][0]} is too much")
        target.write_text("\\n".join([self.title, *(f"{year}" for year, in rows)]))


class Listing:
    """A list to print."""

    name, kind, config = "list", "list", ListSettings
    example = "- {name: printed, type: output-port, properties: {interface: list, data_set: years, title: Years}}"

    def store(self, settings):
        return Store("parquet", writer=List(settings.title))


SOURCE, LISTING = Source(), Listing()
'''
REFRESHES = """
import json, sys
from pathlib import Path
from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.services.refreshes.execution import refresh_product
from platform_resources.services.showing.published_files import published_files

root = Path(sys.argv[1])
file = root / "dataproducts/office/holidays/product.yaml"
for years, is_down in (("[2024]", False), ("[2024, 2025]", True), ("[2024, 2025]", False), ("[2026]", False)):
    file.write_text(file.read_text().replace("[2024]", years).replace("[2024, 2025]", years))
    (file.parent / "source_is_down").touch() if is_down else (file.parent / "source_is_down").unlink(missing_ok=True)
    product = read_plan(root)[0].product("holidays")
    done = refresh_product(root, root, product, installed_registry(), f"{years} {is_down}")
    (printed,) = published_files(root, product, "printed")
    told = [done.outcome, list(done.reasons), list(done.warnings), printed.name, printed.path.read_text()]
    print("told", json.dumps(told))
"""


@pytest.fixture(scope="module")
def refreshes(tmp_path_factory):
    """What four refreshes came to, in a process whose path holds the package: one that is good, one whose source is down, two with more rows."""
    folder = tmp_path_factory.mktemp("interfaces")
    entry_points = {"input_ports.years": "holiday_ports:SOURCE", "output_ports.list": "holiday_ports:LISTING"}
    site = package(folder / "site", entry_points, {"holiday_ports": INTERFACES})
    parts = [
        component("known", "input-port", "interface: years\nyears: [2024]"),
        component("years", "data-set", "columns: [{name: year, type: integer}]"),
        component("printed", "output-port", "interface: list\ndata_set: years\ntitle: Years"),
    ]
    files = {
        product_file("office", "holidays"): product_yaml("holidays", "office", *parts),
        model_file("office", "holidays", "years"): "select year::integer as year from {{ source('holidays', 'known') }}\n",
    }
    root = write_mesh(folder / "mesh", files)
    paths = f"import sys; sys.path[:0] = [{str(site)!r}, {str(REPOSITORY)!r}]\n"
    command = [sys.executable, "-c", paths + REFRESHES, str(root)]
    done = forked(command, environment())
    assert done.returncode == 0, done.stderr
    return root, [json.loads(line.removeprefix("told ")) for line in done.stdout.splitlines() if line.startswith("told ")]


@pytest.mark.slow
def test_what_the_reader_brings_is_published_as_the_writer_writes_it(refreshes):
    _, (first, *_) = refreshes
    assert first == ["published", [], [], "years.txt", "Years\n2024"]


@pytest.mark.slow
def test_a_reader_that_fails_is_told_and_the_last_good_rows_are_served(refreshes):
    _, (_, down, *_) = refreshes
    assert "interface years failed: ConnectionError: the source is down" in down[2][0]
    assert down[4] == "Years\n2024"


@pytest.mark.slow
def test_a_reader_is_given_the_cursor_that_it_returned(refreshes):
    _, (_, _, again, _) = refreshes
    assert (again[0], again[4]) == ("published", "Years\n2024\n2025")


@pytest.mark.slow
def test_a_writer_that_fails_keeps_the_version_from_being_published_and_quotes_no_value(refreshes):
    root, (_, _, again, failed) = refreshes
    assert failed[0] != "published"
    assert failed[1] == [
        "holidays is not published: output port printed: the txt file cannot be written: ValueError in holiday_ports.py, line 53"
    ]
    assert failed[4] == again[4]
    latest = shelf(root, "office", "holidays").latest()
    (port,) = latest.ports
    assert shelf(root, "office", "holidays").damage(port) == ""
    (own,) = port.own_files
    shelf(root, "office", "holidays").path(own).write_text("Ye")
    assert "and" in shelf(root, "office", "holidays").damage(port)
