"""What a model reads, told from its SQL."""

import pytest

from platform_resources.plan.from_products.mesh import ModelText, ProductTexts
from platform_resources.plan.from_products.models import described_models, leading_comment, materialization, own_tests, references
from platform_resources.repository.mesh_repository import read_plan
from tests.meshes import component, model_file, product_file, product_yaml, write_mesh

REFERENCES = [
    ("select * from {{ ref('orders') }}", [("ref", ("orders",))]),
    ('select * from {{ source("inputs", "shop") }}', [("source", ("inputs", "shop"))]),
    ("{{ref( 'a' )}} {{ ref('a') }} {{ ref('b') }}", [("ref", ("a",)), ("ref", ("a",)), ("ref", ("b",))]),
    ("{# {{ ref('old') }} #} {{ ref('new') }}", [("ref", ("new",))]),
    ("-- {{ ref('seen_by_dbt_too') }}", [("ref", ("seen_by_dbt_too",))]),
    ("select ref('plain_sql'), source('a', 'b')", []),
    ("{% set names = [ref('a'), ref('b')] %}", [("ref", ("a",)), ("ref", ("b",))]),
    ("{% for x in y %}{{ ref(x) }}{% endfor %}", [("ref", ())]),
    ("{{ ref(var('name')) }}", [("ref", ())]),
    ("{{ ref('a' ~ x) }}", [("ref", ())]),
    ("{{ ref('package', 'a') }}", [("ref", ("package", "a"))]),
    ("{{ ref('a', v=2) }}", [("ref", ())]),
    ("{{ source(\n  'inputs',\n  'shop'\n) }}", [("source", ("inputs", "shop"))]),
    ("{{ builtins.ref('a') }}", [("ref", ("a",))]),
    ("{{ my_ref('a') }} {{ prefer('b') }}", []),
    ("", []),
]


def model(sql):
    return ModelText("m", "m.sql", sql)


@pytest.mark.parametrize(("sql", "expected"), REFERENCES)
def test_every_reference_is_found_and_computed_ones_have_no_names(sql, expected):
    assert [(r.function, r.names) for r in references(model(sql))] == expected


def test_the_first_comment_describes_an_internal_model():
    assert leading_comment(model("-- One row\n-- per order.\nselect 1 -- not this\n")) == "One row per order."
    assert leading_comment(model("select 1\n-- not this\n")) == ""


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("{{ config(materialized='view') }} select 1", "view"),
        ('{{ config(tags=["a"], materialized = "incremental") }}', "incremental"),
        ("{# {{ config(materialized='view') }} #} select 1", "table"),
        ("select 1", "table"),
    ],
)
def test_a_model_is_a_table_unless_it_says_otherwise(sql, expected):
    assert materialization(model(sql)) == expected


def test_tests_of_the_team_are_found_in_sql_and_in_yaml():
    yml = """
models:
  - name: orders
    data_tests:
      - dbt_utils.equality: {name: same, config: {severity: WARN}}
    columns:
      - {name: id, tests: [{unique: {name: id_once}}, not_null]}
"""
    texts = ProductTexts(tests=(ModelText("sums", "sums.sql", "select * from {{ ref('orders') }}"),), properties={"own.yml": yml})
    assert [(t.name, t.model, t.severity) for t in own_tests(texts)] == [
        ("sums", "orders", "error"),
        ("same", "orders", "warn"),
        ("id_once", "orders", "error"),
        ("", "orders", "error"),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "a: [", "models: 5", "models: [1, text]", "models: [{columns: 5, tests: x}]", "models: [{columns: [1, a], data_tests: {a: 1}}]",
     "models: [{name: m, tests: [{unique: x}, {unique: {config: y}}, 5]}]", "d: 2024-13-45", "!!int ''"],
)  # fmt: skip
def test_dbt_yaml_of_any_shape_never_raises(text):
    described_models(text)
    own_tests(ProductTexts(properties={"own.yml": text}))


def test_dbt_yaml_is_asked_as_often_for_many_models_as_for_few(tmp_path):
    """It was read anew for each model, which made planning quadratic."""
    asked = []
    for number in (2, 20):
        described = "\n".join(f"  - {{name: m{at}, data_tests: [unique: {{name: t{at}}}]}}" for at in range(number))
        files = {model_file("shop", "many", f"m{at}"): "select 1 as a" for at in range(number)}
        files["dbt_project/models/shop/many/own.yml"] = f"models:\n{described}\n"
        files[model_file("shop", "many", "last")] = "select 1 as a"
        files[product_file("shop", "many")] = product_yaml(
            "many", "shop", component("last", "data-set", "columns: [{name: a, type: integer}]")
        )
        root = write_mesh(tmp_path / str(number), files)
        described_models.cache_clear()
        (product,) = read_plan(root)[0].products
        assert len([test for model in product.models for test in model.tests]) == number
        info = described_models.cache_info()
        asked.append((info.misses, info.hits))
    assert asked[0] == asked[1]
    assert asked[0][0] == 1
