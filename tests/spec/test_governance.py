"""governance.yaml: what one mistake takes with it, and what its rules make of a product."""

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.plan.plan_text import fingerprint
from platform_resources.repository.mesh_folders import GOVERNANCE
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.spec.governance import Governance, read_governance
from tests.meshes import component, model_file, product_file, product_yaml, write_mesh

GOOD = """\
classes:
  - {name: public, others: clear, values: shown}
  - {name: contact, others: masked, mask: pseudonym}
identifiers:
  - {name: shop, type: bigint, product: shops, column: shop_id}
policies:
  - {policy: deprecation-is-announced, level: warn}
"""
SHOPS = component(
    "shops",
    "data-set",
    "columns:\n  - {name: shop_id, type: bigint, identifier: shop, classification: public}\n"
    "  - {name: email, type: varchar, classification: contact}\n  - {name: note, type: varchar}",
)


def mesh(folder, governance, *components, **info):
    files = {product_file("sales", "shops"): product_yaml("shops", "sales", SHOPS, *components, **info)}
    files |= {model_file("sales", "shops", "shops"): "select 1 as shop_id"}
    return write_mesh(folder, files | ({GOVERNANCE: governance} if governance else {}))


def planned(root):
    """The plan without asking dbt, and every problem."""
    return mesh_plan(read_mesh(root))


def messages(problems):
    return [problem.message for problem in problems]


def test_a_bad_identifier_or_policy_takes_no_other_entry_with_it():
    reading = read_governance(GOOD + "  - {policy: production-is-complete, level: strict}\n", "governance.yaml")
    assert messages(reading.problems) == ['unknown level "strict"; known: error, warn']
    assert [each.policy for each in reading.governance.policies] == ["deprecation-is-announced"]
    assert reading.classes_are_known
    assert reading.policy_places == (0,)


@pytest.mark.parametrize("text", ["classes: 3", "", "- a list", "classes: []", "classes: [{name: Public}]", "classes: ["])
def test_classes_that_cannot_be_read_are_not_known(text):
    reading = read_governance(text, "governance.yaml")
    assert not reading.classes_are_known
    assert reading.problems


def test_while_the_classes_cannot_be_read_no_product_is_refreshed(tmp_path):
    plan, problems = planned(mesh(tmp_path, "classes: [{name: public, others: everybody}]"))
    assert plan.products == ()
    assert messages(plan.rejected[0].problems)[-1] == 'unknown others "everybody"; known: clear, left-out, masked'
    assert [problem.file for problem in problems if problem.severity == "error" and "others" in problem.path] == [GOVERNANCE]


def test_others_receive_what_the_class_gives_them_and_the_plan_says_so(tmp_path):
    plan, problems = planned(mesh(tmp_path, GOOD))
    (data_set,) = plan.product("shops").data_sets
    assert {column.name: column.how for column in data_set.views.open.columns} == {"shop_id": "clear", "email": "pseudonym"}
    assert data_set.shown == ("shop_id", "note")
    assert problems == ()


def test_another_rule_for_a_class_changes_the_fingerprint_of_the_products_that_have_it_alone(tmp_path):
    rules = {
        "as it was": GOOD,
        "left out": GOOD.replace("others: masked, mask: pseudonym", "others: left-out"),
        "told": GOOD.replace("mask: pseudonym}", "mask: pseudonym, values: shown}"),
        "one class more": GOOD.replace("identifiers:", "  - {name: secret}\nidentifiers:"),
        "another identifier": GOOD.replace("product: shops, column: shop_id}", "product: shops, column: shop_id, join_rate: 90}"),
    }
    prints = {name: fingerprint(planned(mesh(tmp_path, rule))[0].product("shops")) for name, rule in rules.items()}
    same = [name for name, print_ in prints.items() if print_ == prints["as it was"]]
    assert same == ["as it was", "one class more", "another identifier"]


def test_a_role_masks_a_class_as_the_company_does_unless_it_says_otherwise(tmp_path):
    roles = "roles:\n  - {role: analyst, masked: [contact]}\n  - {role: crm, masked: [contact], masks: {contact: keyed-hash}}"
    plan, _ = planned(mesh(tmp_path, GOOD, component("Use", "data-sharing-agreement", roles)))
    views = plan.product("shops").data_sets[0].views
    assert {role: views.of_role(role, ()).columns[0].how for role in ("analyst", "crm")} == {"analyst": "pseudonym", "crm": "keyed-hash"}


def test_a_mask_that_does_not_take_a_column_is_a_problem_where_others_would_receive_it(tmp_path):
    wrong = GOOD.replace("mask: pseudonym", "mask: truncate-date")
    plan, problems = planned(mesh(tmp_path, wrong))
    assert plan.products == ()
    assert "class contact, column email: mask truncate-date" in "".join(messages(problems))
    agreed = component("Use", "data-sharing-agreement", "roles:\n  - {role: crm, sees: [contact]}")
    assert len(planned(mesh(tmp_path, wrong, agreed))[0].products) == 1


def test_without_the_file_there_are_the_four_standard_classes(tmp_path):
    plan, problems = planned(mesh(tmp_path, ""))
    assert plan.products == ()
    assert messages(problems) == ['unknown classification "contact"; known: internal, personal, public, sensitive, unclassified']
    assert Governance().class_names == ("public", "internal", "personal", "sensitive")


ENDED = GOOD.replace("level: warn}", "exemptions: [{product: shops, until: %s, owner: a@b.de, reason: It ends anyway.}]}")


@pytest.mark.parametrize(
    ("governance", "severities"),
    [
        ("", ["error", "error"]),
        (GOOD, ["warning", "warning"]),
        (GOOD.replace("level: warn}", "level: warn, domains: [sales]}"), ["warning", "warning"]),
        (GOOD + "  - {policy: deprecation-is-announced, level: error, domains: [sales]}", ["error", "error"]),
        (GOOD + "stages:\n  - {stage: deprecated, needs: [deprecation-is-announced]}\n", ["error", "error"]),
        (GOOD + "stages:\n  - {stage: retired, needs: [deprecation-is-announced]}\n", ["warning", "warning"]),
        (ENDED % "2999-12-31", []),
        (ENDED % "2020-12-31", ["error", "error"]),
    ],
)
def test_a_policy_holds_as_strictly_as_it_is_said_of_the_domain_and_exemptions_end(tmp_path, governance, severities):
    text = governance.replace("shop_id}", "shop_id}") or "classes: [{name: public}, {name: contact, others: masked, mask: pseudonym}]"
    _, problems = planned(mesh(tmp_path, text, lifecycle="deprecated"))
    assert [each.severity for each in problems if each.message.startswith("a deprecated product needs")] == severities
    ended = [each.message for each in problems if each.file == GOVERNANCE]
    assert ended == (
        ["the exemption of shops from deprecation-is-announced ended on 2020-12-31; a@b.de answers for it"] if "2020" in text else []
    )


def test_a_part_of_the_mesh_knows_the_classes_and_complains_of_no_product_that_was_not_read(tmp_path):
    root = mesh(tmp_path, GOOD.replace("product: shops", "product: elsewhere"))
    plan, problems = read_plan(root, ["shops"])
    assert [product.name for product in plan.products] == ["shops"]
    assert messages(problems) == []
    assert messages(planned(root)[1]) == ['no product "elsewhere" in the mesh']
