"""Describe a product's faults for people who do not know its checks: `is not fresh and has gaps`."""

from collections.abc import Iterable
from typing import assert_never

from platform_resources.capabilities.registry import traits_of
from platform_resources.notify.facts import Failure, NewFault, Trouble
from platform_resources.notify.safe_text import harmless, listed, one_line
from platform_resources.promises.grades import Status
from platform_resources.spec.values.clocks import Clock

DIFFERS = " for another reason than before"
HELD_BACK = "held back its new version"


def health(status: Status | None) -> str:
    """The words for a product's status, to follow "is". Without a status after a failed refresh, it is unhealthy."""
    match status:
        case None | "unhealthy":
            return "unhealthy"
        case "unknown":
            return "of unknown health"
        case "use with care":
            return '"use with care"'
        case "unpublished":
            return "not published yet"
        case "unreadable":
            return "not readable"
        case "not run" | "retired":
            return "not refreshed"
        case _:
            return status


def wrong(trouble: Trouble) -> str:
    """What is wrong with the root product for its consumers; faults of an unpublished version are left out."""
    predicates = _predicates(failure for failure in trouble.failures if not failure.held_back)
    if trouble.gates or (trouble.held_back and not predicates):
        predicates.append(HELD_BACK)
    return listed(predicates, 2) or "is unhealthy"


def newly_wrong(faults: Iterable[NewFault]) -> list[str]:
    """What is wrong since: a closed gate, another broken promise, or an error and whether it differs from the last one."""
    return list(dict.fromkeys(HELD_BACK if new.failure.gate else _predicate(new.failure) + DIFFERS * new.differs for new in faults))


def held_back(trouble: Trouble, clock: Clock) -> str:
    """What consumers read while a new version is held back, and why; empty if none is."""
    if not trouble.held_back:
        return ""
    as_of, why = trouble.root.good_as_of, listed(_predicates(trouble.gates), 3)
    consumers = f"Consumers of {harmless(trouble.root.title) or '?'}"
    still = f"{consumers} still read its last good version, as of {clock.moment(as_of)}." if as_of else "Nothing was published yet."
    because = f": it was held back because it {harmless(why, 240)}" if why else ""
    return f"{still} The new one has not reached anybody{because}."


def _predicates(failures: Iterable[Failure]) -> list[str]:
    return list(dict.fromkeys(_predicate(failure) for failure in failures))


def _predicate(failure: Failure) -> str:
    match failure.kind:
        case "objective":
            return traits_of(failure.dimension).predicate.replace("{title}", one_line(failure.title, 60))
        case "test":
            return "fails a test of its data"
        case "input":
            return "has trouble with what it is made from"
        case "indicator":
            return "breaks a promise too often"
        case "refresh":
            return "could not be refreshed"
        case "versions":
            return "cannot be read"
        case _:
            assert_never(failure.kind)
