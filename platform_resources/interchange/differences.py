"""What turns one piece of plain data into another: found, kept as plain data, and applied again later without undoing newer edits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_NOTHING = object()
# The fields that tell the items of a list apart, the first one that an item has.
_NAMING = ("name", "property", "role", "username", "channel", "server", "synonym", "metric", "id")
Change = Mapping[str, Any]


def difference(before: Any, after: Any, at: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """The changes that make `after` of `before`.

    A change has `at`, the way to its place; `value` unless something is taken away there; `instead_of`, what was there before; or `order`,
    in which the items of a list come. Items of lists are known by their names, so that a change still finds its item after others came.
    """
    if same(before, after):
        return
    old, new = _by_key(before), _by_key(after)
    if old is None or new is None or isinstance(before, list) != isinstance(after, list):
        yield {"at": list(at), "value": after, "instead_of": before}
        return
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in new:
            yield {"at": [*at, key], "instead_of": old[key]}
        elif key not in old:
            yield {"at": [*at, key], "value": new[key]}
        else:
            yield from difference(old[key], new[key], (*at, key))
    if isinstance(after, list) and [key for key in old if key in new] + [key for key in new if key not in old] != list(new):
        yield {"at": list(at), "order": list(new)}


def applied(data: Any, changes: Sequence[Change]) -> Any:
    """The data with the changes. One whose place has gone, or no longer holds what it was to replace, is left out: what is newer holds."""
    return _applied(data, [(tuple(change["at"]), change) for change in changes])


def same(one: Any, other: Any) -> bool:
    """Whether two pieces of data are equal and of the same kinds: 1 is neither true nor 1.0."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def _applied(data: Any, changes: Sequence[tuple[tuple[str, ...], Change]]) -> Any:
    items = _by_key(data)
    if items is None or not changes:
        return data
    below: dict[str, list[tuple[tuple[str, ...], Change]]] = {}
    for at, change in changes:
        if at:
            below.setdefault(at[0], []).append((at[1:], change))
    for key, inner in below.items():
        for change in (change for at, change in inner if not at and "order" not in change):
            _put(items, key, change)
        if key in items:
            items[key] = _applied(items[key], [(at, change) for at, change in inner if at or "order" in change])
    if not isinstance(data, list):
        return items
    order = next((change["order"] for at, change in changes if not at and "order" in change), ())
    place = {key: number for number, key in enumerate(order)}
    return [items[key] for key in sorted(items, key=lambda key: place.get(key, len(place)))]


def _put(items: dict[str, Any], key: str, change: Change) -> None:
    if not same(items.get(key, _NOTHING), change.get("instead_of", _NOTHING)):
        return
    if "value" in change:
        items[key] = change["value"]
    else:
        del items[key]


def _by_key(data: Any) -> dict[str, Any] | None:
    """A mapping's items, or a list's by the names of its items; None for anything that has to be replaced as a whole."""
    if isinstance(data, Mapping):
        return dict(data)
    if not isinstance(data, list):
        return None
    items: dict[str, Any] = {}
    for item in data:
        name = _named(item)
        if name is None:
            return None
        number = 1
        while (key := name if number == 1 else f"{name}#{number}") in items:
            number += 1
        items[key] = item
    return items


def _named(item: Any) -> str | None:
    if not isinstance(item, Mapping):
        return None
    if "properties" in item and "type" in item:
        once = item["type"] in ("domain", "data-product")
        return str(item["type"]) if once else f"{item['type']}/{item.get('name')}"
    return next((item[field] for field in _NAMING if isinstance(item.get(field), str)), None)
