"""The distinct views of a data set: what roles see of it, each as a query that a warehouse can write."""

import hashlib
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from platform_resources.access.row_filters import row_filter
from platform_resources.capabilities.registry import installed_registry
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.spec.agreements import CLEAR, LEFT_OUT, AgreementRole, MaskUse
from platform_resources.spec.components import Column, DataSet
from platform_resources.spec.data_classes import DataClass
from platform_resources.spec.values.column_names import folded_column

# A role may have so many combinations of attributes: each is a file of its own.
MOST_COMBINATIONS = 50
# An attribute of a reader and its value, in the order of their names.
Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One column as a view shows it: `how` is `clear` or the mask, `sql` the expression, `key` the name of the secret key it needs."""

    name: str
    how: str
    sql: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What some roles see of a data set. Roles that see the same share one, which is found by its name."""

    columns: tuple[ViewColumn, ...]
    rows: str = ""

    @property
    def name(self) -> str:
        """A digest that changes whenever the view shows something else, and reveals none of it."""
        return f"view_{hashlib.sha256(repr((self.columns, self.rows)).encode()).hexdigest()[:12]}"

    @property
    def keys(self) -> frozenset[str]:
        """The names of the secret keys that it takes to write it."""
        return frozenset(column.key for column in self.columns if column.key)

    def without(self, columns: Collection[str]) -> "View | None":
        """The view without these columns; None where nothing is left."""
        left = tuple(column for column in self.columns if column.name not in columns)
        return (self if len(left) == len(self.columns) else View(left, self.rows)) if left else None

    def shows_all_of(self, columns: Iterable[str]) -> bool:
        """Whether it shows every row, and these columns, all in the clear."""
        clear = {folded_column(column.name) for column in self.columns if column.how == CLEAR}
        return not self.rows and len(clear) == len(self.columns) and all(folded_column(name) in clear for name in columns)

    def tells_apart(self, column: str) -> bool:
        """Whether nulls and different values of this column are such here too: in the clear, and under a key."""
        kept = {folded_column(shown.name) for shown in self.columns if shown.how == CLEAR or shown.key}
        return folded_column(column) in kept

    def tells(self, column: str) -> bool:
        """Whether it shows every value of this column: in the clear, and of every row."""
        clear = {folded_column(shown.name) for shown in self.columns if shown.how == CLEAR}
        return not self.rows and folded_column(column) in clear


@dataclass(frozen=True, slots=True)
class RoleView:
    """What one role sees of a data set, with these attributes; `view` is None where it is nothing."""

    role: str
    attributes: Attributes
    view: View | None


@dataclass(frozen=True, slots=True)
class DataSetViews:
    """All views of a data set. `open` is what readers get where the product has no agreement; None where that is nothing."""

    open: View | None = None
    roles: tuple[RoleView, ...] = ()

    @property
    def distinct(self) -> tuple[View, ...]:
        """Each view once, by name."""
        views = (self.open, *(role.view for role in self.roles))
        return tuple(sorted({view for view in views if view is not None}, key=lambda view: view.name))

    def seen_by(self, view: View) -> str:
        """Who has the view, for people."""
        roles = (
            f"role {role.role}{''.join(f' {name}={value}' for name, value in role.attributes)}" for role in self.roles if role.view == view
        )
        return ", ".join(roles) or "others without an agreement"

    def of_role(self, role: str, attributes: Attributes) -> View | None:
        """What the role sees; nothing where it is not known with these attributes."""
        return next((granted.view for granted in self.roles if granted.role == role and granted.attributes == attributes), None)

    def as_one(self, role: str, agreed: bool) -> tuple[View | None, str]:
        """What all readers of one place see together, as this role, or as others where nothing is agreed; or why nobody can say."""
        if not agreed:
            return (self.open, "there is no agreement, and so no role") if role else (self.open, "")
        known = dict.fromkeys(granted.role for granted in self.roles)
        if role not in known:
            return None, f"role has to be one of the agreement: {', '.join(known) or 'it has none'}"
        views = [granted.view for granted in self.roles if granted.role == role]
        return (views[0], "") if len(views) == 1 else (None, f"what {role} sees depends on attributes of each reader")


@dataclass(frozen=True, slots=True)
class KeyedRole:
    """A role of an agreement, and the name of the agreement's own key: `<product>.<agreement>`."""

    role: AgreementRole
    agreement: str


# The roles of a product's agreements, whether it has any, and its name.
Offer = tuple[Sequence[KeyedRole], bool, str]


def views_of(data_set: DataSet, roles: Sequence[KeyedRole], agreed: bool, product: str = "") -> DataSetViews:
    """All views of a data set. Without an agreement readers get of every row what the classes of its columns give to others."""
    if not agreed:
        return DataSetViews(_view(_seen(column, use, product) for column in data_set.columns if (use := open_use(column)) is not None))
    return DataSetViews(None, tuple(view for role in roles for view in _views_of_role(data_set, role)))


def restricted_views(data_set: DataSet, views: DataSetViews, inherited: Mapping[str, DataClass], offer: Offer) -> DataSetViews:
    """The views without columns that would be masked or left out if each column had the class of what it is made from.

    A column that a role is given by its name stays: that was decided. Roles that share a view share what it leaves out.
    """
    columns = tuple(column.inheriting(inherited.get(column.name)) for column in data_set.columns)
    strict = views_of(data_set.model_copy(update={"columns": columns}), *offer)
    pairs = [(views.open, strict.open), *((role.view, strict.of_role(role.role, role.attributes)) for role in views.roles)]
    left_out: dict[str, set[str]] = {}
    for planned, allowed in pairs:
        if planned is not None:
            shown = frozenset(allowed.columns) if allowed is not None else frozenset()
            left_out.setdefault(planned.name, set()).update(column.name for column in planned.columns if column not in shown)

    def left(view: View | None) -> View | None:
        return view.without(left_out[view.name]) if view is not None else None

    return DataSetViews(left(views.open), tuple(replace(role, view=left(role.view)) for role in views.roles))


def combinations(role: AgreementRole) -> tuple[Attributes, ...]:
    """Every combination of the values that the role's attributes may have."""
    names = sorted(role.attributes)
    values = itertools.product(*(dict.fromkeys(role.attributes[name]) for name in names))
    return tuple(tuple(zip(names, chosen, strict=True)) for chosen in values)


def mask_problem(use: MaskUse, kind: str) -> str:
    """Why this mask cannot be used on a column of this type; empty if it can."""
    masks = installed_registry().masks()
    mask = masks.get(use.mask)
    if mask is None:
        return f'unknown mask "{use.mask}"; known: {", ".join(masks)}'
    try:
        settings = mask.config.model_validate(dict(use.settings))
    except ValidationError as error:
        first = error.errors()[0]
        return f"mask {use.mask}: {'.'.join(map(str, first['loc'])) or 'its settings'}: {first['msg'].removeprefix('Value error, ')}"
    if not mask.takes(settings, kind):
        said = ", ".join(f"{name}: {value}" for name, value in use.settings.items())
        return f"mask {use.mask}{f' with {said}' if said else ''} does not take a column of type {kind}"
    return ""


def use_of(column: Column, role: AgreementRole) -> MaskUse | None:
    """How a role sees a column; None where it does not."""
    said = next((use for name, use in role.columns.items() if folded_column(name) == folded_column(column.name)), None)
    if said is not None:
        return None if said.mask == LEFT_OUT else said
    if column.classification in role.sees:
        return MaskUse(mask=CLEAR)
    return role.masks.get(column.classification, column.rule.mask) if column.classification in role.masked else None


def open_use(column: Column) -> MaskUse | None:
    """How others see a column where there is no agreement; None where they do not."""
    match column.rule.others:
        case "clear":
            return MaskUse(mask=CLEAR)
        case "masked":
            return column.rule.mask
        case "left-out":
            return None


def _views_of_role(data_set: DataSet, keyed: KeyedRole) -> Iterator[RoleView]:
    role = keyed.role
    shown = tuple(_seen(column, use, keyed.agreement) for column in data_set.columns if (use := use_of(column, role)) is not None)
    names = [column.name for column in data_set.columns]
    read = row_filter(role.rows, names, tuple(role.attributes)) if role.rows and shown else None
    for attributes in combinations(role):
        yield RoleView(role.role, attributes, _view(shown, read.sql(dict(attributes)) if read is not None else ""))


def _view(columns: Iterable[ViewColumn], rows: str = "") -> View | None:
    shown = tuple(columns)
    return View(shown, rows) if shown else None


def _seen(column: Column, use: MaskUse, own_key: str) -> ViewColumn:
    if use.mask == CLEAR:
        return ViewColumn(column.name, CLEAR, quoted(column.name))
    mask: Any = installed_registry().masks()[use.mask]
    key = {"": "", "mesh": "mesh", "agreement": own_key}[mask.keyed]
    sql = mask.sql(mask.config.model_validate(dict(use.settings)), quoted(column.name), column.type, key)
    return ViewColumn(column.name, use.mask, f"cast({sql} as {column.type})", key)


def attributes_of(given: Mapping[str, str]) -> Attributes:
    """The attributes in the order of their names."""
    return tuple(sorted(given.items()))
