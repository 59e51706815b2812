"""`mesh query` and `mesh versions`: what they print, and of which products."""

import json
import shutil

import pytest

from platform_resources.cli.console import CANNOT_RUN, SPEC_INVALID, Stop
from tests.meshes import edited, product_file


@pytest.mark.parametrize("text", ["[/]", "[red]x[/red]", "[/b]", ":warning:", "a\\", "[link=http://x]y[/link]"])
def test_a_query_shows_text_as_it_is(published, text):
    done = published.mesh("query", "readings", f"select '{text}' as \"{text}\"")
    head, row = done.stdout.splitlines()
    assert (done.exit_code, head.strip(), row.strip()) == (0, text, text)


def test_a_query_sends_no_codes_from_the_data_to_the_terminal(published):
    assert "\x1b" not in published.mesh("query", "readings", "select chr(27) || '[31m' as x").stdout


def test_json_has_null_where_there_is_no_number(published):
    sql = "select 'NaN'::double as a, 'Infinity'::float as b, [1.5, '-Infinity'::double] as c, {'d': 'NaN'::double} as d, 1.5::double as e"
    done = published.mesh("query", "readings", sql, "--json")

    def refused(constant):
        raise ValueError(constant)

    assert json.loads(done.stdout, parse_constant=refused) == [{"a": None, "b": None, "c": [1.5, None], "d": {"d": None}, "e": 1.5}]


def test_json_of_a_map_has_text_as_keys(published):
    done = published.mesh("query", "readings", "select map {date '2024-06-01': 1} as m", "--json")
    assert json.loads(done.stdout) == [{"m": {"2024-06-01": 1}}]


def test_json_refuses_two_columns_of_one_name_instead_of_losing_one(published):
    done = published.mesh("query", "readings", "select 1 as a, 2 as a, 3 as b", "--json")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert done.stdout == ""
    assert 'more than one column is called "a"; JSON needs different names: select … as …' in done.stderr
    assert published.mesh("query", "readings", "select 1 as a, 2 as a").exit_code == 0


def read_with_a_broken_spec(published):
    rows = published.mesh("query", "readings", "select count(*) as n from measurements", "--json")
    versions = published.mesh("versions", "readings", "--json")
    assert (rows.exit_code, versions.exit_code) == (0, 0), rows.stderr + versions.stderr
    assert json.loads(rows.stdout) == [{"n": 3}]
    assert [each["product"] for each in json.loads(versions.stdout)] == ["readings"]
    return rows.stderr


def test_a_rejected_product_can_still_be_read(published):
    edited(published.root, product_file("plant", "readings"), "dimension: freshness", "dimension: freshnes")
    assert 'did you mean "freshness"?' in read_with_a_broken_spec(published)


def test_a_product_whose_document_cannot_be_read_at_all_can_still_be_read(published):
    (published.root / product_file("plant", "readings")).write_text("a: [", encoding="utf-8")
    read_with_a_broken_spec(published)


def test_a_product_with_a_mistyped_domain_is_read_from_its_folder(published):
    edited(published.root, product_file("plant", "readings"), "- name: plant", "- name: plamt")
    read_with_a_broken_spec(published)


def test_a_product_that_lies_only_in_ports_can_still_be_read(published):
    shutil.rmtree(published.root / "dataproducts/plant/readings")
    read_with_a_broken_spec(published)


def test_a_product_in_the_ports_of_two_domains_must_be_sorted_out(published):
    shutil.rmtree(published.root / "dataproducts/plant/readings")
    shutil.copytree(published.root / "ports/plant", published.root / "ports/factory")
    done = published.mesh("versions", "readings")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert "readings lies in ports/factory/ and ports/plant/; take the wrong one away" in done.stderr


@pytest.mark.parametrize("name", ["../readings", "*", "nothing"])
def test_a_name_that_is_no_product_finds_nothing(published, name):
    done = published.mesh("query", name, "select 1")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert f'no product "{name}"' in done.stderr


def test_a_rejected_product_that_never_published_says_so(tiny):
    from tests.cli.conftest import PublishedMesh

    edited(tiny, product_file("plant", "readings"), "dimension: freshness", "dimension: freshnes")
    done = PublishedMesh(tiny).mesh("query", "readings", "select 1")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN != SPEC_INVALID
    assert "readings has not published a version yet" in done.stderr
