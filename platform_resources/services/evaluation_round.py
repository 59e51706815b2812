"""Evaluate products: judge their objectives from the ledger, update incidents, and queue messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from platform_resources.capabilities.registry import Registry
from platform_resources.incidents.life_cycle import IncidentEvent
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.certifications import note_certified
from platform_resources.ledger.people.checks import register_checks
from platform_resources.ledger.people.consumer_answers import write_answers
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.conventions import check_text
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.grades import NEVER, LastRefresh, ProductHealth
from platform_resources.refresh.product_locks import take_over_former
from platform_resources.services.access.access_plan import take_ended
from platform_resources.services.access.certificates import review_certificates
from platform_resources.services.catalog.consumer_probes import probed_consumers
from platform_resources.services.catalog.noted_use import note_warehouse_use
from platform_resources.services.judged_objectives import judged_objectives
from platform_resources.services.judging import concerned, judge
from platform_resources.services.product_status import known, trust
from platform_resources.services.releases.expectations import note_accepted
from platform_resources.services.starting.kept_drafts import forget_old
from platform_resources.services.trust import Trust
from platform_resources.services.watching import Judged, Observed, unplanned


@dataclass(frozen=True, slots=True)
class EvaluationRound:
    """The result of an evaluation: judgements, incident events, the number of new messages, and trust by product.

    `roles` says what could not be taken away though it has ended: grants, and versions past their retention. `use` says why it is not
    known how the warehouse is used.
    """

    at: datetime
    judged: tuple[Judged, ...]
    events: tuple[IncidentEvent, ...]
    messages: int
    verdicts: Mapping[str, tuple[Observed, ...]]
    last_refreshes: Mapping[str, LastRefresh]
    health: Mapping[str, ProductHealth]
    trust: Mapping[str, Trust]
    roles: tuple[str, ...] = ()
    use: str = ""


def evaluate(
    ledger: Ledger, state: Path, plan: MeshPlan, products: Sequence[ProductPlan], registry: Registry, now: datetime, domain: str = ""
) -> EvaluationRound:
    """Evaluate these products and update the incidents of the whole mesh. Sync the ledger first.

    `domain` is theirs; it has to be told where none of its products can be read.
    """
    register_checks(ledger, plan, now)
    use = note_warehouse_use(ledger, plan, now)
    take_over_former(state, plan.products)
    _note_consumers_and_certified(ledger, products, now)
    just_now = tuple(judged_objectives(products, registry, state, ledger, now))
    with ledger.reading() as connection:
        own = {product.name: product for product in products}
        others = [product for product in concerned(connection, plan, own, now) if product.name not in own]
        everybody = (*products, *others)
        facts = known(connection, state, everybody, now, just_now)
    domains = tuple(dict.fromkeys([*(product.domain for product in products), *filter(None, [domain])]))
    with ledger.writing() as connection:
        review_certificates(connection, [product for product in plan.products if product.domain in domains], now)
        note_accepted(connection, products, now)
    followed = judge(ledger, state, plan, everybody, facts, registry, now, domains, domains)
    with ledger.reading() as connection:
        trusted = trust(connection, plan, products, facts, now)
    verdicts = _verdicts(products, facts.observations)
    ended = take_ended(ledger, state, plan, products, now)
    forget_old(state)
    done = EvaluationRound(now, just_now, followed.events, followed.messages, verdicts, facts.last_refreshes, facts.health, trusted, ended)
    return replace(done, use=use)


def _note_consumers_and_certified(ledger: Ledger, products: Sequence[ProductPlan], now: datetime) -> None:
    """What pages show and nothing is judged by."""
    answers = probed_consumers(products, now)
    certified = [product.name for product in products if product.info.certified]
    with ledger.writing() as connection:
        write_answers(connection, answers)
        note_certified(connection, certified, [product.name for product in products if not product.info.certified], now)


def _verdicts(products: Sequence[ProductPlan], observations: Sequence[Observed]) -> dict[str, tuple[Observed, ...]]:
    """What is said of each objective, in the order of the plan; one without evidence is unknown."""
    observed = {(observation.product, observation.check): observation for observation in observations}
    return {
        product.name: tuple(
            observed.get((product.name, check_text(o.check.key, o.check.name)), _not_checked(product, o)) for o in product.objectives
        )
        for product in products
    }


def _not_checked(product: ProductPlan, objective: ObjectivePlan) -> Observed:
    check = objective.check
    text = check_text(check.key, check.name)
    return Observed(
        product.name, text, unplanned(product.name, text, check.title, NEVER, "objective", dimension=objective.dimension), datetime.min
    )
