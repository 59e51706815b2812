"""Checks of one asset must have different names."""

from collections.abc import Callable, Iterator
from functools import partial

from platform_resources.plan import conventions
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.subjects import is_about_the_product, judged_data_set
from platform_resources.plan.from_products.written_tests import test_name, tests_of, written_test
from platform_resources.spec.problems import Problem
from platform_resources.spec.product import Product, model_name


def checks_are_unique(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Checks of one asset have different names: of a model its tests and objectives, of a scorecard its indicators and objectives."""
    seen: dict[tuple[str, str], str] = {}
    for model, name, what, problem in _dbt_tests(mesh, product):
        if (model, name) in seen:
            yield problem(f"{what} is written twice", "take one of them away, or give a test of your own another name")
        seen.setdefault((model, name), what)
    for objective in product.objectives:
        judged = judged_data_set(mesh.registry, product, objective)
        same = seen.get((model_name(judged), conventions.check_name(objective.title))) if judged is not None else None
        if same is not None:
            message = f'objective "{objective.title}" has the same name as {same}'
            yield objective.origin.problem("", message, "give it another name: both become checks of one model")
    yield from _on_the_scorecard(mesh, product)


def _on_the_scorecard(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Indicators, and objectives about the product as a whole."""
    indicators = {conventions.check_name(indicator.title): indicator.title for indicator in product.indicators}
    for objective in product.objectives:
        same = indicators.get(conventions.check_name(objective.title))
        if same is not None and is_about_the_product(mesh.registry, objective):
            message = f'objective "{objective.title}" has the same name as the indicator "{same}"'
            yield objective.origin.problem("", message, "give it another name: both become checks of the scorecard")


def _dbt_tests(mesh: Mesh, product: Product) -> Iterator[tuple[str, str, str, Callable[[str, str], Problem]]]:
    """Every dbt test with its model, its name, what it is, and how a problem with it is placed."""
    for data_set in product.data_sets:
        model = model_name(data_set)
        for column in data_set.config.columns:
            for test in map(written_test, column.tests):
                name = test_name(test, model, column.name)
                yield model, name, f'test {test.kind} of column "{column.name}"', partial(data_set.origin.problem, "columns")
    declared = {
        (model_name(data_set), test_name(test, model_name(data_set), column.name))
        for data_set in product.data_sets
        for column in data_set.config.columns
        for test in tests_of(column, False)
    }
    for own in mesh.project_of(product).tests:
        if not conventions.is_generated(own.file) or (own.of, own.name) not in declared:
            yield own.of, own.name, f'dbt test "{own.name}"', partial(Problem, own.file, 1, "")
