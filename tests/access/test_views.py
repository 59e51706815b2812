"""Views: which columns a role sees, how, and which roles share one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from platform_resources.access.agreement_problems import role_problems
from platform_resources.access.grants import KnownGrants
from platform_resources.access.reader_standing import Reader
from platform_resources.access.views import KeyedRole, combinations, mask_problem, views_of
from platform_resources.marketplace.display import promise_rows
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.promises.grades import CheckState
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.services.access.reader_views import ReaderView
from platform_resources.services.showing.seen_mesh import WITHHELD, seen_check
from platform_resources.spec.agreements import AgreementRole, MaskUse
from platform_resources.spec.components import DataSet
from tests.meshes import component, model_file, product_file, product_yaml, write_mesh

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOMERS = DataSet.model_validate(
    {
        "classification": "internal",
        "columns": [
            {"name": "id", "type": "bigint", "classification": "public"},
            {"name": "region", "type": "varchar"},
            {"name": "email", "type": "varchar", "classification": "personal"},
            {"name": "income", "type": "integer", "classification": "sensitive"},
            {"name": "note", "type": "varchar", "classification": "unclassified"},
        ],
    }
)


def role(name="analyst", **said):
    return AgreementRole.model_validate({"role": name, **said})


def views(*roles, agreed=True):
    return views_of(CUSTOMERS, [KeyedRole(each, "customers.internal_use") for each in roles], agreed)


def shown(view):
    return {column.name: column.how for column in view.columns}


def test_without_an_agreement_only_public_and_internal_columns_are_delivered():
    assert shown(views(agreed=False).open) == {"id": "clear", "region": "clear"}
    assert views_of(DataSet.model_validate({"columns": [{"name": "id", "type": "bigint"}]}), (), False).open is None


def test_with_an_agreement_there_is_only_what_it_says():
    found = views(role(sees=["public"], masked=["personal"]))
    assert found.open is None
    assert shown(found.of_role("analyst", ())) == {"id": "clear", "email": "redact"}
    assert found.of_role("crm", ()) is None


def test_a_column_may_be_said_by_its_name():
    found = views(role(sees=["public", "internal"], columns={"EMAIL": "pseudonym", "region": "left-out", "note": "clear"}))
    (view,) = found.distinct
    assert shown(view) == {"id": "clear", "email": "pseudonym", "note": "clear"}
    assert view.keys == {"customers.internal_use"}


def test_roles_that_see_the_same_share_a_view_and_others_do_not():
    found = views(role(sees=["public"]), role("auditor", sees=["public"]), role("crm", sees=["public", "personal"]))
    assert len(found.distinct) == 2
    assert found.of_role("analyst", ()) == found.of_role("auditor", ())


def test_an_attribute_has_a_view_for_each_of_its_values_and_none_for_any_other():
    found = views(role(sees=["public"], rows="region = reader.region", attributes={"region": ["EU", "US"]}))
    assert len(found.distinct) == 2
    assert found.of_role("analyst", (("region", "EU"),)).rows == "\"region\" = 'EU'"
    assert found.of_role("analyst", ()) is None
    assert found.of_role("analyst", (("region", "XX"),)) is None


def test_the_name_of_a_view_tells_nothing_and_changes_with_what_it_shows():
    names = {each.name for each in views(role(sees=["public"]), role("crm", sees=["public"], rows="id > 1")).distinct}
    assert len(names) == 2
    assert all(name.startswith("view_") and name[5:].isalnum() and len(name) == 17 for name in names)


def test_a_view_of_everything_is_told_from_one_that_hides_a_row_or_a_column():
    everything = ["public", "internal", "personal", "sensitive", "unclassified"]
    (whole,) = views(role(sees=everything)).distinct
    assert whole.shows_all_of(["id", "REGION", "email", "income", "note"])
    assert not whole.shows_all_of(["id", "region", "email", "income", "note", "undeclared"])
    (filtered,) = views(role(sees=everything, rows="id > 1")).distinct
    assert not filtered.shows_all_of(["id"])


def test_attributes_combine():
    said = role(attributes={"b": ["1", "2"], "a": ["x"]})
    assert combinations(said) == ((("a", "x"), ("b", "1")), (("a", "x"), ("b", "2")))


@pytest.mark.parametrize(
    ("use", "kind", "problem"),
    [
        ({"mask": "redact"}, "blob", ""),
        ({"mask": "bands", "settings": {"width": 10}}, "integer", ""),
        ({"mask": "bands"}, "integer", "mask bands: width: Field required"),
        ({"mask": "bands", "settings": {"width": "10); drop table x"}}, "integer", "mask bands: width"),
        ({"mask": "partial"}, "varchar", "no character stays"),
        ({"mask": "truncate-date", "settings": {"to": "'); drop"}}, "date", "mask truncate-date: to"),
        (
            {"mask": "truncate-date", "settings": {"to": "day"}},
            "date",
            "mask truncate-date with to: day does not take a column of type date",
        ),
        ({"mask": "truncate-date", "settings": {"to": "day"}}, "timestamp", ""),
        ({"mask": "pseudonym"}, "integer", "mask pseudonym does not take a column of type integer"),
        ({"mask": "no'mask"}, "varchar", 'unknown mask "no\'mask"'),
    ],
)
def test_a_mask_that_cannot_be_used_is_told(use, kind, problem):
    found = mask_problem(MaskUse(**use), kind)
    assert problem in found and bool(problem) == bool(found)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"rows": "id = (select 1)"}, "role analyst, rows: (SELECT 1) is not allowed in a row filter"),
        ({"rows": "region = reader.region"}, "role analyst, rows: the role has no attribute region; it has: none"),
        (
            {"columns": {"emial": "redact"}},
            'role analyst: no column "emial" in a data set of the product; known: email, id, income, note, region',
        ),
        ({"columns": {"income": "pseudonym"}}, "role analyst, column income: mask pseudonym does not take a column of type integer"),
        (
            {"columns": {"email": "clear", "EMAIL": "left-out"}},
            "role analyst: email and EMAIL are one column; capitals make no difference to a warehouse",
        ),
        ({"masks": {"personal": "redact"}}, "role analyst: masks has personal, and masked has not"),
        ({"attributes": {"region": [f"r{n}" for n in range(51)]}}, "role analyst: 51 combinations of attributes, each a file; at most 50"),
        ({"attributes": {"region": []}}, "role analyst: attribute region has no value"),
        (
            {"rows": "id = reader.number", "attributes": {"number": ["1", "many"]}},
            'role analyst: attribute number has "many", and column id, which it is compared with, is of type bigint',
        ),
        (
            {"rows": "region = 'x' or not (income >= reader.least)", "attributes": {"least": ["1e3", "1.5"]}},
            'role analyst: attribute least has "1e3", and column income, which it is compared with, is of type integer',
        ),
    ],
)
def test_what_is_wrong_with_a_role_is_told(said, problem):
    assert [message for _, message, _ in role_problems(role(**said), [CUSTOMERS], ["customers"])] == [problem]


def test_a_row_filter_fits_each_data_set_of_which_the_role_sees_something_and_the_other_is_named():
    notes = DataSet.model_validate({"columns": [{"name": "text", "type": "varchar", "classification": "unclassified"}]})
    lines = DataSet.model_validate({"columns": [{"name": "line", "type": "bigint", "classification": "public"}]})
    filtered = role(sees=["public", "internal"], rows="region = 'EU'")
    assert list(role_problems(filtered, [CUSTOMERS, notes], ["customers", "notes"])) == []
    ((_, message, _),) = role_problems(filtered, [CUSTOMERS, lines], ["customers", "lines"])
    assert message == 'role analyst, rows of data set lines: unknown column "region"; known: line'
    assert views_of(notes, [KeyedRole(filtered, "customers.internal_use")], True).distinct == ()


TILL = [
    component("sales", "data-set", "columns: [{name: net, type: bigint, classification: internal}]"),
    component("staff", "data-set", "columns: [{name: wage, type: bigint, classification: sensitive}]"),
    component("ledger", "input-port", "interface: file\npath: ledger.csv"),
    component("sales_file", "output-port", "interface: file\ndata_set: sales"),
]
SUMS = "dimension: accuracy\ndata_set: sales\nsums: {net: {reference: wage}}\nreference: "
PROMISES = {
    # what it promises, what an audit says of it, and what is told to whoever has no grant
    "Net is there": ("dimension: completeness\ndata_set: sales\ncolumns: [net]\nat_least: 90", 90.0, ("31", "at least 90 promised")),
    "Wages are there": (
        "dimension: completeness\ndata_set: staff\ncolumns: [wage]\nat_least: 90",
        90.0,
        ("hidden", "at least 90 promised"),
    ),
    "Wages are as usual": (
        "dimension: business-kpi\ndata_set: staff\nmetric: avg(wage)\nchange_at_most: 5",
        3100.0,
        ("hidden", "measured"),
    ),
    "Like the wages": (f"{SUMS}{{data_set: staff}}", None, ("hidden", "measured")),
    "Like the ledger": (f"{SUMS}{{input: ledger}}", None, ("hidden", "measured")),
}


def test_a_check_tells_nothing_of_values_that_its_reader_does_not_see(tmp_path):
    """Neither in its words, nor by bounds around a former value, nor by a sum of another data set or an input, which is none of its columns."""
    checks = [component(title, "service-level-asset", text) for title, (text, _, _) in PROMISES.items()]
    models = {model_file("shop", "till", name): "select 1 as x" for name in ("sales", "staff")}
    root = write_mesh(tmp_path, {product_file("shop", "till"): product_yaml("till", "shop", *TILL, *checks), **models})
    plan, problems = mesh_plan(read_mesh(root))
    assert [problem.message for problem in problems if problem.severity == "error"] == []
    product, reading = plan.product("till"), ReaderView(plan, KnownGrants(), NOW, Reader("bob"))
    assert len(product.objectives) == len(PROMISES)
    for objective in product.objectives:
        check, (_, at_least, expected) = objective.check, PROMISES[objective.check.title]
        said = CheckState(
            check.name, check.title, "objective", objective.dimension, False, "met", "31", NOW, check.key, columns=check.columns, value=31.0
        )
        seen = seen_check(replace(said, at_least=at_least), product, reading)
        row = promise_rows._row(seen, {}, None, PageTimes(NOW, "UTC"))
        assert (seen.reason.replace(WITHHELD, "hidden"), row.got_of) == expected, check.title
        assert (row.got == "not shown to you") is (expected[0] == "hidden")
