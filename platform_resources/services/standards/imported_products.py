"""Import a document of another standard as a product."""

from dataclasses import dataclass, replace
from pathlib import Path

from platform_resources.interchange.round_trips import Import
from platform_resources.plan import conventions
from platform_resources.repository.mesh_folders import DOCUMENT
from platform_resources.services.standards.exported_products import CannotExport, known_export
from platform_resources.spec.problems import errors


class CannotImport(Exception):
    """Raised for an unknown or write-only format, or an existing product of that name; nothing is written then."""


@dataclass(frozen=True, slots=True)
class ImportedDocument:
    """The product.yaml that was written (empty after errors), and notes on how the document was mapped."""

    file: str
    made: Import


def import_document(root: Path, form: str, path: Path, name: str = "", domain: str = "") -> ImportedDocument:
    """Write the product.yaml of a document, under the given names or the document's own. Raises CannotImport and OSError."""
    try:
        chosen = known_export(form)
    except CannotExport as error:
        raise CannotImport(str(error)) from error
    made = chosen.imported(path.read_text(encoding="utf-8"), path.name, name, domain)
    if made is None:
        raise CannotImport(f"no product can be made of a document of {form}: that format is only written")
    if errors(made.problems):
        return ImportedDocument("", replace(made, text=""))
    folder = root / conventions.product_folder(made.domain, made.name)
    if (there := next((root / conventions.PRODUCTS_FOLDER).glob(f"*/{made.name}/{DOCUMENT}"), None)) is not None:
        raise CannotImport(f"{there.relative_to(root)} is there already, and nothing is overwritten; give another name with --product")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / DOCUMENT).open("x", encoding="utf-8") as file:
        file.write(made.text)
    return ImportedDocument(str((folder / DOCUMENT).relative_to(root)), made)
