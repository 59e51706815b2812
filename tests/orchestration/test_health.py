"""What checks say while a refresh runs, or after one was killed."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.plan.plan import MeshPlan
from platform_resources.services.product_status import looked_at

TITLE = "Most readings have a temperature"


@pytest.fixture
def product(tiny):
    return read_plan(tiny)[0].product("readings")


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def checked(instance, product, verdict, killed=False):
    """A run that evaluates one check; killed, it ends the process before the check says anything."""
    check = next(check for check in product.checks if check.title == TITLE)

    @dg.asset_check(asset=asset_key(check.key), name=check.name)
    def _check():
        if killed:
            raise KeyboardInterrupt
        return dg.AssetCheckResult(passed=verdict == "met", metadata={"verdict": verdict}, description=f"it is {verdict}")

    asset = dg.AssetSpec(asset_key(check.key))
    job = dg.define_asset_job("job", selection=dg.AssetSelection.all_asset_checks(), executor_def=dg.in_process_executor)
    definitions = dg.Definitions(assets=[asset], asset_checks=[_check], jobs=[job])
    try:
        definitions.resolve_job_def("job").execute_in_process(instance=instance, raise_on_error=False)
    except KeyboardInterrupt:
        assert killed


def state(tiny, product, instance):
    now = datetime.now(UTC)
    with synced_ledger(tiny, instance, now) as ledger:
        (health,), _ = looked_at(ledger, tiny, MeshPlan((product,), ()), [product], now)
    return next((check.verdict, check.reason) for check in health.checks if check.title == TITLE)


@pytest.mark.slow
def test_a_check_that_is_running_or_was_killed_still_says_what_it_said_last(tiny, product, instance):
    assert state(tiny, product, instance) == ("unknown", "not checked yet")
    checked(instance, product, "met", killed=True)
    assert state(tiny, product, instance) == ("unknown", "not checked yet")
    checked(instance, product, "missed")
    assert state(tiny, product, instance) == ("missed", "it is missed")
    checked(instance, product, "met", killed=True)
    checked(instance, product, "met", killed=True)
    assert state(tiny, product, instance) == ("missed", "it is missed")
    checked(instance, product, "met")
    assert state(tiny, product, instance) == ("met", "it is met")
