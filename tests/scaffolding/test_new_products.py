"""Products that `mesh new product` writes: valid and without a warning, whatever the file is like; or refused, and nothing is written."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dataproducts.complete_journey import file as data_file
from platform_resources.capabilities.protocols import PullFiles
from platform_resources.dbt.planning import read_plan
from platform_resources.repository.mesh_repository import build_problems, house_problems
from platform_resources.repository.placing import InTheWay
from platform_resources.scaffolding.product_files import product_files
from platform_resources.services.starting.new_inputs import AskedSource
from platform_resources.services.starting.new_meshes import CannotBegin, new_domain, new_mesh
from platform_resources.services.starting.new_products import NewProduct, product_name, thought_of, write
from platform_resources.services.starting.source_facts import looked_at
from platform_resources.spec.problems import problems_text
from platform_resources.warehouses.engine_errors import LoadFailed

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def root(tmp_path, monkeypatch):
    new_mesh(tmp_path / "shop", None, None)
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def think(root: Path, source: str, name: str = "things", domain: str = "shop", file_format: str | None = None) -> NewProduct:
    return thought_of(root, domain, name, AskedSource(source, fields={"format": file_format} if file_format else {}), NOW)


def written(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and ".mesh" not in path.parts)


SQL_WORDS = ("order", "memory", "system")
WIDE = (
    ",".join(f"column {number}" for number in range(200))
    + "\n"
    + "".join(",".join(str(row * 200 + n) for n in range(200)) + "\n" for row in range(3))
)
FILES = {
    "names that need quotes": 'order id,it\'s,Größe,select,Umsatz (€),a.b,"x, y"\n1,2,3,4,5.5,6,7\n2,3,4,5,6.5,7,8\n',
    "names that a column may not have": '"say ""hi""", blank ,"{{ ref }}","{% if %}",\n1,2,3,4,5\n2,3,4,5,6\n',
    "names that are nearly the same": "a,a_1,A 1,größe,GRÖSSE 1,a-1\n1,2,3,4,5,6\n2,3,4,5,6,7\n",
    "names in other scripts": "学校,город,🙂\n1,2,3\n2,3,4\n",
    "a name of 300 letters": "id," + "n" * 300 + "\n1,2\n2,3\n",
    "one row": "id,name,at\n1,Ada,2026-01-01\n",
    "one column": "word\napple\npear\n",
    "no key": "colour,size\nred,1\nred,1\nblue,1\n",
    "a column without a value": "id,note\n1,\n2,\n3,\n",
    "dates in several formats": "id,at\n1,2026-01-31\n2,31.01.2026\n3,01/31/2026\n",
    "leading zeros": "plz,n\n01067,1\n01069,2\n99423,3\n",
    "mixed types": "id,value\n1,12\n2,twelve\n3,true\n4,2026-01-01\n",
    "200 columns": WIDE,
    "text that looks like YAML": "id,answer\n" + "".join(f'{n},"{("no", "1:30", "{a: b}", "# x", "null")[n % 5]}"\n' for n in range(60)),
}


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A mesh with a product from each of the files, and all that is wrong with it."""
    root = tmp_path_factory.mktemp("many") / "shop"
    new_mesh(root, None, None)
    for number, text in enumerate(FILES.values()):
        (root / f"file_{number}.csv").write_text(text)
        write(root, think(root, str(root / f"file_{number}.csv"), f"file_{number}"))
    for name in SQL_WORDS:
        write(root, think(root, str(root / "file_5.csv"), name))
    plan, problems = read_plan(root)
    return plan, (*problems, *build_problems(root, plan), *house_problems(root, plan))


def test_what_is_written_is_valid_and_nothing_warns_of_it(many):
    plan, problems = many
    assert problems_text(problems) == ""
    assert {product.name for product in plan.products} == {*(f"file_{number}" for number in range(len(FILES))), *SQL_WORDS}


def columns(new: NewProduct) -> dict[str, str]:
    return {column.name: column.type for column in new.source.columns}


def test_types_are_those_that_the_load_will_have(root):
    (root / "things.csv").write_text(FILES["leading zeros"])
    assert columns(think(root, "things.csv")) == {"plz": "varchar", "n": "bigint"}


MARK = 'guess (low): numbers with a comma, read as text; if they are numbers, add options: {decimal_separator: ",", thousands: ".", types: {COLUMN: "decimal(18,2)"}}'


@pytest.mark.parametrize(("values", "listed"), [("1\n2\n3\n", True), ("a@example.com\nb@example.com\nc@example.com\n", False)])
def test_the_runbook_says_where_keys_are_listed_if_they_may_be_shown(root, values, listed):
    (root / "things.csv").write_text(f"id\n{values}")
    new = think(root, "things.csv")
    runbook = product_files(new.asked, new.source, new.names, new.guessed)["dataproducts/shop/things/README.md"]
    assert "Look for rows that were delivered twice" in runbook
    assert ("`mesh quarantine things` lists keys of some" in runbook) is listed


def document_of(root: Path, *values: str) -> str:
    (root / "things.csv").write_text("Nr.;Umsatz (€)\n" + "".join(f"{row};{value}\n" for row, value in enumerate(values)))
    new = think(root, "things.csv")
    return product_files(new.asked, new.source, new.names, new.guessed)["dataproducts/shop/things/product.yaml"]


def test_numbers_with_a_comma_are_text_that_is_marked_with_what_reads_them(root):
    assert MARK in document_of(root, "1.234,56", "99,90", "-0,5", "12", "x")
    assert MARK not in document_of(root, "1.234,56", "12", "x")
    assert MARK not in document_of(root, "1,234", "x", "99,123")


def test_a_sentence_that_ends_with_an_abbreviation_has_one_full_stop(root):
    assert "description: One row per Nr.\n" in document_of(root, "1", "2", "3", "4")


def test_what_the_mark_says_reads_numbers_with_a_comma(root):
    (root / "things.csv").write_text("id;amount\n1;1.234,56\n2;99,90\n3;12\n")
    pull = PullFiles(str(root / "things.csv"), "csv", options={"decimal_separator": ",", "thousands": "."})
    assert {column.name: column.type for column in looked_at(pull, root, NOW)[0].columns} == {"id": "bigint", "amount": "double"}
    promised = replace(pull, types={"amount": "decimal(18,2)"})
    assert looked_at(promised, root, NOW)[0].columns[1].type == "decimal(18,2)"
    (root / "things.csv").write_text("id;amount\n1;1.234,56\n2;n/a\n")
    with pytest.raises(LoadFailed, match=r"things.csv, line 3, column amount: \"n/a\" is no decimal"):
        looked_at(promised, root, NOW)


def test_a_product_is_called_after_its_file_without_accents():
    assert product_name(AskedSource("landing/Umsätze Köln (Größe) 2026.csv.gz")) == "umsaetze_koeln_groesse_2026"


def test_parquet_and_json_with_nested_values_become_products(root):
    nested = "select 1 as id, {'a': 1} as s, [1, 2] as l, map {'k': 1} as m, 'x'::enum('x', 'y') as e, timestamp_ns '2026-01-01' as t"
    duckdb.sql(nested).write_parquet(str(root / "nested.parquet"))
    (root / "nested.json").write_text('{"id": 1, "s": {"a": [1, {"b": 2}]}}\n{"id": 2}\n')
    for number, file in enumerate(("nested.parquet", "nested.json")):
        write(root, think(root, file, f"nested_{number}"))
    plan, problems = read_plan(root)
    assert (problems_text(problems), len(plan.products)) == ("", 2)
    types = {column.name: column.type for column in plan.product("nested_0").data_sets[0].spec.columns}
    assert types == {"id": "integer", "s": "json", "l": "integer[]", "m": "json", "e": "varchar", "t": "varchar"}


def test_a_glob_of_files_is_one_product(root):
    (root / "landing").mkdir()
    for day in (1, 2):
        (root / f"landing/day_{day}.csv").write_text(f"id,n\n{day},1\n")
    new = think(root, "landing/*.csv")
    assert (new.source.rows, new.asked.input["path"]) == (2, "../../../landing/*.csv")


def test_a_file_outside_the_mesh_is_named_by_its_whole_path(root):
    (root.parent / "things.txt").write_text("id;n\n1;2\n")
    new = think(root, "../things.txt", file_format="csv")
    assert new.asked.input == {"interface": "file", "path": str(root.parent / "things.txt"), "format": "csv"}


REFUSED = {
    "nothing.csv": "no file matches nothing.csv",
    "empty.csv": "empty.csv cannot be loaded, so nothing can be guessed from it: .*empty.csv",
    "header.csv": "header.csv cannot be loaded, so nothing can be guessed from it: .*header.csv",
    "broken.parquet": "broken.parquet cannot be loaded",
    "things.txt": "the format of .* cannot be told from its ending; say it with --format",
    "postgresql://ada:letmein@127.0.0.1:1/shop": r"^postgresql://ada:\${THINGS_PASSWORD}@127.0.0.1:1/shop cannot be read: OperationalError",
    "nosuch://db/shop": "nosuch://db/shop cannot be read: NoSuchModuleError",
    "${NOT_SET}/shop": "cannot be read: NOT_SET is not set in the environment",
    "model:orders": "model:orders: a new product is made from files",
}


@pytest.mark.parametrize(("source", "said"), REFUSED.items(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_and_nothing_is_written(root, source, said):
    for file, text in (("empty.csv", ""), ("header.csv", "id,n\n"), ("broken.parquet", "PAR1"), ("things.txt", "id;n\n1;2\n")):
        (root / file).write_text(text)
    before = written(root)
    with pytest.raises(CannotBegin, match=said):
        think(root, source)
    assert written(root) == before


NAMES = {
    "Things": '"Things" is no name of a product',
    "2things": '"2things" is no name of a product',
    "a" * 100: "is no name of a product",
    "": '"" is no name of a product',
    "../../etc": "is no name of a product",
    "inputs": 'a product may not be called "inputs"; reserved',
}


@pytest.mark.parametrize(("name", "said"), NAMES.items(), ids=NAMES)
def test_a_product_may_not_be_called_anything(root, name, said):
    (root / "things.csv").write_text("id\n1\n")
    with pytest.raises(CannotBegin, match=said):
        think(root, "things.csv", name)


def test_a_domain_that_is_not_there_is_not_made_up(root):
    (root / "things.csv").write_text("id\n1\n")
    (root / "dataproducts/calendars").mkdir()
    with pytest.raises(CannotBegin, match='no domain "shoop"; known: shop\ndid you mean "shop"'):
        think(root, "things.csv", domain="shoop")


@pytest.mark.parametrize(
    "there",
    [
        "dataproducts/shop/things/notes.md",
        "dataproducts/finance/things/product.yaml",
        "dbt_project/models/shop/things/own.sql",
        "dbt_project/models/finance/all/things.sql",
    ],
)
def test_the_file_that_is_in_the_way_is_named_and_not_touched(root, there):
    (root / "things.csv").write_text("id\n1\n")
    new_domain(root, "finance", None)
    (root / there).parent.mkdir(parents=True, exist_ok=True)
    (root / there).write_text("mine")
    before = written(root)
    with pytest.raises(InTheWay) as refused:
        think(root, "things.csv")
    assert (refused.value.paths, written(root), (root / there).read_text()) == ((there,), before, "mine")


def test_values_of_people_stand_in_no_file_that_is_written(root):
    rows = [f"{n},{('Ada Love', 'Ben Hurr')[n % 2]},{('ada', 'ben')[n % 2]}@example.com,{('red', 'blue')[n % 2]}" for n in range(40)]
    (root / "things.csv").write_text("id,name,contact,colour\n" + "\n".join(rows) + "\n")
    text = "".join((root / path).read_text() for path in write(root, think(root, "things.csv")))
    assert [word for word in ("Ada", "ben@", "red", "blue") if word in text] == ["red", "blue"]
    plan, _ = read_plan(root)
    classes = {column.name: column.classification for column in plan.product("things").data_sets[0].spec.columns}
    assert classes == {"id": "unclassified", "name": "personal", "contact": "personal", "colour": "unclassified"}


def test_the_paths_of_a_product_lead_to_its_files_from_any_folder(root, monkeypatch):
    (root / "landing").mkdir()
    (root / "landing/things.csv").write_text("id\n1\n")
    monkeypatch.chdir(root / "landing")
    new = think(root, "things.csv")
    folder = root / "dataproducts/shop/things"
    assert os.path.normpath(folder / new.asked.input["path"]) == str(root / "landing/things.csv")


# What a person wrote of the same data in the sample mesh.
REAL = {
    "transactions": (("basket_id", "product_id"), {}),
    "products": (("product_id",), {}),
    "demographics": (("household_id",), {"age": "personal", "income": "sensitive", "marital_status": "personal"}),
}


@pytest.mark.parametrize("file", REAL)
def test_guesses_of_real_data_are_what_a_person_wrote(root, file):
    new = think(root, data_file(file), file)
    assert (new.guessed.promised_key, {name: guess.value for name, guess in new.guessed.classes.items()}) == REAL[file]


def test_a_header_that_names_a_column_twice_is_refused_before_anything_is_written(tmp_path):
    new_mesh(tmp_path / "shop", None, None)
    (tmp_path / "shop/twice.csv").write_text("a,A\n1,2\n")
    with pytest.raises(CannotBegin, match="the header names A twice, and capitals make no difference; give each column a name of its own"):
        think(tmp_path / "shop", str(tmp_path / "shop/twice.csv"), "twice")
    assert not (tmp_path / "shop/dataproducts/shop/twice").exists()
