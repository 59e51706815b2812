"""Export a product as a document of another standard or tool."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from platform_resources.capabilities.protocols import Export, Exported
from platform_resources.capabilities.registry import installed_registry
from platform_resources.plan.plan import ProductPlan
from platform_resources.spec.problems import problems_text, unknown_text
from platform_resources.spec.product import Product
from platform_resources.spec.reading import read_product


class CannotExport(Exception):
    """Raised for an unknown format, wrong settings, or an unreadable product.yaml; says what to do."""


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One document: its file name, text and media type."""

    name: str
    text: str
    media_type: str


def known_export(name: str) -> Export:
    """The export of that name. Raises CannotExport."""
    exports = installed_registry().exports()
    if name not in exports:
        raise CannotExport(unknown_text("format", name, exports))
    return exports[name]


def export(root: Path, product: ProductPlan, name: str, settings: Mapping[str, Any]) -> ExportedFile:
    """Export the product in one format, from its current product.yaml. Raises CannotExport."""
    chosen = known_export(name)
    try:
        configured = chosen.config.model_validate(settings)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in error.errors())
        raise CannotExport(f"{name} does not take these settings: {problems}") from error
    text = chosen.text(configured, Exported(_declared(root, product)))
    return ExportedFile(f"{product.name}{chosen.ending}", text, chosen.media_type)


def _declared(root: Path, product: ProductPlan) -> Product:
    file = product.place.file
    reading = read_product((root / file).read_text(encoding="utf-8"), file, installed_registry())
    if reading.product is None:
        raise CannotExport(problems_text(reading.problems))
    return reading.product
