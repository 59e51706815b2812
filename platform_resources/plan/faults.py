"""What is broken when a check fails. A check's title states what should hold, which does not fit in front of a failure's reason."""

from platform_resources.plan.conventions import ENDS_CHECK, REFRESH_CHECK, VERSIONS_CHECK

_FAULTS = {
    REFRESH_CHECK: "The refresh failed",
    ENDS_CHECK: "The refresh does not end",
    VERSIONS_CHECK: "The published versions cannot be read",
}
# How the titles of the checks of an input end, by the check's own name, and what is so instead.
_OF_INPUTS = {
    "arrived": (" arrived", " did not arrive"),
    "fresh": (" is fresh", " is not fresh"),
    "contract": (" keeps its contract", " breaks its contract"),
}


def fault(check: str, title: str) -> str:
    """`Input deliveries did not arrive` for `inputs/deliveries:arrived`; a promise or a test is known by its title."""
    place, _, name = check.partition(":")
    if not place.startswith("inputs/") or name not in _OF_INPUTS:
        return _FAULTS.get(check, title)
    promised, broken = _OF_INPUTS[name]
    return title.removesuffix(promised) + broken if title.endswith(promised) else title
