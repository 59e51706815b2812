"""Check agreements, and what products of other domains receive without one."""

from collections.abc import Iterator

from platform_resources.access.agreement_problems import problems_of
from platform_resources.access.views import open_use
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.ports import Resolved, resolved_port
from platform_resources.spec.problems import Problem
from platform_resources.spec.product import Product, runs


def agreements_make_sense(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """The roles and grants of every agreement can be kept."""
    for agreement in product.agreements:
        for property_name, message, hint in problems_of(product, agreement):
            yield agreement.origin.problem(property_name, message, hint)
        for granted in agreement.config.grants:
            kind, _, name = granted.to.partition(":")
            renamed = mesh.by_former_name.get(name) if kind == "product" and name not in mesh.by_name else None
            if renamed is not None:
                message = (
                    f"{renamed.name} of domain {renamed.domain} says that it was called {name}, so it has the grant of {granted.to} now"
                )
                hint = f"write product:{renamed.name} if it is to have it, else take the grant away"
                yield agreement.origin.problem("grants", message, hint, warning=True)


def inputs_are_delivered(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Another domain's port without an agreement delivers public and internal columns only; what it keeps back is a warning."""
    for port in product.input_ports:
        resolved = resolved_port(mesh, port)
        if not isinstance(resolved, Resolved) or resolved.source is None or not runs(product):
            continue
        upstream, data_set = resolved.source
        if upstream.agreements or (upstream.domain == product.domain and upstream.info.domain_access) or upstream.name == product.name:
            continue
        kept_back = [f"{column.name} ({column.classification})" for column in data_set.columns if open_use(column) is None]
        if kept_back or not data_set.columns:
            what = f"does not get {', '.join(kept_back)}" if kept_back else "gets nothing of a data set that names no columns"
            message = f"{upstream.name} has no agreement, so domain {product.domain} {what}"
            hint = f"classify its columns in {upstream.file}, such as classification: internal, or write an agreement there"
            yield port.origin.problem("associated_output_port", message, hint, warning=True)
