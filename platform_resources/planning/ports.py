"""Which output port of which product an input port means."""

from dataclasses import dataclass

from platform_resources.capabilities.protocols import PullPort
from platform_resources.planning.mesh import Mesh
from platform_resources.spec.components import InputPort, OutputPort
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Declared, Product
from platform_resources.spec.versions import Version, VersionRange


@dataclass(frozen=True, slots=True)
class Resolved:
    """The product and port that an input port reads."""

    product: Product
    port: Declared[OutputPort]


def wanted(mesh: Mesh, port: Declared[InputPort]) -> PullPort | None:
    """What a data-product input port asks for; None for an input from outside the mesh."""
    pull = mesh.registry.input_interfaces()[port.variant].pull(port.settings)
    return pull if isinstance(pull, PullPort) else None


def upstream_products(mesh: Mesh, product: Product) -> tuple[str, ...]:
    """Names of the products that this one reads from, each once."""
    found = (resolved_port(mesh, port) for port in product.input_ports)
    return tuple(dict.fromkeys(r.product.name for r in found if isinstance(r, Resolved)))


def resolved_port(mesh: Mesh, port: Declared[InputPort]) -> Resolved | Problem | None:
    """The port meant, or the problem with it; None for an input from outside, or from a product that cannot be read now."""
    pull = wanted(mesh, port)
    if pull is None:
        return None
    titled = mesh.ports_by_title.get(pull.port, ())
    if len(titled) == 1:
        return Resolved(*titled[0])
    if titled:
        found = known_text(f"{product.name}.{target.name}" for product, target in titled)
        return port.origin.problem("associated_output_port", f'{len(titled)} output ports are called "{pull.port}"; write one of {found}')
    product_name, dot, port_name = pull.port.partition(".")
    if not dot:
        return _not_found(mesh, port, pull.port)
    if any(unreadable.name == product_name for unreadable in mesh.unreadable):
        return None
    product = mesh.by_name.get(product_name)
    if product is None:
        return _not_found(mesh, port, pull.port)
    target = product.output_port(port_name)
    if target is None:
        ports = [p.name for p in product.output_ports]
        message = f'{product_name} has no output port "{port_name}"; it has: {known_text(ports)}'
        return port.origin.problem("associated_output_port", message, did_you_mean(port_name, ports))
    return Resolved(product, target)


def _not_found(mesh: Mesh, port: Declared[InputPort], wanted_port: str) -> Problem:
    known = [f"{p.name}.{o.name}" for p in mesh.products for o in p.output_ports]
    message = f'no output port "{wanted_port}" in the mesh; write <product>.<output port>'
    return port.origin.problem("associated_output_port", message, did_you_mean(wanted_port, known))


def version_problem(port: Declared[InputPort], wanted_versions: str, target: Product) -> Problem | None:
    """The problem when the upstream's declared version is outside the range asked for."""
    version = Version.parse(target.info.version)
    if version in VersionRange.parse(wanted_versions):
        return None
    message = f'no version of {target.name} satisfies "{wanted_versions}"; it is at {version}'
    return port.origin.problem("version", message, f'"^{version.major or version}" would take it')
