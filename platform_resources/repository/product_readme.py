"""Read what a team has written beside its product."""

from pathlib import Path

from platform_resources.plan.plan import ProductPlan

README = "README.md"
MOST_BYTES = 200_000


def readme_text(root: Path, product: ProductPlan) -> str:
    """The README beside the product's document; empty where there is none. What is no UTF-8 is replaced by a mark."""
    file = root / Path(product.place.file).parent / README
    if not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
        return ""
    with file.open("rb") as text:
        return text.read(MOST_BYTES).decode("utf-8", errors="replace")
