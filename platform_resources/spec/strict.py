"""How text from outside enters: frozen models that refuse what they do not know."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """The one model that configuration inherits from: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
