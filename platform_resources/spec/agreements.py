"""The fields of a data sharing agreement: what each role receives, and who has a role."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Classification, ColumnName, Duration, RoleName, Text
from platform_resources.spec.values.grantees import subject

# What a column is to a role beside being masked.
CLEAR, LEFT_OUT = "clear", "left-out"


class MaskUse(Strict):
    """A mask by its name, with its own settings; `clear` and `left-out` where a column is named."""

    mask: Text
    settings: Mapping[str, Any] = {}


def _mask_use(value: Any) -> Any:
    """`redact`, or `{mask: bands, width: 10}`: what is beside the name are the mask's own settings."""
    if isinstance(value, str):
        return {"mask": value}
    if isinstance(value, dict) and "settings" not in value:
        return {"mask": value.get("mask"), "settings": {name: given for name, given in value.items() if name != "mask"}}
    return value


_WRITTEN_MASK = Text | Annotated[dict[str, Any], Field(json_schema_extra={"required": ["mask"]})]
Masking = Annotated[MaskUse, BeforeValidator(_mask_use, json_schema_input_type=_WRITTEN_MASK)]
Subject = Annotated[str, AfterValidator(subject)]


class AgreementRole(Strict):
    """What one role receives: classifications in the clear, classifications masked; everything else is left out.

    `columns` says of single columns what holds instead. `rows` is a condition that a row must meet; it may name `reader.<attribute>`.
    """

    role: RoleName
    sees: tuple[Classification, ...] = ()
    masked: tuple[Classification, ...] = ()
    masks: Mapping[Classification, Masking] = {}
    columns: Mapping[ColumnName, Masking] = {}
    rows: str = ""
    attributes: Mapping[RoleName, tuple[Text, ...]] = {}

    @model_validator(mode="after")
    def _clear_or_masked(self) -> "AgreementRole":
        both = [classification for classification in self.sees if classification in self.masked]
        if both:
            raise ValueError(f"role {self.role}: {' and '.join(both)} cannot be both seen and masked; take it out of sees or of masked")
        return self


class GrantedRole(Strict):
    """A role that is granted in the document itself: to whom, what for, by whom, from when and until when."""

    role: RoleName
    to: Subject
    purpose: Text
    approved_by: Text
    since: date | None = None
    until: date | None = None
    attributes: Mapping[RoleName, Text] = {}


class DataSharingAgreement(Strict):
    """The terms under which consumers receive the product."""

    description: str = ""
    purpose: str = ""
    terms: str = ""
    approval: Literal["automatic", "owner"] = "owner"
    duration: Duration | None = None
    notice_period: Duration | None = None
    roles: tuple[AgreementRole, ...] = ()
    grants: tuple[GrantedRole, ...] = ()
