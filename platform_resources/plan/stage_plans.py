"""What a product needs in a stage of its life."""

from dataclasses import dataclass

from platform_resources.spec.values.field_types import Lifecycle


@dataclass(frozen=True, slots=True)
class StagePlan:
    """The policies that hold in a stage and what of them is `missing` by the documents, criteria of the score, and who signs it off."""

    stage: Lifecycle
    policies: tuple[str, ...]
    missing: tuple[str, ...]
    criteria: tuple[str, ...]
    signers: tuple[str, ...]
