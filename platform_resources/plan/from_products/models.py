"""What a product's dbt models reference, read from their SQL without running dbt."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from platform_resources.plan.from_products.mesh import ModelText, ProductTexts

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_CALL = re.compile(r"\b(ref|source)\s*\(\s*((?:[^()]|\([^()]*\))*?)\s*\)", re.DOTALL)
_LITERALS = re.compile(r"""^\s*(['"])([^'"]*)\1\s*(?:,\s*(['"])([^'"]*)\3\s*)?$""")
_MATERIALIZED = re.compile(r"""materialized\s*=\s*['"](\w+)['"]""")
_LEADING_COMMENT = re.compile(r"\A\s*((?:--[^\n]*\n\s*)+)")


@dataclass(frozen=True, slots=True)
class ModelReference:
    """One `ref` or `source` call. `names` has one name for `ref('m')`, two for `source('s', 't')`; none if not literal."""

    function: str
    names: tuple[str, ...]
    text: str


def references(model: ModelText) -> tuple[ModelReference, ...]:
    """Every ref and source of the model in the order written, each once."""
    found = (_reference(call) for block in _JINJA.findall(_COMMENT.sub("", model.sql)) for call in _CALL.finditer(block))
    return tuple(dict.fromkeys(found))


def _reference(call: re.Match[str]) -> ModelReference:
    literals = _LITERALS.match(call.group(2))
    names = tuple(name for name in (literals.group(2), literals.group(4)) if name is not None) if literals else ()
    return ModelReference(call.group(1), names, " ".join(call.group(0).split()))


def materialization(model: ModelText) -> str:
    """How the model says it is materialised; a table if it says nothing."""
    found = _MATERIALIZED.search(_COMMENT.sub("", model.sql))
    return found.group(1) if found else "table"


def leading_comment(model: ModelText) -> str:
    """The comment that the SQL begins with: the description of an internal model."""
    found = _LEADING_COMMENT.match(model.sql)
    return " ".join(line.strip().lstrip("-").strip() for line in found.group(1).splitlines()).strip() if found else ""


@dataclass(frozen=True, slots=True)
class OwnTest:
    """A dbt test that a team wrote itself; without a name when it did not give one. `digest` stands for what it asks."""

    name: str
    model: str
    file: str
    severity: str
    digest: str


def own_tests(texts: ProductTexts) -> tuple[OwnTest, ...]:
    """Singular tests (attached to the first model they read) and tests in the team's own dbt YAML."""
    singular = (OwnTest(test.name, _first_model(test), test.file, "error", _digest(test.sql)) for test in texts.tests)
    written = (test for file, text in sorted(texts.properties.items()) for test in _yaml_tests(file, text))
    return (*singular, *written)


def _first_model(test: ModelText) -> str:
    return next((r.names[-1] for r in references(test) if r.function == "ref" and r.names), "")


def _yaml_tests(file: str, text: str) -> Iterator[OwnTest]:
    for model in described_models(text):
        for holder in (model, *map(_mapping, _list(model.get("columns")))):
            for test in (*_list(holder.get("data_tests")), *_list(holder.get("tests"))):
                yield _own_test(test, str(model.get("name")), str(holder.get("name")), file)


def _own_test(test: Any, model: str, column: str, file: str) -> OwnTest:
    (written,) = test.values() if isinstance(test, dict) and len(test) == 1 else ({},)
    definition = _mapping(written)
    severity = _mapping(definition.get("config")).get("severity", "error")
    return OwnTest(str(definition.get("name") or ""), model, file, str(severity).lower(), _digest(repr((column, test))))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


@lru_cache(maxsize=64)
def described_models(text: str) -> tuple[dict[str, Any], ...]:
    """The `models` of a dbt YAML file; empty when the text is no such file (dbt itself reports what is wrong with it)."""
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError):
        return ()
    return tuple(model for model in _list(_mapping(data).get("models")) if isinstance(model, dict))
