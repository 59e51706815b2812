"""`mesh plan` and `mesh capabilities` show what others wrote as it is."""

import json

import pytest

from tests.meshes import edited, product_file


def test_a_plan_shows_brackets_in_names_as_they_are(published):
    edited(published.root, product_file("plant", "readings"), "- name: Refreshed daily", '- name: "[/b] Refreshed [red]daily"')
    edited(
        published.root,
        product_file("plant", "readings"),
        "service_level_name: Refreshed daily",
        'service_level_name: "[/b] Refreshed [red]daily"',
    )
    edited(published.root, product_file("plant", "readings"), "title: Sensor readings", 'title: "[/b]"')
    done = published.mesh("plan")
    assert "plant/readings" in done.stdout and "\n" in done.stdout
    assert getattr(done.exception, "code", None) == 0, done.exception


def test_every_capability_can_be_shown(published):
    for each in json.loads(published.mesh("capabilities", "--json").stdout):
        assert each["documentation"].splitlines()[0][:40] in published.mesh("capabilities", each["name"]).stdout.replace("\n", " ")


@pytest.mark.parametrize("command", [("validate", "--json"), ("plan", "--json"), ("capabilities", "--json"), ("schema",)])
def test_data_is_all_that_goes_to_standard_output(published, command):
    edited(published.root, product_file("office", "summary"), "dimension: uniqueness", "dimension: uniquness")
    json.loads(published.mesh(*command).stdout)
