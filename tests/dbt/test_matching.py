"""Which check of the mesh a dbt test of elsewhere belongs to."""

import pytest

from platform_resources.dbt.imported.artefacts import ArtefactFile, artefacts
from platform_resources.dbt.imported.matching import Matched, Refused, matches
from platform_resources.dbt.planning import read_plan
from tests.foreign_dbt import data, manifest, node, run_results
from tests.meshes import SUMMARY, edited, model_file, product_file

pytestmark = pytest.mark.slow
MEASUREMENTS = ("readings", "measurements")
SCORECARD = ("readings", "scorecard")
DECLARE = "say meta: {product: …} in the config of the test or of its model"


def found(root, *nodes):
    read = artefacts(ArtefactFile("manifest.json", data(manifest(*nodes))), ArtefactFile("run_results.json", data(run_results())))
    return matches(read_plan(root)[0], read.tests)


def place(root, *nodes):
    """Asset key, check's name and whether it is planned, of the last of these nodes; the reason if it is refused."""
    match list(found(root, *nodes).values())[-1]:
        case Matched(_, _, key, check, planned):
            return key, check, planned is not None
        case Refused(_, reason):
            return reason


def model(name, folder="models", **more):
    return node(name, "model", original_file_path=f"{folder}/{name}.sql", **more)


def data_test(name, of="", folder="tests", **more):
    tests = {"depends_on": {"nodes": [f"model.lake.{of}"]}} if of else {}
    return node(name, original_file_path=f"{folder}/{name}.sql", **tests, **more)


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        pytest.param(
            [model("measurements"), data_test("unique_measurements_reading_id", "measurements")],
            (MEASUREMENTS, "unique_measurements_reading_id", True),
            id="a planned test, by the one model of that name",
        ),
        pytest.param(
            [model("measurements"), data_test("not_null_measurements_sensor", "measurements")],
            (MEASUREMENTS, "not_null_measurements_sensor", False),
            id="a test that is not planned",
        ),
        pytest.param(
            [model("lines", "models/plant/readings"), data_test("complete", "lines")],
            (SCORECARD, "complete", False),
            id="a model that the product does not have, in its folder",
        ),
        pytest.param(
            [model("lines", "models\\lake\\plant\\readings\\more"), data_test("complete", "lines")],
            (SCORECARD, "complete", False),
            id="a folder as Windows writes it",
        ),
        pytest.param(
            [data_test("complete", folder="tests/plant/readings")], (SCORECARD, "complete", False), id="a test in a product's folder"
        ),
        pytest.param(
            [model("measurements", "models/office/summary"), data_test("complete", "measurements", "tests/plant/readings")],
            (("summary", "scorecard"), "complete", False),
            id="the model's folder comes before the test's and before its name",
        ),
        pytest.param(
            [model("lines", meta={"product": "readings"}), data_test("complete", "lines")],
            (SCORECARD, "complete", False),
            id="meta of the model",
        ),
        pytest.param(
            [
                model("lines", "models/plant/readings", config={"meta": {"product": "readings"}}),
                data_test("complete", "lines", config={"meta": {"product": "summary"}}),
            ],
            (("summary", "scorecard"), "complete", False),
            id="meta of the test comes first",
        ),
        pytest.param(
            [data_test("complete", config={"meta": {"product": "reading"}})],
            'its meta.product is "reading", which is no product; did you mean "readings"?',
            id="meta with a mistake",
        ),
        pytest.param(
            [data_test("complete", config={"meta": {"product": ["readings"]}})],
            "its meta.product is ['readings']; write the name of one product",
            id="meta that is no name",
        ),
        pytest.param(
            [model("lines"), data_test("complete", "lines")],
            f"its model lines is in no product, and no folder of it is <domain>/<product>; {DECLARE}",
            id="a model of nobody",
        ),
        pytest.param(
            [data_test("complete")], f"it tests no model, and no folder of it is <domain>/<product>; {DECLARE}", id="a test of nothing"
        ),
    ],
)
def test_a_test_belongs_where_it_says_then_where_it_lies_then_to_the_one_model_of_its_name(tiny, nodes, expected):
    assert place(tiny, *nodes) == expected


def test_a_model_that_two_products_have_must_be_told_apart(tiny):
    (tiny / model_file("office", "summary", "measurements")).write_text("-- The same name.\nselect 1 as one\n", encoding="utf-8")
    (tiny / product_file("office", "summary")).write_text(SUMMARY.replace("- name: measurements\n", "- name: loaded\n"), encoding="utf-8")
    edited(tiny, model_file("office", "summary", "sensor_readings"), "'measurements'", "'loaded'")
    reason = f"its model measurements is in the products readings, summary; {DECLARE}"
    assert place(tiny, model("measurements"), data_test("complete", "measurements")) == reason


@pytest.mark.parametrize("more", [{"folder": "tests/plant/readings"}, {"meta": {"product": "readings"}}])
def test_a_test_of_a_product_that_is_not_loaded_says_so(tiny, more):
    edited(tiny, product_file("plant", "readings"), "dimension: freshness", "dimension: freshnes")
    assert place(tiny, data_test("complete", **more)) == "product readings is not loaded: its spec has problems, see mesh validate readings"


def names(root, *texts, kind="test", of="measurements"):
    nodes = [node(text, kind, depends_on={"nodes": [f"model.lake.{of}"]}) for text in texts]
    return [match.check for match in found(root, model(of), *nodes).values()]


@pytest.mark.parametrize("text", ["hässlich", "a.b", "[/b]", "\x1b[31m", "../..", "a b", "ä", "x" * 300, "\ud800", "名前"])
def test_a_hostile_name_becomes_a_name_of_dagster_s_that_tells_it_from_others(tiny, text):
    one, other = names(tiny, text, f"{text}ö")
    assert one != other
    assert all(name.isascii() and name.replace("_", "").isalnum() and len(name) <= 100 for name in (one, other))
    assert names(tiny, text) == [one]


def test_a_name_that_is_one_stays_as_it_is(tiny):
    kept, plain, changed = names(tiny, "Not_Null_x", "a_b", "a.b")
    assert (kept, plain) == ("Not_Null_x", "a_b")
    assert changed.startswith("a_b_") and len(changed) == len("a_b_") + 8


def test_an_objective_is_judged_by_the_platform_only(tiny):
    """A test that is named like an objective of its model is a check of its own."""
    (name,) = names(tiny, "readings_are_never_deleted")
    assert name.startswith("readings_are_never_deleted_")


def test_a_unit_test_is_not_the_data_test_of_its_name(tiny):
    (name,) = names(tiny, "unique_measurements_reading_id", kind="unit_test")
    assert name.startswith("unique_measurements_reading_id_")


def test_a_test_that_the_plan_no_longer_has_is_a_check_of_its_own(tiny):
    edited(tiny, product_file("plant", "readings"), "tests: [unique]", "tests: [not_null]")
    key, _, planned = place(tiny, model("measurements"), data_test("unique_measurements_reading_id", "measurements"))
    assert (key, planned) == (MEASUREMENTS, False)
