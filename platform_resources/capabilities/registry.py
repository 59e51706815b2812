"""Which capabilities there are: every module of the capability folders, and every installed entry point."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from inspect import isfunction
from types import MappingProxyType, MethodType
from typing import Any, get_args

from platform_resources.capabilities.protocols import (
    Capability,
    ComponentCapability,
    Dimension,
    Export,
    InputInterface,
    MeasuredBy,
    OutputInterface,
    Policy,
    Traits,
    ValueMask,
    WhatFails,
)
from platform_resources.capabilities.score_facts import LETTERS, Criterion

ENTRY_POINTS = "platform_resources.capabilities"
KINDS = ("components", "input_ports", "output_ports", "dimensions", "policies", "masks", "exports", "criteria")
_VARIANTS = {"input-port": "input_ports", "output-port": "output_ports", "service-level-asset": "dimensions"}
_OFFERED = {
    "components": ("variant_field", "inferred_variant"),
    "input_ports": ("kind", "pull"),
    "output_ports": ("kind", "store"),
    "dimensions": ("measured_by", "columns_used", "problems", "measures", "judge"),
    "policies": ("breaches",),
    "masks": ("keyed", "takes", "sql"),
    "exports": ("media_type", "ending", "text", "imported"),
    "criteria": ("letter", "points", "effort", "raised_by", "finding"),
}


_TRAITS = tuple(name for name in vars(Traits) if not name.startswith("_"))


class CapabilityInvalid(Exception):
    """Raised when an installed capability cannot be loaded or takes a name that is taken; says which and by whom."""


@dataclass(frozen=True, slots=True)
class Registry:
    """All capabilities by kind and name; also the vocabulary that documents are read with."""

    by_kind: Mapping[str, Mapping[str, Any]]

    def component_types(self) -> Mapping[str, ComponentCapability]:
        """The types of components, by name."""
        return self.by_kind["components"]

    def input_interfaces(self) -> Mapping[str, InputInterface]:
        """The interfaces of input ports, by name."""
        return self.by_kind["input_ports"]

    def output_interfaces(self) -> Mapping[str, OutputInterface]:
        """The interfaces of output ports, by name."""
        return self.by_kind["output_ports"]

    def dimensions(self) -> Mapping[str, Dimension]:
        """The dimensions of objectives, by name."""
        return self.by_kind["dimensions"]

    def policies(self) -> Mapping[str, Policy]:
        """The policies, by name."""
        return self.by_kind["policies"]

    def masks(self) -> Mapping[str, ValueMask]:
        """The masks of values, by name."""
        return self.by_kind["masks"]

    def exports(self) -> Mapping[str, Export]:
        """The formats of exports, by name."""
        return self.by_kind["exports"]

    def criteria(self) -> Mapping[str, Criterion]:
        """The criteria of scores, by name."""
        return self.by_kind["criteria"]

    def variants(self, component_type: str) -> Mapping[str, Any]:
        """The interfaces or dimensions of a component type; empty for a type without variants."""
        kind = _VARIANTS.get(component_type)
        return self.by_kind[kind] if kind else {}


class _Gone(Traits):
    """A dimension whose package is not installed any more: nothing is known of it."""


def traits_of(dimension: str) -> Traits:
    """What the installed dimension of this name says of itself; the defaults where there is none."""
    return installed_registry().dimensions().get(dimension, _Gone())


@cache
def installed_registry() -> Registry:
    """The registry of this environment: built-in files first, then entry points. Raises CapabilityInvalid."""
    by_kind: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for kind, capability, source in (*_built_in(), *_third_party()):
        if capability.name in by_kind[kind]:
            raise CapabilityInvalid(f'{source} adds {kind} "{capability.name}", which exists already; give it another name')
        by_kind[kind][capability.name] = capability
    return Registry(MappingProxyType({kind: MappingProxyType(dict(sorted(names.items()))) for kind, names in by_kind.items()}))


def _built_in() -> Iterator[tuple[str, Capability, str]]:
    for kind in KINDS:
        package = importlib.import_module(f"platform_resources.capabilities.{kind}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            imported = importlib.import_module(module.name)
            for capability in imported.CAPABILITIES if kind == "criteria" else (imported.CAPABILITY,):
                yield kind, capability, module.name


def _third_party() -> Iterator[tuple[str, Capability, str]]:
    """Entry points are named `<kind>.<anything>`, such as `dimensions.weather`, and point at a capability object."""
    for entry in entry_points(group=ENTRY_POINTS):
        kind = entry.name.partition(".")[0]
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "a package"
        source = f"{package} ({entry.name} = {entry.value})"
        if kind not in KINDS:
            raise CapabilityInvalid(
                f'{source} is of an unknown kind "{kind}"; its name must begin with one of {", ".join(KINDS)}, and a point'
            )
        try:
            capability = entry.load()
        except Exception as error:
            raise CapabilityInvalid(f"{source} could not be loaded: {type(error).__name__}: {error}") from error
        missing = [attribute for attribute in ("name", "config", "example", *_OFFERED[kind]) if not hasattr(capability, attribute)]
        if missing:
            raise CapabilityInvalid(f"{source} lacks {', '.join(missing)}")
        if kind == "dimensions" and capability.measured_by not in get_args(MeasuredBy):
            raise CapabilityInvalid(
                f'{source} has measured_by = "{capability.measured_by}"; it must be one of {", ".join(get_args(MeasuredBy))}'
            )
        if kind == "criteria" and (capability.letter not in LETTERS or capability.points <= 0 or capability.effort <= 0):
            raise CapabilityInvalid(f"{source} must have a letter of {', '.join(LETTERS)}, and points and effort above 0")
        if kind == "policies":
            for attribute, value in (("level", "error"), ("needs", "documents")):
                if not hasattr(capability, attribute):
                    setattr(capability, attribute, value)
        if kind == "dimensions":
            _complete(capability, source)
        yield kind, capability, source


def _complete(dimension: Any, source: str) -> None:
    """Give a dimension that does not inherit from Traits the defaults of what it leaves out. Raises CapabilityInvalid."""
    for name, default in vars(Traits).items():
        if name in _TRAITS and not hasattr(dimension, name):
            setattr(dimension, name, MethodType(default, dimension) if isfunction(default) else default)
    if dimension.failure not in get_args(WhatFails):
        raise CapabilityInvalid(f'{source} has failure = "{dimension.failure}"; it must be one of {", ".join(get_args(WhatFails))}')
