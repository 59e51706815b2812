"""A lateness dimension of an installed package is planned, worded, explained and forecast as freshness is."""

import pytest

from tests.capabilities.test_registry import package, run
from tests.meshes import edited, product_file, tiny_mesh

PUNCTUALITY = '''
"""The dimension `punctuality`: how old data may be, and who is to hear of it."""

from datetime import timedelta

from platform_resources import Duration, WhatFails, Judgement, Strict, Traits


class PunctualitySettings(Strict):
    """How old the newest version may be."""

    max_age: Duration


class Punctuality(Traits):
    """How old the newest version is."""

    name = "punctuality"
    config = PunctualitySettings
    measured_by = "audit"
    failure: WhatFails = "lateness"
    breaks = True
    predicate = "is not fresh"
    vouches_for = frozenset({"age"})
    example = "- {name: On time, type: service-level-asset, properties: {dimension: punctuality, max_age: 2h}}"

    def max_age(self, settings: PunctualitySettings) -> timedelta | None:
        return settings.max_age

    def columns_used(self, settings):
        return {}

    def problems(self, settings, subject):
        yield from ()

    def measures(self, settings, subject):
        return {}

    def judge(self, settings, readings, subject, moment):
        return Judgement("met", "always")


CAPABILITY = Punctuality()
'''
TOLD = """
import sys
from datetime import timedelta
from pathlib import Path
from platform_resources.capabilities.registry import installed_registry
from platform_resources.incidents.explanations import topics
from platform_resources.ledger.database import open_ledger
from platform_resources.ledger.syncing import sync
from platform_resources.notify.facts import Failure, NewFault
from platform_resources.notify.predicates import newly_wrong
from platform_resources.promises.grades import Said, check_state
from platform_resources.dbt.planning import read_plan
from platform_resources.services.forecasting import forecast
from platform_resources.services.product_health import watched
from platform_resources.services.watching import Observed
from tests.ledger.event_logs import START, MemoryLog, publication

root, check = Path(sys.argv[1]), "measurements:refreshed_daily"
plan, problems = read_plan(root)
product = plan.product("readings")
(objective,) = (o for o in product.objectives if o.check.name == "refreshed_daily")
print(topics(product, installed_registry())[check], product.indicators[0].max_age, [port.fresh_for for port in product.outputs])
print(newly_wrong([NewFault(Failure(check, "Refreshed daily", START, objective.dimension), START)]))
(seen,) = (each for each in watched(product) if each.name == "refreshed_daily")
state = check_state(seen, Said("missed", "it is late"))
print(seen.max_age, state.weight)
ledger, now, log = open_ledger(f"sqlite:///{root}/ledger.sqlite"), START + timedelta(hours=20), MemoryLog()
log.add(publication(0, "v1", "readings", product.outputs[0].name))
sync(ledger, log, now)
with ledger.reading() as connection:
    print(forecast(connection, plan, plan.products, [Observed("readings", check, state, now)], now))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return package(tmp_path_factory.mktemp("site"), {"dimensions.punctuality": "weather:CAPABILITY"}, {"weather": PUNCTUALITY})


def told(folder, site, dimension, script=TOLD):
    root = tiny_mesh(folder / dimension)
    edited(root, product_file("plant", "readings"), "dimension: freshness", f"dimension: {dimension}")
    return run(script, site, root)


@pytest.mark.slow
def test_a_lateness_of_another_package_is_worded_explained_and_forecast_as_freshness_is(tmp_path, site):
    fresh, punctual = (told(tmp_path, site, dimension) for dimension in ("freshness", "punctuality"))
    assert punctual == fresh
    assert "late=True" in fresh and "['is not fresh']" in fresh and "breaks" in fresh and "(product='readings', deadline=" in fresh
