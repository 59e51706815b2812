"""What a product offers to whom, and the views of its data sets, from its agreements."""

from platform_resources.access.grants import in_code
from platform_resources.access.reader_standing import OfferedRole, Offers
from platform_resources.access.views import DataSetViews, KeyedRole, views_of
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.planned_routes import owners_of
from platform_resources.spec.agreements import GrantedRole
from platform_resources.spec.components import DataSet
from platform_resources.spec.product import Product, retired_text


def offers_of(mesh: Mesh, product: Product) -> Offers:
    """The roles of all agreements of the product, and the grants that stand in them. A retired product gives nothing to anybody."""
    if retired := retired_text(product.info):
        return Offers(product.name, product.domain, owners_of(mesh, product), product.info.domain_access, (), retired=retired)
    roles = tuple(
        OfferedRole(
            role.role,
            agreement.title,
            agreement.config.approval,
            agreement.config.duration,
            tuple(sorted(role.attributes.items())),
            agreement.config.notice_period,
        )
        for agreement in product.agreements
        for role in agreement.config.roles
    )
    grants = tuple(
        in_code(product.name, agreement.name, number, _as_called_now(mesh, granted), agreement.config.duration)
        for agreement in product.agreements
        for number, granted in enumerate(agreement.config.grants, 1)
    )
    agreed = bool(product.agreements)
    return Offers(product.name, product.domain, owners_of(mesh, product), product.info.domain_access, roles if agreed else None, grants)


def _as_called_now(mesh: Mesh, granted: GrantedRole) -> GrantedRole:
    """A grant to a product goes on under the product's new name."""
    kind, _, name = granted.to.partition(":")
    renamed = mesh.by_former_name.get(name) if kind == "product" and name not in mesh.by_name else None
    return granted if renamed is None else granted.model_copy(update={"to": f"product:{renamed.name}"})


def planned_views(product: Product, data_set: DataSet) -> DataSetViews:
    """All views of a data set of the product. Its keys are of its first name, so that masked values stay the same when it is renamed."""
    roles = [
        KeyedRole(role, f"{product.first_name}.{agreement.name}") for agreement in product.agreements for role in agreement.config.roles
    ]
    return views_of(data_set, roles, bool(product.agreements), product.first_name)
