"""Policies: a product that breaks each, and one that does not; each is told at its component."""

import pytest

from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.repository.mesh_folders import GOVERNANCE
from platform_resources.repository.mesh_repository import read_mesh
from tests.meshes import component, model_file, product_file, product_yaml, write_mesh

ORDERS = component("orders", "data-set", "classification: internal\ncolumns: [{name: order_id, type: bigint}]")
PORT = component("orders_file", "output-port", "interface: file\nformat: parquet\ndata_set: orders")
READS = component("orders", "input-port", "interface: data-product\nassociated_output_port: shop.orders_file\nversion: ^0")
OWNED = {"owners": "{technical: team:sales}"}
ROLES = "roles: [{role: analyst, sees: [internal]}]"


def agreement(text):
    return component("Use", "data-sharing-agreement", text)


def data_set(columns, classification="internal"):
    return component("sums", "data-set", f"classification: {classification}\ncolumns: [{columns}]")


def told(folder, components, sql="select 1 as total", upstream=(), **info):
    """What is said against the product `sums`, whose upstream `shop` is of another domain."""
    files = {
        product_file("sales", "shop"): product_yaml("shop", "sales", ORDERS, PORT, *upstream, **OWNED),
        model_file("sales", "shop", "orders"): "select 1 as order_id",
        product_file("finance", "sums"): product_yaml("sums", "finance", *components, **{**OWNED, **info}),
        model_file("finance", "sums", "sums"): sql,
    }
    _, problems = mesh_plan(read_mesh(write_mesh(folder, files)))
    return [
        (problem.severity, problem.message)
        for problem in problems
        if problem.file.endswith("sums/product.yaml") and "a product in production needs" not in problem.message
    ]


SUM = data_set("{name: total, type: bigint}")
OUT = component("sums_file", "output-port", "interface: file\nformat: parquet\ndata_set: sums")
UPSTREAM = [agreement(f"purpose: Reports.\napproval: owner\nduration: 90d\n{ROLES}")]
TERMS = f"purpose: Reports.\n{ROLES}\n"
BREACHES = {
    "unclassified": (
        [data_set("{name: total, type: bigint}", "unclassified")],
        {"lifecycle": "production"},
        "warning",
        "unclassified columns of a product in production: total",
    ),
    "named like personal data": (
        [data_set("{name: email, type: varchar}")],
        {"lifecycle": "production"},
        "warning",
        "column email is named like personal data, and is internal",
    ),
    "odd name": (
        [data_set('{name: "Total €", type: bigint}')],
        {"lifecycle": "production"},
        "warning",
        "columns whose names are not plain: Total €",
    ),
    "hidden data without an end": (
        [data_set("{name: mail, type: varchar, classification: personal}"), OUT],
        {"certified": "true"},
        "warning",
        "no retention says how long old versions of mail stay",
    ),
    "no purpose": ([SUM, agreement(ROLES)], {}, "warning", "an agreement needs a purpose"),
    "clear for everybody": (
        [
            data_set("{name: mail, type: varchar, classification: personal}"),
            agreement("purpose: Any.\napproval: automatic\nroles: [{role: all, sees: [personal]}]"),
        ],
        {},
        "warning",
        "role all is granted automatically and sees personal in the clear",
    ),
    "clear by its name": (
        [
            data_set("{name: mail, type: varchar, classification: personal}"),
            agreement("purpose: Any.\napproval: automatic\nroles: [{role: all, columns: {mail: clear}}]"),
        ],
        {},
        "warning",
        "role all is granted automatically and sees mail in the clear",
    ),
    "an internal table": (
        [SUM],
        {"sql": "select 1 as total from shop.internal.orders"},
        "error",
        "dbt_project/models/finance/sums/sums.sql reads internals of shop",
    ),
    "a published file": (
        [SUM],
        {"sql": "select 1 as total from read_parquet('ports/sales/shop/orders_file/x.parquet')"},
        "error",
        "dbt_project/models/finance/sums/sums.sql reads internals of shop",
    ),
    "an input that leads inside": (
        [SUM, component("orders", "input-port", "interface: file\npath: ports/sales/shop/orders_file/*.parquet\nformat: parquet")],
        {},
        "error",
        "its path leads into what shop keeps",
    ),
    "republished without terms": (
        [SUM, READS, OUT],
        {"upstream": UPSTREAM, "lifecycle": "deprecated"},
        "warning",
        "it publishes what it receives of shop under an agreement, and has none itself",
    ),
    "republished to everybody": (
        [SUM, READS, OUT, agreement(TERMS + "approval: automatic\nduration: 90d")],
        {"upstream": UPSTREAM},
        "warning",
        "approval is automatic, and shop, which it reads, decides on each grant",
    ),
    "republished for longer": (
        [SUM, READS, OUT, agreement(TERMS + "duration: 91d")],
        {"upstream": UPSTREAM},
        "warning",
        "grants last longer than those of shop, which it reads: 90d",
    ),
    "republished in the clear": (
        [SUM, READS, OUT, agreement("purpose: Reports.\nduration: 90d\nroles: [{role: all, sees: [internal]}]")],
        {"upstream": [agreement("purpose: Reports.\nduration: 90d\nroles: [{role: analyst, masked: [internal]}]")]},
        "warning",
        "role all sees internal in the clear, which shop, which it reads, does not show it",
    ),
}


@pytest.mark.parametrize("case", BREACHES)
def test_who_breaks_a_policy_is_told(case, tmp_path):
    components, more, severity, message = BREACHES[case]
    assert (severity, message) in told(tmp_path, components, **more)


KEPT = {
    "not yet in production": ([data_set("{name: Email, type: varchar}", "unclassified")], {}),
    "said why not": ([data_set("{name: email, type: varchar, declassified: Of shops alone.}")], {"lifecycle": "production"}),
    "classified": ([data_set("{name: email, type: varchar, classification: personal}")], {"lifecycle": "production"}),
    "decided by the owner": (
        [
            data_set("{name: mail, type: varchar, classification: personal}"),
            agreement("purpose: Any.\nroles: [{role: all, sees: [personal]}]"),
        ],
        {},
    ),
    "a comment reads nothing": ([SUM], {"sql": "select 1 as total -- not shop.internal.orders\n"}),
    "its own tables": ([SUM], {"sql": "select 1 as total from sums.internal.sums"}),
    "no wider terms": ([SUM, READS, OUT, agreement(TERMS + "duration: 90d")], {"upstream": UPSTREAM}),
    "nothing is published": ([SUM, READS], {"upstream": UPSTREAM}),
}


@pytest.mark.parametrize("case", KEPT)
def test_who_keeps_them_is_not_bothered(case, tmp_path):
    components, more = KEPT[case]
    assert told(tmp_path, components, **more) == []


def test_the_column_is_named_where_it_is_written(tmp_path):
    root = write_mesh(
        tmp_path,
        {
            product_file("finance", "sums"): product_yaml(
                "sums",
                "finance",
                component("sums", "data-set", "columns:\n  - {name: id, type: bigint}\n  - {name: email, type: varchar}"),
                lifecycle="production",
            ),
            GOVERNANCE: "policies: [{policy: personal-names-are-classified, level: error}]",
        },
    )
    (problem,) = [each for each in mesh_plan(read_mesh(root))[1] if "named like" in each.message]
    assert (problem.severity, problem.path) == ("error", "components[2].properties.columns[1]")
    assert (root / problem.file).read_text().splitlines()[problem.line - 1].strip() == "- {name: email, type: varchar}"


TERMS_OF_THE_MESH = "terms:\n  - {name: sales, description: What was sold.}\n"


@pytest.mark.parametrize(
    ("governance", "lifecycle", "expected"),
    [
        ("", "production", []),
        (TERMS_OF_THE_MESH, "draft", []),
        (TERMS_OF_THE_MESH, "production", ['tag "slaes" is no term of the mesh', 'tag "money" is no term of the mesh']),
    ],
)
def test_tags_are_terms_of_the_mesh_where_it_has_some(governance, lifecycle, expected, tmp_path):
    column = component("sums", "data-set", "classification: internal\ncolumns: [{name: total, type: bigint, tags: [money]}]")
    files = {product_file("finance", "sums"): product_yaml("sums", "finance", column, tags="[sales, slaes]", lifecycle=lifecycle)}
    plan, problems = mesh_plan(read_mesh(write_mesh(tmp_path, files | ({GOVERNANCE: governance} if governance else {}))))
    found = sorted((each for each in problems if "is no term" in each.message), key=lambda each: each.message, reverse=True)
    assert [each.message for each in found] == expected
    assert not found or ("sales" in found[0].hint and found[0].severity == "warning")
    described = {product.name: dict(product.terms) for product in plan.products}
    assert described.get("sums", {}) == ({"sales": "What was sold."} if governance and "sums" in described else {})


def test_a_term_is_described_once_and_a_bad_one_takes_no_class_down(tmp_path):
    files = {
        product_file("finance", "sums"): product_yaml("sums", "finance", SUM, **OWNED),
        GOVERNANCE: "terms:\n  - {name: sales, description: One.}\n  - {name: sales, description: Two.}\n  - {name: sold}\n",
    }
    mesh = read_mesh(write_mesh(tmp_path, files))
    messages = [each.message for each in mesh_plan(mesh)[1]]
    assert "term sales is described 2 times" in messages and any("description" in each for each in messages)
    assert mesh.governance.classes_are_known
