"""The check results of a refresh: input checks, dbt tests, and objectives."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from platform_resources.capabilities.judgements import Judgement, Verdict
from platform_resources.dbt.build import NodeResult
from platform_resources.dbt.full_refresh import way_out
from platform_resources.dbt.node_messages import failing_rows_text
from platform_resources.ledger.payload import CheckSaid
from platform_resources.plan.check_plans import CheckPlan, ObjectivePlan
from platform_resources.refresh.stages import AuditDone, Built, InputPulled, PullDone, StageDone


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """One check result as the ledger stores it. `hint` says what to do if the cause may not be the data."""

    check: CheckPlan
    said: CheckSaid
    hint: str = ""

    @property
    def passed(self) -> bool:
        """Whether it counts as passed: a threshold that is still learning has not failed, but opens no gate either."""
        return self.said.verdict == "met" or (self.said.learning and not self.check.blocking)

    @property
    def text(self) -> str:
        """The reason of the verdict; while a threshold is learning, that there is none yet."""
        return f"no verdict yet: {self.said.reason}" if self.said.learning else self.said.reason


def check_records(done: StageDone) -> Iterator[CheckRecord]:
    """The check results of one stage; publish and score have none."""
    match done:
        case PullDone():
            yield from (record for pulled in done.inputs for record in input_checks(pulled))
        case Built():
            yield from (judged_check(r.objective, r.judgement, done.at) for r in done.inputs)
            yield from (record for record, _ in dbt_test_checks(done))
        case AuditDone():
            judged = (result for result in done.audited if not result.objective.before_build)
            yield from (judged_check(r.objective, r.judgement, done.at, done.hint(r)) for r in judged)


def input_checks(done: InputPulled) -> Iterator[CheckRecord]:
    """The results of `arrived`, `fresh` and `contract`. If the input did not arrive, the other two are unknown."""
    pulled = done.pulled
    looked_at = bool(pulled.record) and "arrived" not in pulled.failures
    for check in done.port.checks:
        unknown = not looked_at and check.name != "arrived" and check.name not in pulled.failures
        reason = "unknown: the input could not be pulled" if unknown else pulled.failures.get(check.name, "fine")
        verdict: Verdict = "unknown" if unknown else "missed" if check.name in pulled.failures else "met"
        yield CheckRecord(check, CheckSaid(verdict, reason, check.kind, done.at))


def dbt_test_checks(built: Built) -> Iterator[tuple[CheckRecord, NodeResult | None]]:
    """Each dbt test with the node that ran it, by dbt's unique id: two tests may share a short name."""
    nodes = {node.unique_id: node for node in built.nodes if node.kind in ("test", "unit_test")}
    for check in (test for model in built.product.models for test in model.tests if built.nodes):
        node = nodes.get(check.dbt_id)
        yield _dbt_test(check, node, built.at, way_out(built.product, check.key, built.kept)), node


def _dbt_test(check: CheckPlan, node: NodeResult | None, at: datetime, hint: str) -> CheckRecord:
    """A test that dbt skipped, or did not find, is unknown. Of one with thresholds only dbt knows whether so many rows are an error."""
    if node is None or node.status in ("skipped", "error"):
        reason = node.message if node and node.message else "dbt did not run this test"
        return CheckRecord(check, CheckSaid("unknown", reason, check.kind, at))
    verdict: Verdict = "met" if node.status == "pass" else "missed"
    reason = "no row fails" if verdict == "met" else node.message or failing_rows_text(node.failures)
    weighed = replace(check, severity="warning") if node.status == "warn" else check
    said = CheckSaid(verdict, reason, check.kind, at, failing_rows=node.failures or 0)
    return CheckRecord(weighed, said, hint if verdict != "met" else "")


def _weighed(check: CheckPlan, judgement: Judgement) -> CheckPlan:
    """With the severity of the threshold that was missed, where there are two; a warning closes no gate."""
    if judgement.severity is None:
        return check
    return replace(check, severity=judgement.severity, blocking=check.blocking and judgement.severity == "error")


def judged_check(objective: ObjectivePlan, judgement: Judgement, at: datetime, hint: str = "") -> CheckRecord:
    """A judgement as a check result: `value` is exact, `shown` is formatted for people."""
    said = CheckSaid(
        verdict=judgement.verdict,
        reason=judgement.reason,
        kind=objective.check.kind,
        measured_at=at,
        title=objective.check.title,
        dimension=objective.dimension,
        value=judgement.value,
        shown=judgement.shown,
        threshold=judgement.threshold,
        failing_rows=judgement.failing_rows,
        unit=judgement.promise.unit,
        at_least=judgement.promise.at_least,
        at_most=judgement.promise.at_most,
        learning=judgement.learning,
    )
    return CheckRecord(_weighed(objective.check, judgement), said, hint if judgement.verdict != "met" else "")
