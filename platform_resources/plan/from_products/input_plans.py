"""Plans of a product's input ports, with the checks that follow from the upstream product's contract."""

from collections.abc import Iterator

from platform_resources.access.agreement_problems import is_sound
from platform_resources.access.views import DataSetViews
from platform_resources.capabilities.protocols import NotPulled
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import CheckPlan, SourceLine
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.planned_access import offers_of, planned_views
from platform_resources.plan.from_products.ports import Resolved, resolved_port
from platform_resources.plan.port_plans import InputPlan, Upstream
from platform_resources.plan.shared_sources import pull_of
from platform_resources.spec.components import InputPort
from platform_resources.spec.product import Declared, Product, former_names


def input_plan(mesh: Mesh, product: Product, port: Declared[InputPort]) -> InputPlan:
    """The plan of one input port."""
    interface = mesh.registry.input_interfaces()[port.variant]
    pull = pull_of(mesh, product.domain, port)
    resolved = resolved_port(mesh, port)
    upstream = _upstream(mesh, resolved) if isinstance(resolved, Resolved) else None
    source = None if upstream or isinstance(pull, NotPulled) else conventions.source_key(product.name, port.name)
    key = conventions.input_key(product.name, port.name)
    return InputPlan(
        name=port.name,
        title=port.title,
        description=port.config.description,
        key=key,
        interface=port.variant,
        kind=interface.kind,
        pull=pull,
        upstream=upstream,
        source=source,
        dependencies=_input_dependencies(upstream, source),
        serve_last_good=port.config.on_failure == "serve-last-good",
        max_staleness=port.config.max_staleness,
        columns=port.config.columns,
        checks=() if isinstance(pull, NotPulled) else tuple(_input_checks(port, key, upstream)),
        place=SourceLine.of(port.origin),
        set_aside=port.config.bad_rows == "quarantine",
        former_names=former_names(port),
    )


def _input_dependencies(upstream: Upstream | None, source: conventions.Key | None) -> tuple[conventions.Key, ...]:
    if upstream is not None:
        return (conventions.output_key(upstream.product, upstream.port),)
    return (source,) if source is not None else ()


def _upstream(mesh: Mesh, resolved: Resolved) -> Upstream:
    """An upstream whose version has left the range promises columns of versions that are not read."""
    columns = resolved.columns if resolved.version is not None and resolved.version in resolved.wanted else ()
    offers, views = None, DataSetViews()
    if resolved.source is not None and is_sound(resolved.source[0]):
        product, data_set = resolved.source
        offers, views = offers_of(mesh, product), planned_views(product, data_set)
    return Upstream(
        resolved.product,
        resolved.domain,
        resolved.port,
        str(resolved.wanted),
        columns,
        offers,
        views,
        resolved.domain_access,
        resolved.role,
        resolved.former_products,
    )


def _input_checks(port: Declared[InputPort], key: conventions.Key, upstream: Upstream | None) -> Iterator[CheckPlan]:
    fails = port.config.on_failure == "fail"

    def check(name: str, title: str, description: str) -> CheckPlan:
        severity = "error" if fails else "warning"
        return CheckPlan(name, key, "input", title, description, False, severity, SourceLine.of(port.origin))  # type: ignore[arg-type]

    yield check(
        "arrived", f"Input {port.title} arrived", "The input could be read in the last refresh; otherwise the last good one is served."
    )
    if port.config.max_staleness is not None:
        yield check("fresh", f"Input {port.title} is fresh", "The data is not older than the input port's max_staleness.")
    if upstream is not None and upstream.columns:
        yield check(
            "contract", f"Input {port.title} keeps its contract", "The version has every column that the upstream promised, with its type."
        )
    elif port.config.columns:
        promised = "The source delivers every column that the input port names, of its type, and filled unless it is nullable."
        yield check("contract", f"Input {port.title} keeps its contract", promised)
