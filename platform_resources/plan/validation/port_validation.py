"""Check output ports that end, and what takes their place, with nobody seeing more there unasked; and those that stream changes."""

from collections.abc import Iterator, Mapping

from platform_resources.access.views import View
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.planned_access import planned_views
from platform_resources.spec.agreements import CLEAR
from platform_resources.spec.components import Column, OutputPort
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Declared, Product
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.versions import Version


def ending_ports_hold(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """An older major stands beside the port that takes its place, under a version of its own."""
    for port in product.output_ports:
        if port.config.version is not None and Version.parse(port.config.version).major >= Version.parse(product.info.version).major:
            message = f"version {port.config.version} is no older major than {product.info.version}, the product's"
            hint = "leave it out, or raise the product's version: a port has one of its own while a newer major stands beside it"
            yield port.origin.problem("version", message, hint)
        if port.config.replacement is None:
            continue
        replacement = product.output_port(port.config.replacement)
        if replacement is None or replacement is port:
            others = [other.name for other in product.output_ports if other is not port]
            what = "it names itself" if replacement is port else f'no output port "{port.config.replacement}"'
            hint = did_you_mean(port.config.replacement, others)
            yield port.origin.problem("replacement", f"{what}; other ports of the product: {known_text(others)}", hint)
        elif replacement.config.replacement is not None and product.output_port(replacement.config.replacement) is port:
            yield port.origin.problem("replacement", f"{port.name} and {replacement.name} replace each other", "name the newer one only")
        else:
            yield from _wider(product, port, replacement)


def streams_hold(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """What has changed is told by key, to readers who all see the same."""
    for port in product.output_ports:
        stream, declared = (
            mesh.registry.output_interfaces()[port.variant].store(port.settings).stream,
            product.data_set(port.config.data_set),
        )
        if stream is None or declared is None:
            continue
        view, problem = planned_views(product, declared.config).as_one(stream.role, bool(product.agreements))
        if problem:
            yield port.origin.problem("role", f"{problem}; all readers of a topic see the same", "write a role that sees what they may see")
            continue
        shown = {column.name for column in view.columns} if view is not None else set()
        hidden = [name for name in declared.config.primary_key if name not in shown]
        if hidden or not declared.config.primary_key:
            what = f"{known_text(hidden)} of its primary_key is not shown there" if hidden else f"{declared.title} has no primary_key"
            yield port.origin.problem("data_set", f"{what}, so nobody could tell which row has changed")


def _wider(product: Product, port: Declared[OutputPort], replacement: Declared[OutputPort]) -> Iterator[Problem]:
    """Roles go on as agreed: what a reader does not see in the clear of the old port it does not see so of the new one."""
    old, new = product.data_set(port.config.data_set), product.data_set(replacement.config.data_set)
    if old is None or new is None or old is new:
        return
    before, after = planned_views(product, old.config), planned_views(product, new.config)
    seen = [("whoever has no role", before.open, after.open)]
    seen += [(f"role {role.role}", before.of_role(role.role, role.attributes), role.view) for role in after.roles]
    called = {folded_column(column.name): column for column in old.config.columns}
    for column in (column_there for column_there in new.config.columns if column_there.declassified is None):
        former = next((name for name in _names(column) if name in called), None)
        who = [
            reader for reader, was, now in seen if former and _clear(now).get(folded_column(column.name)) and not _clear(was).get(former)
        ]
        if former and who:
            readers = ", ".join(dict.fromkeys(who))
            message = (
                f"{readers} would see {column.name} of {new.title} in the clear, and does not see {called[former].name} of {old.title} so"
            )
            hint = f"classify it as {called[former].classification}, as there, or say under declassified why it may be seen"
            yield replacement.origin.problem("data_set", message, hint)


def _names(column: Column) -> tuple[str, ...]:
    return tuple(map(folded_column, (column.name, *(column.renamed_from or ()))))


def _clear(view: View | None) -> Mapping[str, bool]:
    return {folded_column(column.name): column.how == CLEAR for column in view.columns} if view is not None else {}
