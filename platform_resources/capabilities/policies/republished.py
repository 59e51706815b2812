"""The policy `republished-data-is-not-wider`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds, Received
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product
from platform_resources.spec.values.durations import duration_text


class RepublishedDataIsNotWider:
    """A product that publishes what it received under an agreement gives it away under terms that are no wider."""

    name = "republished-data-is-not-wider"
    config = NothingToSet
    level: Level = "warn"
    needs: PolicyNeeds = "documents"
    example = """
- name: Reuse
  type: data-sharing-agreement
  properties: {purpose: Reporting., approval: owner, duration: 180d, roles: [{role: analyst, sees: [public, internal]}]}
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for received in facts.received if product.output_ports else ():
            upstream = received.product
            if not upstream.agreements or (upstream.domain == product.domain and upstream.info.domain_access):
                continue
            if not product.agreements and product.info.lifecycle != "draft":
                message = f"it publishes what it receives of {upstream.name} under an agreement, and has none itself"
                yield Breach("", message, "add a component of type data-sharing-agreement", received.port.origin)
            yield from _wider(product, received)


def _wider(product: Product, received: Received) -> Iterator[Breach]:
    """Where a reader of the product needs less of a decision, keeps a grant for longer or sees more than the product itself."""
    terms = [agreement.config for agreement in received.product.agreements]
    own = {seen for agreement in terms for role in agreement.roles if received.role in ("", role.role) for seen in role.sees}
    kept_back = {column.classification for column in received.data_set.columns} - own if terms else set()
    decided = all(agreement.approval == "owner" for agreement in terms)
    longest = max((agreement.duration for agreement in terms if agreement.duration is not None), default=None)
    for agreement in product.agreements:
        config = agreement.config
        if decided and config.approval == "automatic" and config.roles:
            message = f"approval is automatic, and {received.product.name}, which it reads, decides on each grant"
            yield Breach("approval", message, "write approval: owner", agreement.origin)
        if (
            longest is not None
            and all(agreement.duration for agreement in terms)
            and (config.duration is None or config.duration > longest)
        ):
            message = f"grants last longer than those of {received.product.name}, which it reads: {duration_text(longest)}"
            yield Breach("duration", message, f"write duration: {duration_text(longest)}, or less", agreement.origin)
        for role in config.roles:
            if wider := [seen for seen in role.sees if seen in kept_back]:
                shown = " and ".join(wider)
                message = f"role {role.role} sees {shown} in the clear, which {received.product.name}, which it reads, does not show it"
                yield Breach("roles", message, f"write {shown} to masked, or leave it out", agreement.origin)


CAPABILITY = RepublishedDataIsNotWider()
