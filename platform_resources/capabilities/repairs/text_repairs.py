"""Repairs of texts: blanks, capitals, signs between, and the accepted value that is nearest."""

from collections.abc import Iterator, Sequence

from platform_resources.capabilities.repairs.repair import Repair
from platform_resources.capabilities.support.sql_text import literal, quoted

# A value with more different letters than one in so many is another value, and no slip of one.
_LETTERS_PER_SLIP = 4


def accepted_repairs(column: str, accepted: Sequence[str], failing: Sequence[str]) -> Iterator[Repair]:
    """The simplest first. `failing` are values that are not accepted; each is mended by the one accepted value that is nearest."""
    name, listed = quoted(column), ", ".join(map(literal, accepted))
    trimmed, folded = f"trim({name})", f"lower(trim({name}))"
    fails = f"{name} not in ({listed})"
    yield Repair(column, "blanks around it are taken away", trimmed, f"{fails} and {trimmed} in ({listed})")
    of_case = {value.strip().lower(): value for value in accepted}
    if len(of_case) == len(accepted):
        written = " ".join(f"when {literal(key)} then {literal(value)}" for key, value in of_case.items())
        cased = f"case {folded} {written} else {name} end"
        yield Repair(column, "it is written as the accepted value, with its capitals", cased, f"{fails} and {cased} in ({listed})")
    nearest = {value: near for value in failing if (near := _nearest(value, accepted)) is not None}
    if nearest:
        written = " ".join(f"when {literal(value)} then {literal(near)}" for value, near in nearest.items())
        slipped = f"case {name} {written} else {name} end"
        yield Repair(column, "it becomes the nearest accepted value", slipped, f"{fails} and {slipped} in ({listed})", quotes_values=True)


def pattern_repairs(column: str, pattern: str) -> Iterator[Repair]:
    """Small changes after which the whole value is of the pattern."""
    text = f"cast({quoted(column)} as varchar)"
    changes = {
        "blanks around it are taken away": f"trim({text})",
        "it is written in capitals": f"upper(trim({text}))",
        "it is written in small letters": f"lower(trim({text}))",
        "blanks in it are taken away": f"regexp_replace({text}, '\\s', '', 'g')",
        "everything but letters and digits is taken away": f"regexp_replace({text}, '[^A-Za-z0-9]', '', 'g')",
        "everything but digits is taken away": f"regexp_replace({text}, '[^0-9]', '', 'g')",
    }
    fails = f"not regexp_full_match({text}, {literal(pattern)})"
    for what, value in changes.items():
        yield Repair(column, what, value, f"{fails} and regexp_full_match({value}, {literal(pattern)})")


def _nearest(value: str, accepted: Sequence[str]) -> str | None:
    """None where it is far from all of them, or two are equally near."""
    from rapidfuzz.distance import OSA

    written = value.strip().lower()
    away = sorted((OSA.distance(written, option.strip().lower()), option) for option in accepted)
    least = away[0][0]
    if least > max(1, len(written) // _LETTERS_PER_SLIP) or least >= len(written) or (len(away) > 1 and away[1][0] == least):
        return None
    return away[0][1]
