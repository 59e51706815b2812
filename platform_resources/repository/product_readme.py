"""Read what a team has written beside its product."""

from pathlib import Path

from platform_resources.plan.plan import ProductPlan

README = "README.md"
MOST_BYTES = 200_000


def readme_text(root: Path, product: ProductPlan) -> str:
    """The README beside the product's document; empty if there is none. Bytes that are not UTF-8 are replaced."""
    file = root / Path(product.place.file).parent / README
    if not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
        return ""
    with file.open("rb") as text:
        return text.read(MOST_BYTES).decode("utf-8", errors="replace")
