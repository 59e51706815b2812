"""Single values put into YAML text: what is there stays as it is written."""

import pytest

from platform_resources.services.migrating.yaml_edits import CannotEdit, with_item, with_value

TEXT = """\
# The mesh's.
name: mesh  # as always
seed-paths: []
models:
  mesh:
    # of all
    +materialized: table
vars: {least: 1}
"""


@pytest.mark.parametrize(
    ("place", "value", "old", "new"),
    [
        (("seed-paths",), ["seeds"], "seed-paths: []", "seed-paths: [seeds]"),
        (("models", "mesh", "+materialized"), "view", "+materialized: table", "+materialized: view"),
        (("vars", "most"), 9, "{least: 1}", "{least: 1, most: 9}"),
        (
            ("models", "mesh", "food", "cafe"),
            {"+materialized": "view"},
            "    +materialized: table",
            "    food:\n      cafe:\n        +materialized: view\n    +materialized: table",
        ),
        (("seeds", "mesh"), {"+schema": "raw"}, "vars: {least: 1}\n", "vars: {least: 1}\nseeds:\n  mesh:\n    +schema: raw\n"),
    ],
)
def test_a_value_is_put_in_and_all_else_stays_as_it_is_written(place, value, old, new):
    assert with_value(TEXT, place, value) == TEXT.replace(old, new)


def test_a_value_is_put_into_an_item_of_a_list():
    assert with_value("sources:\n  - name: till\n    tables: []\n", ("sources", 0, "schema"), "inputs") == (
        "sources:\n  - schema: inputs\n    name: till\n    tables: []\n"
    )


@pytest.mark.parametrize("text", ["models:\n", "models: 3\n", "models:\n  mesh: &all\n    a: 1\nseeds:\n  mesh: *all\n"])
def test_what_cannot_be_put_in_safely_is_left_to_a_person(text):
    with pytest.raises(CannotEdit):
        with_value(text, ("models", "mesh", "food"), {"+materialized": "view"})


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("list:\n  - a: 1\n  - b: 2\nmore: 3\n", "list:\n  - a: 1\n  - b: 2\n  - c: 3\nmore: 3\n"),
        ("list:\n- a: 1\n\n# of b\n- b: {x: 1}  # why\n\nmore: 3\n", "list:\n- a: 1\n\n# of b\n- b: {x: 1}  # why\n\n- c: 3\n\nmore: 3\n"),
        ("list:\n  - a: |\n      text\n", "list:\n  - a: |\n      text\n  - c: 3\n"),
        ("list:\n  - a: 1", "list:\n  - a: 1\n  - c: 3\n"),
    ],
)
def test_an_item_is_added_at_the_end_of_a_list_as_the_others_stand(text, new):
    assert with_item(text, ("list",), {"c": 3}) == new


@pytest.mark.parametrize("text", ["list: [{a: 1}]\n", "list: []\n", "list: 3\n", "other: 1\n"])
def test_an_item_that_cannot_be_added_safely_is_left_to_a_person(text):
    with pytest.raises(CannotEdit):
        with_item(text, ("list",), {"c": 3})
