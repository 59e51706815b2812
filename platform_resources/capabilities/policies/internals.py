"""The policy `internals-stay-inside`."""

import re
from collections.abc import Iterator, Mapping

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product


class InternalsStayInside:
    """A product reads others through their output ports: no SQL and no input names their databases, internal tables or published files."""

    name = "internals-stay-inside"
    config = NothingToSet
    level: Level = "error"
    needs: PolicyNeeds = "documents"
    example = """
- name: orders
  type: input-port
  properties: {interface: data-product, associated_output_port: purchase_orders.orders}
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for file, text in facts.sql.items():
            named = _named(text, facts.others)
            if named:
                message = f"{file} reads internals of {', '.join(named)}"
                yield Breach("", message, "read an output port of it, by an input port of interface data-product")
        for port in product.input_ports:
            named = _named(str(getattr(port.settings, "path", "")), facts.others)
            if named:
                message = f"its path leads into what {', '.join(named)} keeps"
                yield Breach("path", message, "write interface: data-product and associated_output_port", port.origin)


# What a comment says reads nothing.
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", re.DOTALL)


def _named(text: str, others: Mapping[str, str]) -> list[str]:
    """The products whose database, internal tables or folder of ports a text names."""
    bare = _COMMENTS.sub(" ", text)
    places = re.findall(r'"?(\w+)"?\s*\.\s*"?(?:internal|inputs)"?\s*\.|\bports/[^/\s\'"]+/(\w+)/|(\w+)\.duckdb\b', bare)
    return sorted({name for names in places for name in names if name in others})


CAPABILITY = InternalsStayInside()
