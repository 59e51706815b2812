"""What each stage of its life requires of a product, by governance.yaml or by custom."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import get_args

from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.plan import StagePlan
from platform_resources.plan.validation.policy_validation import exemption_of, policy_facts
from platform_resources.spec.governance import StageSetting
from platform_resources.spec.product import Product
from platform_resources.spec.values.field_types import Lifecycle

# What is required where governance.yaml says nothing of a stage, as strictly as each policy holds.
BY_CUSTOM = (
    StageSetting(stage="production", needs=("production-is-complete",)),
    StageSetting(stage="deprecated", needs=("deprecation-is-announced",)),
)


def planned_stages(mesh: Mesh, product: Product) -> tuple[StagePlan, ...]:
    """Every stage that requires something, in the order of life."""
    declared = {setting.stage: setting for setting in (*BY_CUSTOM, *mesh.governance.governance.stages)}
    return tuple(_planned(mesh, product, declared[stage]) for stage in get_args(Lifecycle) if stage in declared)


def _planned(mesh: Mesh, product: Product, setting: StageSetting) -> StagePlan:
    """Judged as if the product were in that stage."""
    known = mesh.registry.policies()
    policies = tuple(name for name in setting.needs if name in known)
    then = replace(product, info=product.info.model_copy(update={"lifecycle": setting.stage}))
    criteria = tuple(name for name in setting.needs if name not in known)
    return StagePlan(setting.stage, policies, tuple(_missing(mesh, then, policies)), criteria, tuple(_signers(product, setting)))


def _missing(mesh: Mesh, product: Product, policies: Sequence[str]) -> Iterator[str]:
    facts = policy_facts(mesh, product)
    for name in policies:
        policy = mesh.registry.policies()[name]
        if policy.needs == "documents" and exemption_of(mesh, name, product) is None:
            yield from (breach.message for breach in policy.breaches(product, facts))


def _signers(product: Product, setting: StageSetting) -> Iterator[str]:
    owners = {"business": product.info.owners.business, "technical": product.info.owners.technical}
    for signer in setting.signed_by:
        yield (owners[signer] or f"its {signer} owner, whom it does not have") if signer in owners else signer
