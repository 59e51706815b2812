"""The base class of all models that validate text from outside: immutable, no unknown fields."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """The one model that configuration inherits from: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
