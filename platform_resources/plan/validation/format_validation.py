"""Check that file formats of output ports can represent the promised column types."""

from collections.abc import Iterator

from platform_resources.capabilities.support.file_formats import held_formats, holds
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.spec.problems import Problem
from platform_resources.spec.product import Product


def formats_hold(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """The file format of an output port can represent every promised type."""
    for port in product.output_ports:
        data_set = product.data_set(port.config.data_set)
        if data_set is None:
            continue
        file_format = mesh.registry.output_interfaces()[port.variant].store(port.settings).format
        unheld = [column for column in data_set.config.columns if not holds(file_format, column.type)]
        if unheld:
            listed = ", ".join(f"{column.name} ({column.type})" for column in unheld)
            others = " or ".join(held_formats(column.type for column in unheld))
            message = f"a {file_format} file cannot hold {listed} of data set {data_set.title}"
            yield port.origin.problem("format", message, f"write format: {others}, or promise the column as varchar")
