"""What concerns one dimension stands in its file: no other module knows it."""

import ast

import pytest

from platform_resources.capabilities.registry import installed_registry, traits_of
from tests.meshes import REPOSITORY

pytestmark = pytest.mark.slow
PACKAGE = REPOSITORY / "platform_resources"
FOLDER = PACKAGE / "capabilities" / "dimensions"
# Words that mean something else elsewhere: a kind of number, a kind of message, a field, a facet, a column's head, a part of a database;
# what `mesh new product` writes into a YAML file, in the words of that file; and what documents of other standards call promises.
ALSO = {
    "capabilities/dimensions/cost.py": {"duration"},
    "capabilities/exports/dprod.py": {"distribution"},
    "capabilities/exports/monte_carlo.py": {"completeness", "custom-sql", "uniqueness", "validity", "volume"},
    "capabilities/exports/openslo.py": {"duration"},
    "capabilities/input_ports/kafka.py": {"schema"},
    "capabilities/input_ports/sql_database.py": {"schema"},
    "capabilities/judgements.py": {"duration"},
    "capabilities/policies/republished.py": {"duration"},
    "cli/app.py": {"schema"},
    "cli/finding/describing.py": {"duration"},
    "cli/profiling.py": {"distribution"},
    "dbt/outside_project.py": {"schema"},
    "incidents/messages.py": {"schema"},
    "interchange/contract_documents.py": {"schema"},
    "interchange/contract_quality.py": {
        "accuracy",
        "completeness",
        "freshness",
        "referential-consistency",
        "schema",
        "uniqueness",
        "validity",
        "volume",
    },
    "interchange/service_levels.py": {"availability", "freshness"},
    "interchange/slo_documents.py": {"duration"},
    "ledger/people/carried_history.py": {"schema"},
    "marketplace/api/acting_routes.py": {"schema"},
    "marketplace/api/own_routes.py": {"duration"},
    "measuring/version_profiles.py": {"distribution"},
    "notify/delivery.py": {"schema"},
    "notify/notices.py": {"schema"},
    "plan/from_products/dbt_files.py": {"schema"},
    "promises/learned/learning.py": {"duration"},
    "scaffolding/product_files.py": {"validity"},
    "scaffolding/suggested_objectives.py": {"completeness", "uniqueness", "validity", "volume"},
    "services/announcements.py": {"schema"},
    "services/new_versions.py": {"schema"},
    "services/control_ports/lineage_events.py": {"schema"},
    "services/migrating/carried_ports.py": {"schema"},
    "services/starting/new_inputs.py": {"schema"},
    "services/catalog/access_snippets.py": {"schema"},
    "services/checks/monitor_changes.py": {"cost"},
    "warehouses/snowflake/account_changes.py": {"schema"},
    "warehouses/snowflake/account_state.py": {"schema"},
    "warehouses/snowflake/sessions.py": {"schema"},
    "warehouses/snowflake/wanted_objects.py": {"schema"},
}
DIMENSIONS = installed_registry().dimensions()
OTHERS = [file for file in sorted(PACKAGE.rglob("*.py")) if file.parent != FOLDER]


def trees():
    for file in (*OTHERS, *sorted(FOLDER.glob("*.py"))):
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def test_no_module_names_a_dimension_but_its_own():
    named = {}
    for file, tree in trees():
        words = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        } & DIMENSIONS.keys()
        own = {file.stem.replace("_", "-")} if file.parent == FOLDER else set()
        named[file.relative_to(PACKAGE).as_posix()] = words - own - ALSO.get(file.relative_to(PACKAGE).as_posix(), set())
    assert {file: words for file, words in named.items() if words} == {}


def test_no_module_imports_a_dimension():
    imports = [
        (file.name, node.module)
        for file, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("platform_resources.capabilities.dimensions")
    ]
    assert imports == []


def test_consumers_have_words_for_every_dimension():
    own = {name for name, dimension in DIMENSIONS.items() if "{title}" not in dimension.predicate}
    assert DIMENSIONS.keys() - own == {"business-kpi", "custom-sql"}, "only these mean something else in each product"


def test_a_dimension_that_is_gone_is_one_of_which_nothing_is_known():
    gone = traits_of("no-such-dimension")
    assert (gone.failure, gone.breaks, gone.max_age(None), gone.predicate) == ("content", False, None, 'breaks its promise "{title}"')
