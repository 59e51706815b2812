"""How an input port reads a source that its domain shares: the source's fields with the port's own."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from platform_resources.capabilities.protocols import Pull, PullRows, PullShared, Replayer
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.settings import STORE
from platform_resources.spec.components import InputPort
from platform_resources.spec.domain_document import SharedSource
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Declared
from platform_resources.spec.values.written_values import plain_values


class NotShared(Exception):
    """Raised where no source is meant, or not as it can be read; carries what is wrong, and what to do."""

    def __init__(self, message: str, hint: str = "", missing: bool = False) -> None:
        super().__init__(message)
        self.hint, self.missing = hint, missing


def pull_of(mesh: Mesh, domain: str, port: Declared[InputPort]) -> Pull:
    """How the port is pulled. Raises NotShared."""
    pull = mesh.registry.input_interfaces()[port.variant].pull(port.settings)
    if not isinstance(pull, PullShared):
        return pull
    sources = mesh.domain(domain).sources
    source = sources.get(pull.source)
    if source is None:
        raise NotShared(
            f'no source "{pull.source}" in domain.yaml of {domain}; known: {known_text(sources)}', did_you_mean(pull.source, sources)
        )
    rows = _rows(mesh, source, pull.fields)
    if mesh.on_several_machines and isinstance(rows.reader, Replayer) and rows.reader.replays:
        raise NotShared(
            f'"{pull.source}" is read on from where the last pull ended, and {STORE.name} has each machine pull for itself: what the '
            "source no longer has would be in some versions and missing in others",
            f"write interface: {source.interface} at this input port, which goes on from where its product's last refresh ended on any "
            "machine; or have one product read the source, and others that product",
        )
    return replace(pull, domain=domain, interface=source.interface, rows=rows, every=source.every)


def _rows(mesh: Mesh, source: SharedSource, fields: Mapping[str, Any]) -> PullRows:
    interfaces = mesh.registry.input_interfaces()
    if source.interface not in interfaces:
        raise NotShared(
            f'unknown interface "{source.interface}"; known: {known_text(interfaces)}', did_you_mean(source.interface, interfaces)
        )
    interface = interfaces[source.interface]
    try:
        pull = interface.pull(interface.config.model_validate({**plain_values(dict(source.model_extra or {})), **fields}))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        said = "; ".join(f"{'.'.join(map(str, fault['loc']))} {fault['msg'].removeprefix('Value error, ')}".strip() for fault in faults)
        missing = all(fault["type"] == "missing" or not fault["loc"] for fault in faults)
        raise NotShared(f"the source and the port together are no input by {source.interface}: {said}", missing=missing) from error
    if not isinstance(pull, PullRows):
        raise NotShared(f"a source with interface: {source.interface} is not shared", "write the interface at each input port")
    return pull


def sources_are_shared(mesh: Mesh, domain: str) -> Iterator[Problem]:
    """Every problem of the sources that a domain declares; what their ports have to add may be missing."""
    reading = mesh.domains[domain]
    for name, source in reading.domain.sources.items() if reading.document is not None else ():
        try:
            _rows(mesh, source, {})
        except NotShared as error:
            if not error.missing and reading.document is not None:
                message = str(error).replace("the source and the port together are", "this is")
                yield reading.document.problem(("sources", name), message, error.hint)
