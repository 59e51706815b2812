"""The input port interface `python`."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from platform_resources.capabilities.protocols import PullExtractor
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.written_values import plain_values

_FORM = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"


def _extractor(text: str) -> str:
    if not re.fullmatch(_FORM, text):
        raise ValueError(f'"{text}" is no extractor; write module:function, as extract:orders for the function orders in extract.py')
    return text


class PythonInputSettings(Strict):
    """The function to call, as module:function, and what to pass it."""

    extractor: Annotated[str, AfterValidator(_extractor), Field(json_schema_extra={"pattern": _FORM})]
    options: dict[str, Any] = {}


class PythonInput:
    """A Python function that returns the data, for anything that no other interface reads.

    `extract:orders` is the function `orders` in extract.py beside product.yaml. It is given an Extraction (a DuckDB connection,
    the day asked for, its options, its last cursor) and returns a DuckDB relation, an Arrow table or a data frame.
    """

    name = "python"
    kind = "python"
    config = PythonInputSettings
    example = """
- name: demographics
  type: input-port
  properties: {interface: python, extractor: "extract:demographics"}
"""

    def pull(self, settings: PythonInputSettings) -> PullExtractor:
        return PullExtractor(settings.extractor, plain_values(settings.options))


CAPABILITY = PythonInput()
