"""Classes of data: what readers receive of a column of each, and whether its values may be told."""

from collections.abc import Iterable, Sequence
from typing import Literal

from platform_resources.spec.agreements import Masking, MaskUse
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import UNCLASSIFIED, Classification


class DataClass(Strict):
    """One class of data. `others` is what readers outside the domain receive where no agreement says otherwise.

    `mask` is how it is masked where nothing else is said. Where `values` are hidden, no profile, failing row or message tells one.
    """

    name: Classification
    description: str = ""
    others: Literal["clear", "masked", "left-out"] = "left-out"
    mask: Masking = MaskUse(mask="redact")
    values: Literal["shown", "hidden"] = "hidden"


# The least restricted first. They hold where governance.yaml says no classes.
STANDARD_CLASSES = (
    DataClass(name="public", description="Everybody may see it.", others="clear", values="shown"),
    DataClass(name="internal", description="Everybody in the company may see it.", others="clear", values="shown"),
    DataClass(name="personal", description="It tells something of a person."),
    DataClass(name="sensitive", description="It could harm a person or the company."),
)
# Nobody outside receives what is not classified, but it is not hidden from the people who have to classify it.
_UNCLASSIFIED = DataClass(name=UNCLASSIFIED, values="shown")


def class_named(name: str, classes: Iterable[DataClass] = STANDARD_CLASSES) -> DataClass:
    """The class of this name; an unknown name delivers nothing and hides its values."""
    return next((known for known in (_UNCLASSIFIED, *classes) if known.name == name), DataClass(name=name))


def restriction(name: str, classes: Sequence[DataClass] = STANDARD_CLASSES) -> int:
    """How restricted a class is; the higher, the more. What is not classified is less than any: nobody has said anything of it."""
    return next((at for at, known in enumerate(classes) if known.name == name), -1)
