"""The gate between audit and publication, stored in the product's database; a pull closes it, an audit that passes opens it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from platform_resources.refresh.auditing import Audited
from platform_resources.warehouses.protocol import ProductDatabase

_TOPIC, _NAME, _UNBUILT, _BUILT_BY = "gate", "candidate", "unbuilt", "built by"
CHANGED = "its spec or its code has changed since it was built and audited; refresh it as a whole"


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """One objective's verdict, as the scorecard shows it."""

    title: str
    dimension: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the candidate may be published, why not, and the verdicts of its audit.

    `fingerprint` is that of the spec and code which the candidate was built and audited by.
    """

    open: bool
    reason: str
    verdicts: tuple[AuditVerdict, ...] = ()
    fingerprint: str = ""


def decided(audited: Iterable[Audited], fingerprint: str, unbuilt: str = "") -> Gate:
    """Open exactly if the build went well and every gating objective is met; unknown is not met."""
    audited = tuple(audited)
    shut = [unbuilt] if unbuilt else [a.sentence for a in audited if a.closes_gate]
    verdicts = tuple(AuditVerdict(a.objective.check.title, a.objective.dimension, a.judgement.verdict, a.judgement.reason) for a in audited)
    return Gate(not shut, "; ".join(shut), verdicts, fingerprint)


def gate(database: ProductDatabase) -> Gate:
    """The gate as it is; closed where nothing was ever audited."""
    record = database.remembered(_TOPIC).get(_NAME)
    if record is None:
        return Gate(False, "nothing was built and audited yet")
    data = json.loads(record)
    verdicts = tuple(AuditVerdict(**verdict) for verdict in data["verdicts"])
    return Gate(data["open"], data["reason"], verdicts, data.get("fingerprint", ""))


def close(database: ProductDatabase, reason: str) -> None:
    """Close the gate until a build succeeds and is audited: what is there was not made from what was pulled."""
    set_gate(database, Gate(False, reason))
    set_unbuilt(database, reason)


def unbuilt(database: ProductDatabase, fingerprint: str) -> str:
    """Why the models are not what an audit may open the gate for; empty after a build by this spec and code that went well."""
    remembered = database.remembered(_TOPIC)
    reason = remembered.get(_UNBUILT, "nothing was built yet")
    return reason or ("" if remembered.get(_BUILT_BY) == fingerprint else CHANGED)


def set_unbuilt(database: ProductDatabase, reason: str, fingerprint: str = "") -> None:
    """Keep why the models are not built; an empty reason where they are, by the build with this fingerprint."""
    database.remember(_TOPIC, _UNBUILT, reason)
    database.remember(_TOPIC, _BUILT_BY, fingerprint)


def set_gate(database: ProductDatabase, new: Gate) -> None:
    """Keep the gate for later steps and refreshes."""
    database.remember(_TOPIC, _NAME, json.dumps(asdict(new)))
