"""Which output port of which product an input port means."""

from dataclasses import dataclass

from platform_resources.capabilities.protocols import PullPort
from platform_resources.capabilities.registry import Registry
from platform_resources.plan import conventions
from platform_resources.plan.from_products.mesh import Mesh, UnreadableProduct
from platform_resources.spec.components import Column, DataSet, InputPort, OutputPort
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Declared, Product, retired_text
from platform_resources.spec.values.names import is_name, slug
from platform_resources.spec.values.versions import Version, VersionRange


@dataclass(frozen=True, slots=True)
class Resolved:
    """The port that an input port reads, the versions of it that it asks for, and what the upstream says of it now.

    `version` is None while the upstream cannot be read; then its columns may be unknown too.
    `domain_access` is whether it is known that products of its domain see everything. `role` is the one asked for. `source` is the
    product and data set behind the port, where both could be read. `former_products` are the names that the product once had. `ending` is
    what the port says of itself where another one takes its place.
    """

    product: str
    domain: str
    port: str
    wanted: VersionRange
    version: Version | None
    columns: tuple[Column, ...] = ()
    domain_access: bool = False
    role: str = ""
    source: tuple[Product, DataSet] | None = None
    former_products: tuple[str, ...] = ()
    ending: OutputPort | None = None


def wanted(mesh: Mesh, port: Declared[InputPort]) -> PullPort | None:
    """What a data-product input port asks for; None for an input from outside the mesh."""
    pull = mesh.registry.input_interfaces()[port.variant].pull(port.settings)
    return pull if isinstance(pull, PullPort) else None


def upstream_products(mesh: Mesh, product: Product) -> tuple[str, ...]:
    """Names of the products that this one reads from, each once."""
    resolved = (resolved_port(mesh, port) for port in product.input_ports)
    return tuple(dict.fromkeys(r.product for r in resolved if isinstance(r, Resolved)))


def resolved_port(mesh: Mesh, port: Declared[InputPort]) -> Resolved | Problem | None:
    """The port meant, or the problem with it; None for an input from outside."""
    pull = wanted(mesh, port)
    if pull is None:
        return None
    titled = mesh.ports_by_title.get(pull.port, ())
    if len(titled) == 1:
        return _resolved(mesh, pull, *titled[0])
    if titled:
        candidates = known_text(f"{product.name}.{target.name}" for product, target in titled)
        return port.origin.problem(
            "associated_output_port", f'{len(titled)} output ports are called "{pull.port}"; write one of {candidates}'
        )
    product_name, dot, port_name = pull.port.partition(".")
    if not dot:
        return _not_found(mesh, port, pull.port)
    product = mesh.by_name.get(product_name) or mesh.by_former_name.get(product_name)
    if product is None:
        unreadable = next((u for u in mesh.unreadable if u.name == product_name), None)
        return _not_found(mesh, port, pull.port) if unreadable is None else _of_unreadable(mesh, pull, unreadable, port_name)
    target = product.output_port(port_name) or product.renamed_port(port_name)
    if target is None:
        ports = [p.name for p in product.output_ports]
        message = f'{product_name} has no output port "{port_name}"; it has: {known_text(ports)}'
        return port.origin.problem("associated_output_port", message, did_you_mean(port_name, ports))
    if is_elsewhere(mesh.registry, target):
        message = f"{product_name}.{target.name} is a {target.variant}, which the platform does not run: it gives no rows to an input"
        others = [p.name for p in product.output_ports if not is_elsewhere(mesh.registry, p)]
        return port.origin.problem("associated_output_port", message, f"it has, with rows: {known_text(others)}")
    return _resolved(mesh, pull, product, target)


def _resolved(mesh: Mesh, pull: PullPort, product: Product, target: Declared[OutputPort]) -> Resolved:
    """An unreadable product is known by its folder, and its version only if its `data-product` could be read."""
    unreadable = next((u for u in mesh.unreadable if u.file == product.file), None)
    name, domain = (product.name, product.domain) if unreadable is None else (unreadable.name, unreadable.domain)
    written = target.config.version or (product.info.version if unreadable is None or "data-product" not in unreadable.broken else None)
    version = Version.parse(written) if written is not None else None
    data_set = product.data_set(target.config.data_set)
    columns = data_set.config.columns if data_set is not None else ()
    source = (product, data_set.config) if data_set is not None and _tells_access(unreadable) else None
    domain_access = (unreadable is None or "data-product" not in unreadable.broken) and product.info.domain_access
    asked = VersionRange.parse(pull.version)
    former, config = product.info.renamed_from or (), target.config
    return Resolved(
        name, domain, target.name, asked, version, columns, domain_access, pull.role, source, former, config if config.is_ending else None
    )


def _tells_access(unreadable: UnreadableProduct | None) -> bool:
    """Whether all could be read that says who may see what."""
    return unreadable is None or not unreadable.broken & {"data-product", "data-set", "data-sharing-agreement", "domain"}


def _of_unreadable(mesh: Mesh, pull: PullPort, unreadable: UnreadableProduct, port_name: str) -> Resolved:
    """A mistake in the upstream's document must not cut its consumers off from what it has published."""
    partial = unreadable.partial
    target = partial.output_port(port_name) if partial is not None else None
    if partial is not None and target is not None:
        return _resolved(mesh, pull, partial, target)
    name = port_name if is_name(port_name) else slug(port_name)
    return Resolved(unreadable.name, unreadable.domain, name, VersionRange.parse(pull.version), None)


def _not_found(mesh: Mesh, port: Declared[InputPort], wanted_port: str) -> Problem:
    known = [f"{p.name}.{o.name}" for p in mesh.products for o in p.output_ports]
    message = f'no output port "{wanted_port}" in the mesh; write <product>.<output port>'
    return port.origin.problem("associated_output_port", message, did_you_mean(wanted_port, known))


def former_name_problem(mesh: Mesh, port: Declared[InputPort], resolved: Resolved) -> Problem | None:
    """A warning if the port is named by a former name of it or of its product."""
    pull = wanted(mesh, port)
    product_name, dot, port_name = pull.port.partition(".") if pull is not None else ("", "", "")
    if not dot or pull is None or pull.port in mesh.ports_by_title:
        return None
    product = mesh.by_name.get(product_name)
    known = product is not None and product.output_port(port_name) is not None
    if known or (product is None and product_name not in mesh.by_former_name):
        return None
    now = f"{resolved.product}.{resolved.port}"
    return port.origin.problem(
        "associated_output_port", f"{pull.port} is called {now} now, and is read as that", f"write {now}", warning=True
    )


def ending_problem(port: Declared[InputPort], resolved: Resolved) -> Problem | None:
    """The warning where another port takes the place of the one that is read."""
    if resolved.ending is None:
        return None
    until = f" on {resolved.ending.end_date}" if resolved.ending.end_date is not None else ""
    hint = (
        f"write {resolved.product}.{resolved.ending.replacement}, and its version" if resolved.ending.replacement else "read another port"
    )
    return port.origin.problem("associated_output_port", f"{resolved.product}.{resolved.port} ends{until}", hint, warning=True)


def retired_problem(mesh: Mesh, port: Declared[InputPort], resolved: Resolved) -> Problem | None:
    """The warning where the product that is read is retired. Its reader goes on as long as there is something to read."""
    upstream = mesh.by_name.get(resolved.product)
    if upstream is None or not (text := retired_text(upstream.info)):
        return None
    instead = upstream.info.replacement
    hint = f"read an output port of {instead}, or take this input port away" if instead else "take this input port away"
    return port.origin.problem("associated_output_port", f"{resolved.product} {text}", hint, warning=True)


def version_problem(port: Declared[InputPort], resolved: Resolved) -> Problem | None:
    """The problem when the upstream's declared version is outside the range asked for.

    Versions only go up. Where the upstream has not come to the range yet, nothing can be read; where it has left it, the versions
    published before are kept for exactly this reader.
    """
    version = resolved.version
    if version is None or version in resolved.wanted:
        return None
    hint = f'"^{version.major or version}" would take it'
    has_own = resolved.ending is not None and resolved.ending.version is not None
    source = f"{resolved.product}.{resolved.port}" if has_own else resolved.product
    if version < resolved.wanted.lowest or resolved.wanted.is_empty:
        message = f'no version of {source} satisfies "{resolved.wanted}"; it is at {version}'
        return port.origin.problem("version", message, hint)
    wanted = f'"{resolved.wanted}"'
    message = f"{source} is at {version}, above {wanted}; its newest published version within {wanted} goes on being read"
    return port.origin.problem("version", message, hint, warning=True)


def is_elsewhere(registry: Registry, port: Declared[OutputPort]) -> bool:
    """Whether the product's team runs what the port is, and the platform only watches it."""
    return registry.output_interfaces()[port.variant].store(port.settings).is_elsewhere


def port_key(registry: Registry, product: Product, port: Declared[OutputPort]) -> conventions.Key:
    """The key of the port's asset."""
    return (conventions.consumer_key if is_elsewhere(registry, port) else conventions.output_key)(product.name, port.name)
