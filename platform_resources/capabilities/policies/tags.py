"""The policy `tags-are-terms`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.governance import Level
from platform_resources.spec.problems import did_you_mean
from platform_resources.spec.product import Product


class TagsAreTerms:
    """In production tags are terms that governance.yaml describes, so that one thing has one word; a mesh without terms asks for none."""

    name = "tags-are-terms"
    config = NothingToSet
    level: Level = "warn"
    needs: PolicyNeeds = "documents"
    example = """
- name: customer_360
  type: data-product
  properties: {tags: [customer, household]}
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for tag in product.tags if facts.terms and product.info.lifecycle == "production" else ():
            if tag not in facts.terms:
                hint = did_you_mean(tag, facts.terms) or "have it described under terms in governance.yaml, or take another tag"
                yield Breach("tags", f'tag "{tag}" is no term of the mesh', hint)


CAPABILITY = TagsAreTerms()
