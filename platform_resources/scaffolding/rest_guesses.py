"""Where in the first answer of a REST interface its records are, and how one page leads to the next."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from platform_resources.scaffolding.source_columns import Guess

_PLAIN = re.compile(r"\w+")
_NEXT = re.compile(r"next(_?(page|url|link|page_?url|page_?link|href))?", re.IGNORECASE)
_ALL = re.compile(r"(total|count|total_?(count|items|records|results|elements|pages)|(page|result)_?count|pages)", re.IGNORECASE)
_DEPTH = 3


class NotGuessed(Exception):
    """Raised where an answer does not tell; says what it does not tell, and what to write."""


def records_path(answer: Any) -> str:
    """Where the records are, as `records` of an input port says it; empty if the answer is their list. Raises NotGuessed."""
    if _are_records(answer):
        return ""
    lists = [(path, records) for path, records in _values(answer) if _are_records(records)]
    if not lists:
        raise NotGuessed("its answer has no list of objects; say where it is with --set records=PATH, such as result.items")
    # The list itself rather than one within something beside it, and the longer one of two.
    return ".".join(min(lists, key=lambda place: (len(place[0]), -len(place[1])))[0])


def paging(answer: Any, records: str, linked: bool) -> tuple[dict[str, Any], Guess]:
    """How one page leads to the next: the fields of an input port. Raises NotGuessed where the answer tells of more pages and not how."""
    if linked:
        return {"pagination": "link-header"}, Guess("link-header", "high", "the headers of an answer link to the next page")
    number, beside = len(_at(answer, records)), list(_beside(answer))
    for path, value in beside:
        if any(_NEXT.fullmatch(part) for part in path) and value not in (False, ""):
            return _by_next(".".join(path), value)
    for path, value in beside:
        least = 1 if "page" in path[-1].lower() else number
        if _ALL.fullmatch(path[-1]) and isinstance(value, int) and value > least:
            raise NotGuessed(
                f"{'.'.join(path)} is {value:,}, so there are more pages than the one with {number:,} records, and the answer does not "
                "say how they are asked for; say so with --set pagination=page-number or offset, and --set 'page_options={…}'"
            )
    reason = f"{number:,} records in one answer that tells of no other page"
    if number >= 10 and (number % 10 == 0 or number % 25 == 0):
        return {"pagination": "none"}, Guess("none", "low", f"{reason}, a round number: look whether it is all")
    return {"pagination": "none"}, Guess("none", "medium", reason)


def _by_next(where: str, value: Any) -> tuple[dict[str, Any], Guess]:
    link = {"pagination": "next-link", "page_options": {"next_url_path": where}}
    if value is None:
        return link, Guess("next-link", "low", f"{where} is empty, so it is probably the address of the next page")
    if isinstance(value, str) and value.startswith(("http", "/")):
        return link, Guess("next-link", "high", f"{where} is the address of the next page")
    options = f"{{cursor_path: {where}, cursor_param: NAME}}"
    raise NotGuessed(
        f"{where} leads to a next page, and the answer does not say how it is asked for; say so with "
        f"--set pagination=cursor --set 'page_options={options}', where NAME is the parameter that takes it"
    )


def _beside(answer: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The plain values of the answer that are no part of its records."""
    for path, value in _values(answer):
        if not isinstance(value, Mapping | list):
            yield path, value


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(record, Mapping) for record in value)


def _at(answer: Any, records: str) -> Sequence[Any]:
    records_there = next((value for path, value in _values(answer) if ".".join(path) == records), None) if records else answer
    if not isinstance(records_there, list) or not _are_records(records_there):
        raise NotGuessed(f"{records or 'its answer'} is no list of objects with any in it (records)")
    return records_there


def _values(answer: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What is under each path of plain names, the shallow ones first; what is within lists is records."""
    if not isinstance(answer, Mapping) or len(above) == _DEPTH:
        return
    plain = {name: value for name, value in answer.items() if _PLAIN.fullmatch(name)}
    yield from (((*above, name), value) for name, value in plain.items())
    for name, value in plain.items():
        yield from _values(value, (*above, name))
