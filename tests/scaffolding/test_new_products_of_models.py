"""Products that begin from a dbt model of the mesh: of another product, by the port that publishes it, or around one in a folder of its own."""

from datetime import UTC, datetime

import pytest

from platform_resources.services.starting.new_inputs import AskedSource
from platform_resources.services.starting.new_meshes import CannotBegin
from platform_resources.services.starting.new_products import thought_of
from tests.meshes import copied_mesh, tiny_mesh
from tests.refresh.running import mesh, running

pytestmark = pytest.mark.slow
FORECAST = "dbt_project/models/plant/forecasts/forecast.sql"
OWN = {
    FORECAST: "select day_id, degrees_celsius, case when degrees_celsius > 20 then 'warm' else 'cold' end as kind from {{ ref('forecast_days') }}\n",
    "dbt_project/models/plant/forecasts/forecast_days.sql": "select n as day_id, 15.5 + n % 10 as degrees_celsius from range(60) as days(n)\n",
    "dbt_project/models/plant/guesses/guessed.sql": "select * from {{ source('guesses', 'nothing') }}\n",
    "dbt_project/models/plant/nested/pairs.sql": "select n as pair_id, {'a': n} as pair from range(9) as pairs(n)\n",
    "dbt_project/models/plant/lonely.sql": "select 1 as one\n",
    "dbt_project/models/plant/readings/raw_readings.sql": "select * from {{ source('readings', 'deliveries') }}\n",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The tiny mesh with a version of readings, models that no product has, and one that readings does not publish."""
    root = tiny_mesh(tmp_path_factory.mktemp("models") / "mesh")
    for path, text in OWN.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    with running(root) as found:
        assert [done.outcome for done in found.refresh("readings")] == ["published"]
    return root


@pytest.fixture
def root(made, tmp_path):
    return copied_mesh(made, tmp_path / "mesh")


def new(root, *arguments):
    return mesh(root, "new", "product", "--yes", *arguments)


def health(root, name):
    with running(root) as found:
        return found.health(name, datetime.now(UTC))


def test_a_model_of_another_product_is_read_by_its_port_with_what_that_says_of_its_columns(root):
    done = new(root, "plant_report", "--domain", "plant", "--from", "measurements")
    assert (done.returncode, "published   plant_report" in done.stderr) == (0, True), done.stderr
    document = (root / "dataproducts/plant/plant_report/product.yaml").read_text()
    for line in (
        "{interface: data-product, associated_output_port: readings.measurements_sql, version: ^1}",
        "archetype: aggregate",
        "primary_key: [reading_id]  # guess (medium): unique in all 4 rows, and called like a key",
        "unit: C",
        "identifier: sensor",
        "description: Who was on duty., classification: personal}",
        "classification, as the output port readings.measurements_sql says",
    ):
        assert line in document, document
    said = health(root, "plant_report")
    assert (said.status, {each.verdict for each in said.objectives}) == ("healthy", {"met"})


def test_a_model_that_no_product_has_becomes_one_where_it_lies(root):
    before = (root / FORECAST).read_text()
    done = new(root, "--from", "forecast")
    assert (done.returncode, "published   forecasts" in done.stderr) == (0, True), done.stderr
    assert "select * from forecast limit 10" in done.stderr
    document = (root / "dataproducts/plant/forecasts/product.yaml").read_text()
    assert "input-port" not in document
    for line in ("- name: forecast\n      type: data-set", "primary_key: [day_id]  # guess (high)", "unit: C", "kind is a known value"):
        assert line in document, document
    assert (root / FORECAST).read_text() == before
    assert sorted(path.name for path in (root / FORECAST).parent.glob("*.sql")) == ["forecast.sql", "forecast_days.sql"]
    said = health(root, "forecasts")
    assert (said.status, {each.verdict for each in said.objectives}) == ("healthy", {"met"})


REFUSED = {
    "no grant": ("office", "copy", "measurements", "readings.*analyst"),
    "never published": ("plant", "copy", "sensors", "summary has not published its port sensors_sql yet; `mesh refresh summary` does"),
    "no port": ("plant", "copy", "raw_readings", "no output port, and products meet only at ports; it publishes: measurements. Ask "),
    "its name": ("plant", "measurements", "measurements", "readings has a model measurements already; call the product otherwise"),
    "no folder": (
        "plant",
        "lonely",
        "lonely",
        "models/plant/lonely.sql is of no product: models lie in dbt_project/models/<domain>/<product>/",
    ),
    "another folder": ("office", "forecasts", "forecast", "mesh new product forecasts --domain plant --from forecast"),
    "a misspelt name": ("plant", "copy", "measurments", "no dbt model is called so.*\ndid you mean .measurements"),
    "no such source": (
        "plant",
        "guesses",
        "guessed",
        "guessed.sql cannot be built, so nothing can be guessed from it:\n.*guesses.*nothing",
    ),
    "no type of a data set": ("plant", "nested", "pairs", "pair is struct"),
}


@pytest.mark.parametrize(("domain", "name", "source", "said"), REFUSED.values(), ids=REFUSED)
def test_a_model_that_no_product_can_be_made_from_is_refused_with_what_to_do(made, domain, name, source, said):
    before = sorted(path for path in made.rglob("*.yaml"))
    with pytest.raises(CannotBegin, match=f"(?s){said}"):
        thought_of(made, domain, name, AskedSource(source), datetime.now(UTC))
    assert sorted(path for path in made.rglob("*.yaml")) == before


def test_a_dbt_project_is_brought_along_as_a_whole(made, tmp_path):
    (tmp_path / "dbt_project.yml").write_text("name: other\n")
    with pytest.raises(CannotBegin, match="mesh import-dbt-project"):
        thought_of(made, "plant", "other", AskedSource(str(tmp_path)), datetime.now(UTC))
