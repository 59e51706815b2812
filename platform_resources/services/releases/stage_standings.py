"""Whether a product has what a stage of its life requires: by its documents, its score, and who has signed it off."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from platform_resources.access.grants import NotAllowed
from platform_resources.ledger.connections import Connection, DatabaseFailed
from platform_resources.ledger.database import LEDGER_FILE, LedgerUnavailable, ledger_url, open_ledger
from platform_resources.ledger.people.certifications import NEVER_ENDS, Certificate, end_certificates, grant_certificate, sign_offs
from platform_resources.ledger.people.score_store import kept_scores
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.plan import MeshPlan, ProductPlan, StagePlan
from platform_resources.settings import LEDGER
from platform_resources.spec.problems import Problem
from platform_resources.spec.values.grantees import is_same


@dataclass(frozen=True, slots=True)
class StageStanding:
    """What a stage requires of a product, who has signed it off, and what is missing; `claimed`: the product says that it is in it."""

    plan: StagePlan
    claimed: bool
    signed: tuple[Certificate, ...]
    missing: tuple[str, ...]


def stage_standings(connection: Connection, product: ProductPlan) -> tuple[StageStanding, ...]:
    """Every stage that requires something of the product."""
    signed = sign_offs(connection, product.name)
    return tuple(_standing(connection, product, stage, signed) for stage in product.stages)


def _standing(connection: Connection, product: ProductPlan, stage: StagePlan, signed: tuple[Certificate, ...]) -> StageStanding:
    here = tuple(sign for sign in signed if sign.stage == stage.stage and any(is_same(sign.person, signer) for signer in stage.signers))
    missing = (*stage.missing, *_criteria(connection, product, stage), *_unsigned(product, stage, here))
    return StageStanding(stage, product.info.lifecycle == stage.stage, here, missing)


def _criteria(connection: Connection, product: ProductPlan, stage: StagePlan) -> Iterator[str]:
    """By the newest score."""
    if not stage.criteria:
        return
    kept = kept_scores(connection, [product.name]).get(product.name)
    scored = {criterion.name: criterion for criterion in kept.score.criteria} if kept is not None else {}
    for name in stage.criteria:
        criterion = scored.get(name)
        if criterion is None:
            yield f"criterion {name} was not looked at yet: mesh evaluate does"
        elif criterion.gained < criterion.points:
            yield f"criterion {name} is not fulfilled: {criterion.evidence}; {criterion.raised_by}"


def _unsigned(product: ProductPlan, stage: StagePlan, signed: tuple[Certificate, ...]) -> Iterator[str]:
    for signer in stage.signers:
        if not any(is_same(sign.person, signer) for sign in signed):
            yield f"{signer} has not signed it off: mesh release sign {product.name} {stage.stage} --by {signer}"


def missing_now(connection: Connection, product: ProductPlan) -> tuple[str, ...]:
    """What the product lacks for the stage that it says it is in."""
    return tuple(
        f"as {standing.plan.stage} it lacks: {text}"
        for standing in stage_standings(connection, product)
        if standing.claimed
        for text in standing.missing
    )


def sign(connection: Connection, product: ProductPlan, stage: str, person: str, why: str, now: datetime) -> None:
    """Raises NotAllowed where nobody has to sign that stage off, or not this person."""
    signers = next((planned.signers for planned in product.stages if planned.stage == stage), ())
    if not any(is_same(person, signer) for signer in signers):
        who = f"it is signed off by {', '.join(signers)}" if signers else "nobody has to; `stages` of governance.yaml says who"
        raise NotAllowed(f"{person} does not sign {product.name} off as {stage}: {who}")
    grant_certificate(connection, Certificate(product.name, person, why, now, NEVER_ENDS, (), stage=stage))


def take_back(connection: Connection, product: ProductPlan, stage: str, person: str, why: str, now: datetime) -> None:
    """Raises NotAllowed where this person has not signed that stage off."""
    own = [signed.person for signed in sign_offs(connection, product.name) if signed.stage == stage and is_same(signed.person, person)]
    if not own:
        raise NotAllowed(f"{person} has not signed {product.name} off as {stage}")
    end_certificates(connection, [product.name], now, why, stage, own[0])


def stage_problems(state: Path, mesh: Mesh, plan: MeshPlan) -> tuple[Problem, ...]:
    """What products lack for their stage that only the ledger tells; nothing where there is no ledger yet."""
    asked = [p for p in plan.products for stage in p.stages if stage.stage == p.info.lifecycle and (stage.criteria or stage.signers)]
    if not asked or not (LEDGER.value(os.environ) or (state / LEDGER_FILE).exists()):
        return ()
    hint = "do what is missing, or write the stage that it is in; `mesh release stages` shows all of it"
    try:
        ledger = open_ledger(ledger_url(state, os.environ))
        try:
            with ledger.reading() as connection:
                missing = {product.name: missing_now(connection, product) for product in asked}
        finally:
            ledger.close()
    except (LedgerUnavailable, DatabaseFailed) as error:
        text = f"whether it has what its stage requires is not known: {str(error).splitlines()[0]}"
        missing = {product.name: (text,) for product in asked}
    return tuple(mesh.by_name[name].origin.problem("lifecycle", text, hint) for name, texts in missing.items() for text in texts)


def standing_data(standing: StageStanding) -> dict[str, Any]:
    """The standing as JSON data."""
    signed = [{"person": sign.person, "at": sign.since, "why": sign.why} for sign in standing.signed]
    needs = [*standing.plan.policies, *standing.plan.criteria]
    return {
        "stage": standing.plan.stage,
        "is_now": standing.claimed,
        "needs": needs,
        "signed_by": list(standing.plan.signers),
        "signed": signed,
        "missing": list(standing.missing),
    }
