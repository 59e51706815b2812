"""Match tests that ran elsewhere to checks of the mesh."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from platform_resources.dbt.imported.artefacts import TESTS, ForeignTest
from platform_resources.plan.check_plans import CheckPlan
from platform_resources.plan.conventions import Key
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.values.names import LONGEST_NAME

_NO_NAME = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Matched:
    """The check that a test's results go to: one of the plan, or, where `planned` is None, one of its own on the asset `key`."""

    test: ForeignTest
    product: str
    key: Key
    check: str
    planned: CheckPlan | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A test that belongs to no product, and why."""

    test: ForeignTest
    reason: str


def matches(plan: MeshPlan, tests: Sequence[ForeignTest]) -> Mapping[str, Matched | Refused]:
    """Where each test belongs, by its unique id. `tests` are all of the project, so that a name does not depend on which of them ran."""
    products = {test.unique_id: _product(plan, test) for test in tests}
    names = Counter(_place(products[test.unique_id], test) for test in tests)
    return {test.unique_id: _match(products[test.unique_id], test, names) for test in tests}


def _place(product: ProductPlan | Refused, test: ForeignTest) -> tuple[Key, str]:
    """Two tests of one place would be one check."""
    return (_key(product, test) if isinstance(product, ProductPlan) else (), test.name)


def _match(product: ProductPlan | Refused, test: ForeignTest, names: Mapping[tuple[Key, str], int]) -> Matched | Refused:
    if isinstance(product, Refused):
        return product
    return _matched(product, _key(product, test), test, alone=names[_place(product, test)] == 1)


def _product(plan: MeshPlan, test: ForeignTest) -> ProductPlan | Refused:
    """By what is declared, else by folders `<domain>/<product>`, else by the one model of that name in the mesh."""
    if test.declared is not None:
        return _declared(plan, test)
    by_place = {(product.domain, product.name): product for product in plan.products}
    rejected = {(product.domain, product.name): product.name for product in plan.rejected}
    for place in (pair for folders in test.places for pair in pairwise(folders)):
        if place in by_place:
            return by_place[place]
        if place in rejected:
            return Refused(test, _not_loaded(rejected[place]))
    return _by_model(plan, test)


def _declared(plan: MeshPlan, test: ForeignTest) -> ProductPlan | Refused:
    known = {product.name: product for product in plan.products}
    if not isinstance(test.declared, str):
        return Refused(test, f"{test.declared_as} is {test.declared!r}; write the name of one product")
    if test.declared in known:
        return known[test.declared]
    if test.declared in (product.name for product in plan.rejected):
        return Refused(test, _not_loaded(test.declared))
    hint = did_you_mean(test.declared, known) or f"known: {known_text(known)}"
    return Refused(test, f'{test.declared_as} is "{test.declared}", which is no product; {hint}')


def _not_loaded(product: str) -> str:
    return f"product {product} is not loaded: its spec has problems, see mesh validate {product}"


def _by_model(plan: MeshPlan, test: ForeignTest) -> ProductPlan | Refused:
    having = [product for product in plan.products if any(model.name == test.model for model in product.models)]
    if len(having) == 1:
        return having[0]
    if having:
        return Refused(test, f"its model {test.model} is in the products {known_text(p.name for p in having)}; {test.way_out}")
    what = f"its model {test.model} is in no product" if test.model else "it tests no model"
    folders = ", and no folder of it is <domain>/<product>" if test.places or test.kind in TESTS else ""
    return Refused(test, f"{what}{folders}; {test.way_out}")


def _key(product: ProductPlan, test: ForeignTest) -> Key:
    """The model's asset, or the scorecard for what the product has no model of."""
    return next((model.key for model in product.models if model.name == test.model), product.scorecard)


def _matched(product: ProductPlan, key: Key, test: ForeignTest, alone: bool) -> Matched:
    taken = {check.name: check for check in (*product.checks, *(i.check for i in product.indicators)) if check.key == key}
    planned = taken.get(test.name)
    if alone and test.kind == "test" and planned is not None and planned.kind == "dbt_test":
        return Matched(test, product.name, key, planned.name, planned)
    # The nearest name that Dagster takes.
    plain = _NO_NAME.sub("_", test.name).strip("_")[:LONGEST_NAME] if _NO_NAME.search(test.name) else test.name[:LONGEST_NAME]
    kept = alone and plain == test.name and plain not in taken
    return Matched(test, product.name, key, plain if kept else _distinct(plain, test), None)


def _distinct(plain: str, test: ForeignTest) -> str:
    """Names that were changed, or that several checks would have, end on eight digits of what dbt calls the test."""
    digest = hashlib.sha256(test.unique_id.encode()).hexdigest()[:8]
    return f"{plain[: LONGEST_NAME - 9]}_{digest}" if plain else f"test_{digest}"
