"""Evaluate the mesh's policies: how strictly each applies in each domain, and which products breach it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from platform_resources.capabilities.protocols import LessClassified, PolicyFacts
from platform_resources.lineage.inherited_classes import inherited_classes, said_by_the_plan
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.plan import MeshPlan
from platform_resources.plan.validation.policy_validation import (
    PolicyBreach,
    breaches_of,
    level_of,
    policy_breaches,
    problems_of_breaches,
)
from platform_resources.services.access.kept_duties import broken_promises, outlived_text
from platform_resources.services.showing.column_lineage import mesh_lineage
from platform_resources.spec.governance import Level
from platform_resources.spec.problems import Problem


@dataclass(frozen=True, slots=True)
class PolicyStanding:
    """One policy with its level by domain and all breaches, including exempted ones."""

    name: str
    levels: Mapping[str, Level]
    breaches: tuple[PolicyBreach, ...]


def history_policy_problems(state: Path, mesh: Mesh, plan: MeshPlan, now: datetime) -> tuple[Problem, ...]:
    """Breaches that show only in builds, versions and check results. A product that was never refreshed has none."""
    return tuple(problems_of_breaches(_history_breaches(state, mesh, plan, now)))


def policy_standings(state: Path, mesh: Mesh, plan: MeshPlan, now: datetime) -> tuple[PolicyStanding, ...]:
    """Every policy with its breaches, ordered by name."""
    every = [breach for product in mesh.products for breach in policy_breaches(mesh, product)]
    every += _history_breaches(state, mesh, plan, now)
    domains = sorted({product.domain for product in mesh.products})
    return tuple(
        PolicyStanding(
            name,
            {domain: level_of(mesh, name, domain) for domain in domains},
            tuple(breach for breach in every if breach.policy == name),
        )
        for name in sorted(mesh.registry.policies())
    )


def _history_breaches(state: Path, mesh: Mesh, plan: MeshPlan, now: datetime) -> Iterator[PolicyBreach]:
    lineage, said = mesh_lineage(state, plan), said_by_the_plan(plan)
    broken = broken_promises(state, plan, now)
    for planned in plan.products:
        models = {data_set.model: data_set.name for data_set in planned.data_sets}
        less = tuple(
            LessClassified(models[weaker.column.place], weaker.column.column, weaker.now, weaker.classification, weaker.path)
            for weaker in inherited_classes(lineage, planned, said)
        )
        facts = PolicyFacts(
            less_classified=less,
            broken_promises=broken.get(planned.name, ()),
            outlived=tuple(outlived_text(state, planned, now)),
        )
        yield from breaches_of(mesh, mesh.by_name[planned.name], facts, "history")


def breach_data(breach: PolicyBreach) -> dict[str, Any]:
    """The breach as JSON data."""
    exemption = breach.exemption
    let_be = None if exemption is None else {"until": exemption.until.isoformat(), "owner": exemption.owner, "reason": exemption.reason}
    return {
        "product": breach.product.name,
        "level": breach.level,
        "what": breach.breach.message,
        "to_do": breach.breach.hint,
        "exempt": let_be,
    }
