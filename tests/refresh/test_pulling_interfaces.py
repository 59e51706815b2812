"""REST interfaces of a real server as inputs of a product: answers that change, servers that fail midway, and pulls that are killed."""

import pytest

from platform_resources.refresh.sources.pull_records import PULLS, PullFailed
from platform_resources.warehouses.duckdb.product_database import opened
from tests.capabilities.test_rest_rows import server  # noqa: F401
from tests.meshes import edited, product_file
from tests.refresh.test_pulling import pulled
from tests.refresh.test_pulling_tables import killed

pytestmark = pytest.mark.slow
FILE = "interface: file\n        path: landing/readings.csv"
STAGES = ("create or replace table", "insert or replace into main.mesh_memory", "commit")


class Interface:
    """The tiny mesh, whose readings come from pages of three records."""

    def __init__(self, root, found):
        self.root, self.server = root, found
        self.file = root / "warehouse/plant/readings.duckdb"
        url = f"http://127.0.0.1:{found.server_port}/links"
        edited(
            root,
            product_file("plant", "readings"),
            FILE,
            f"interface: rest\n        url: {url}\n        records: items\n        pagination: next-link\n"
            "        page_options: {next_url_path: meta.next}\n        token: ${SUPPORT_TOKEN}",
        )

    def pull(self, connection=None):
        return pulled(self.root, self.file, "select id from {} order by 1", connection)


@pytest.fixture
def interface(tiny, server, monkeypatch):  # noqa: F811
    monkeypatch.setenv("SUPPORT_TOKEN", "s3cret-token")
    return Interface(tiny, server)


def ids(*numbers):
    return [(number,) for number in numbers]


def test_records_that_change_their_form_are_taken_told_or_refused(interface):
    interface.server.records = [{**each, "owner": None} for each in interface.server.records]
    assert interface.pull()[1] == ids(*range(8))
    interface.server.records = [{**each, "owner": 7, "tags": ["new"], "place": {"x": 1}} for each in interface.server.records]
    types = {"id": "bigint", "name": "varchar", "owner": "bigint", "tags": "json", "place": "json"}
    found, _ = interface.pull()
    assert (found.failures, found.columns) == ({}, types), "more fields are no harm, nor is one that had no value before"
    interface.server.records = [{**each, "place": None, "owner": None} for each in interface.server.records]
    found, _ = interface.pull()
    assert (found.failures, found.columns) == ({}, types), "a field that nobody has a value for is what it was"
    interface.server.records = [{"id": each["id"], "name": each["id"], "tags": [], "owner": 7} for each in interface.server.records]
    found, rows = interface.pull()
    said = "the columns are not those of the last pull: place is gone; name is bigint, and was varchar; say with columns"
    assert said in found.failures["arrived"], found.failures
    assert (rows, found.columns) == (ids(*range(8)), types), "the last good rows are served"


def test_a_number_with_a_fraction_is_read_as_the_decimal_that_is_promised(interface):
    interface.server.records = [{"id": n, "price": n + 0.1} for n in range(8)]
    promised = 'columns: [{name: id, type: bigint}, {name: price, type: "decimal(18,2)"}]'
    edited(interface.root, product_file("plant", "readings"), "token: ${SUPPORT_TOKEN}", "token: ${SUPPORT_TOKEN}\n        " + promised)
    found, _ = interface.pull()
    assert (found.failures, found.columns) == ({}, {"id": "bigint", "price": "decimal(18,2)"})


MIDWAY = {
    "a token that has expired": ([None, (401, {})], "401"),
    "a server that is down for good": ([None, *[(503, {})] * 20], "503"),
    "an answer that is something else": ([None, (200, {})], "items"),
}


@pytest.mark.parametrize(("trouble", "said"), MIDWAY.values(), ids=MIDWAY)
def test_what_ends_on_the_second_page_leaves_what_there_was_and_comes_whole_the_next_time(interface, trouble, said):
    interface.pull()
    interface.server.records = [{"id": number, "name": "new"} for number in range(20)]
    interface.server.trouble = list(trouble)
    found, rows = interface.pull()
    assert (rows, found.changed, said in found.failures["arrived"]) == (ids(*range(8)), False, True), found.failures
    assert "s3cret" not in str(found.failures)
    interface.server.trouble = []
    assert interface.pull()[1] == ids(*range(20))


def test_a_first_pull_that_ends_midway_leaves_nothing(interface):
    interface.server.trouble = [None, (401, {})]
    with pytest.raises(PullFailed, match="401"):
        interface.pull()
    assert interface.pull()[1] == ids(*range(8))


def test_a_pull_that_is_killed_at_any_stage_loses_and_doubles_nothing(interface):
    interface.pull()
    interface.server.records = [{"id": number, "name": "new"} for number in range(10)]
    for stage in STAGES:
        killed(interface, stage)
        with opened(interface.file) as database:
            (record,) = database.remembered(PULLS).values()
            assert ('"rows": 8' in record, database.connection.execute("select count(*) from inputs.deliveries").fetchall()) == (
                True,
                [(8,)],
            ), stage
    assert interface.pull()[1] == ids(*range(10))
