"""What is wrong with the roles and grants of a product's agreements."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from platform_resources.access.row_filters import NotAFilter, RowFilter, fits, row_filter
from platform_resources.access.views import MOST_COMBINATIONS, combinations, mask_problem, open_use, use_of
from platform_resources.spec.agreements import CLEAR, LEFT_OUT, AgreementRole, DataSharingAgreement, GrantedRole
from platform_resources.spec.components import DataSet
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.product import Declared, Product
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.grantees import is_same

# The property of the agreement, what is wrong, and what to do.
Found = Iterator[tuple[str, str, str]]


def problems_of(product: Product, agreement: Declared[DataSharingAgreement]) -> Found:
    """Every problem of one agreement of the product."""
    data_sets = [data_set.config for data_set in product.data_sets]
    times = Counter(role.role for other in product.agreements for role in other.config.roles)
    for role in agreement.config.roles:
        if times[role.role] > 1:
            yield "roles", f"role {role.role} is described {times[role.role]} times; a role is described once in a product", ""
        yield from role_problems(role, data_sets, [data_set.title for data_set in product.data_sets])
    for granted in agreement.config.grants:
        yield from _grant(granted, agreement.config.roles)


def role_problems(role: AgreementRole, data_sets: Sequence[DataSet], titles: Sequence[str]) -> Found:
    """Every problem of one role over the data sets of its product, which have these titles."""
    yield from _columns(role, data_sets)
    yield from _masks(role, data_sets)
    yield from _rows(role, data_sets, titles)


def open_mask_problems(product: Product) -> Iterator[tuple[Declared[DataSet], int, str]]:
    """Columns that cannot be masked as their class says for others, where no agreement says something else: the data set, which, why."""
    for data_set in product.data_sets if not product.agreements else ():
        for at, column in enumerate(data_set.config.columns):
            use = open_use(column)
            problem = mask_problem(use, column.type) if use is not None and use.mask != CLEAR else ""
            if problem:
                yield data_set, at, f"class {column.classification}, column {column.name}: {problem}"


def is_sound(product: Product) -> bool:
    """Whether nothing is wrong with any agreement or default mask, so that views can be made from them."""
    agreed = (problem for agreement in product.agreements for problem in problems_of(product, agreement))
    return not any(True for _ in agreed) and not any(True for _ in open_mask_problems(product))


def _columns(role: AgreementRole, data_sets: Sequence[DataSet]) -> Found:
    known = {folded_column(column.name): column.name for data_set in data_sets for column in data_set.columns}
    for name in role.columns:
        if folded_column(name) not in known:
            message = f'role {role.role}: no column "{name}" in a data set of the product; known: {known_text(known.values())}'
            yield "roles", message, did_you_mean(name, known.values())
    times = Counter(map(folded_column, role.columns))
    twice = [name for name in role.columns if times[folded_column(name)] > 1]
    if twice:
        message = f"role {role.role}: {' and '.join(twice)} are one column; capitals make no difference to a warehouse"
        yield "roles", message, "write it once"
    for classification in role.masks:
        if classification not in role.masked:
            yield "roles", f"role {role.role}: masks has {classification}, and masked has not", f"write masked: [{classification}] too"


def _masks(role: AgreementRole, data_sets: Sequence[DataSet]) -> Found:
    for data_set in data_sets:
        for column in data_set.columns:
            use = use_of(column, role)
            problem = mask_problem(use, column.type) if use is not None and use.mask != CLEAR else ""
            if problem:
                hint = f"name another for this column: columns: {{{column.name}: redact}}, or {LEFT_OUT}"
                yield "roles", f"role {role.role}, column {column.name}: {problem}", hint


def _rows(role: AgreementRole, data_sets: Sequence[DataSet], titles: Sequence[str]) -> Found:
    empty = [name for name, values in role.attributes.items() if not values]
    if empty:
        yield "roles", f"role {role.role}: attribute {empty[0]} has no value", f"write attributes: {{{empty[0]}: [a value, another]}}"
    elif len(combinations(role)) > MOST_COMBINATIONS:
        message = f"role {role.role}: {len(combinations(role))} combinations of attributes, each a file; at most {MOST_COMBINATIONS}"
        yield "roles", message, "take values away, or give them to roles of their own"
    for data_set, title in zip(data_sets, titles, strict=True) if role.rows else ():
        if len(data_sets) > 1 and not any(use_of(column, role) is not None for column in data_set.columns):
            continue  # it sees nothing of this one
        try:
            read = row_filter(role.rows, [column.name for column in data_set.columns], tuple(role.attributes))
        except NotAFilter as error:
            about = f" of data set {title}" if len(data_sets) > 1 else ""
            yield "roles", f"role {role.role}, rows{about}: {error}", error.hint
        else:
            yield from _unfit_values(role, data_set, read)


def _unfit_values(role: AgreementRole, data_set: DataSet, read: RowFilter) -> Found:
    """Such a value would stop the publication, not only its own view."""
    kinds = {folded_column(column.name): column.type for column in data_set.columns}
    for column, attribute in dict.fromkeys(read.compared()):
        kind = kinds[folded_column(column)]
        wrong = [value for value in role.attributes[attribute] if not fits(value, kind)]
        if wrong:
            fault = f'attribute {attribute} has "{wrong[0]}", and column {column}, which it is compared with, is of type {kind}'
            yield "roles", f"role {role.role}: {fault}", "write values of that type"


def _grant(granted: GrantedRole, roles: Sequence[AgreementRole]) -> Found:
    role = next((role for role in roles if role.role == granted.role), None)
    if role is None:
        names = [role.role for role in roles]
        yield "grants", f'no role "{granted.role}" in this agreement; known: {known_text(names)}', did_you_mean(granted.role, names)
        return
    if is_same(granted.approved_by, granted.to):
        yield "grants", f"{granted.to} cannot approve a grant of its own", "approved_by is an owner of the product"
    if granted.since is not None and granted.until is not None and granted.until <= granted.since:
        yield "grants", f"the grant of {granted.to} ends on {granted.until}, before it begins on {granted.since}", ""
    yield from (("grants", message, "") for message in attribute_problems(granted.to, granted.attributes, role.attributes))


def attribute_problems(subject: str, given: Mapping[str, str], known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Problems of a grant whose attributes are not those of its role: a row filter would not know whose rows to show."""
    for name, values in known.items():
        if name not in given:
            yield f"the grant of {subject} does not say its attribute {name}; one of: {known_text(values)}"
        elif given[name] not in values:
            yield f'{name} of {subject} is "{given[name]}"; one of: {known_text(values)}'
    yield from (f"the role has no attribute {name}, which the grant of {subject} names" for name in given if name not in known)
