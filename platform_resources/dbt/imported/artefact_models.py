"""The fields that are read from dbt's manifest.json and run_results.json; others are ignored."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def clean(value: Any) -> Any:
    """Text that every database and terminal takes: no NUL, no half of a surrogate pair."""
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode() if isinstance(value, str) else value


_Words = Annotated[str, BeforeValidator(clean)]
_Meta = dict[_Words, Any] | None


class Foreign(BaseModel):
    """Base class of these models: unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Config(Foreign):
    """The configuration of a node."""

    severity: _Words | None = None
    meta: _Meta = None


class DependsOn(Foreign):
    """The nodes that a node depends on."""

    nodes: tuple[_Words, ...] = ()


class Node(Foreign):
    """A node of dbt's manifest."""

    resource_type: _Words
    name: _Words
    original_file_path: _Words
    fqn: tuple[_Words, ...]
    depends_on: DependsOn = DependsOn()
    attached_node: _Words | None = None
    config: Config = Config()
    meta: _Meta = None
    compiled_code: _Words | None = None


class ManifestMetadata(Foreign):
    """The metadata of a manifest."""

    invocation_id: _Words
    project_name: _Words | None = None


class ManifestFile(Foreign):
    """The file manifest.json."""

    metadata: ManifestMetadata
    nodes: dict[_Words, Node]
    unit_tests: dict[_Words, Node] = {}


class Timing(Foreign):
    """Start and end of one phase of a node."""

    name: _Words
    completed_at: datetime | None = None


class ResultNode(Foreign):
    """The result of one node in run_results.json."""

    unique_id: _Words
    status: _Words
    timing: tuple[Timing, ...]
    message: _Words | None = None
    failures: int | None = None
    compiled_code: _Words | None = None


class RunMetadata(Foreign):
    """The metadata of run results."""

    invocation_id: _Words
    generated_at: datetime


class RunResults(Foreign):
    """The file run_results.json."""

    metadata: RunMetadata
    results: tuple[ResultNode, ...]
