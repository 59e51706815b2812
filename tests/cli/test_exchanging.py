"""`mesh export` and `mesh import` on the command line: what is written, and what is refused."""

import pytest

from platform_resources.cli.terminal.console import Stop
from platform_resources.interchange.product_text import components_of
from tests.interchange.products import product_of
from tests.interchange.test_round_trips import CONTRACT

pytestmark = pytest.mark.slow


def code(result) -> int:
    return result.exception.code if isinstance(result.exception, Stop) else result.exit_code


def test_a_product_goes_out_as_a_contract_and_comes_in_under_another_name(published, tmp_path):
    out = published.mesh("export", "odcs", "readings", "--out", tmp_path)
    assert (code(out), out.stdout) == (0, f"{tmp_path / 'readings.odcs.yaml'} is written\n")
    again = published.mesh("import", "odcs", tmp_path / "readings.odcs.yaml", "--product", "copied")
    assert (code(again), again.stdout.splitlines()[0]) == (0, "dataproducts/plant/copied/product.yaml is written")
    texts = [(published.root / f"dataproducts/plant/{name}/product.yaml").read_text() for name in ("readings", "copied")]
    theirs, ours = ([each for each in components_of(product_of(text)) if each["type"] != "carried-document"] for text in texts)
    renamed = [{**each, "name": "copied"} if each["type"] == "data-product" else each for each in theirs]
    assert ours == renamed
    assert published.mesh("export", "odcs", "readings", "--version", "3.1.0").stdout.startswith("apiVersion: v3.1.0\n")


def test_nothing_is_overwritten_and_what_is_carried_is_told(published, tmp_path):
    document = tmp_path / "visits.yaml"
    document.write_text(CONTRACT)
    done = published.mesh("import", "odcs", document, "--domain", "plant")
    assert code(done) == 0
    assert "visits.yaml:30  schema[0].properties[2].quality[0].schedule" in done.stderr
    assert "carried along, with no word of the platform's for it: tenant, 1 place" in done.stdout
    written = published.root / "dataproducts/plant/shop_visits/product.yaml"
    before = written.read_text()
    again = published.mesh("import", "odcs", document)
    assert code(again) == 3
    assert "dataproducts/plant/shop_visits/product.yaml is there already, and nothing is overwritten" in again.stderr
    assert written.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("export", "odc", "readings"), 'no format "odc"; known:'),
        (("export", "odcs", "reading"), 'no product "reading"'),
        (("export", "odcs", "readings", "--version", "2.0.0"), "odcs does not take these settings: version"),
        (("import", "odc", "visits.yaml"), 'no format "odc"; known:'),
        (("import", "odcs", "visits.yaml", "--product", "Shop visits"), '--product: "Shop visits" is no name'),
    ],
)
def test_what_cannot_be_is_told(published, arguments, told):
    done = published.mesh(*arguments)
    assert (code(done), told in done.stderr) == (3, True)
