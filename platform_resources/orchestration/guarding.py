"""A step of a refresh as Dagster runs it: what it fails with reaches Dagster's history without secrets."""

import functools
import inspect
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError

from platform_resources.orchestration.refresh_resource import RefreshResource
from platform_resources.orchestration.run_failures import ERROR, stopped
from platform_resources.planning.plan import ProductPlan
from platform_resources.spec.masking import Mask
from platform_resources.warehouses.secrets import mask_of

_Step = Callable[[Any, RefreshResource], Iterator[Any]]


def guarded(product: ProductPlan) -> Callable[[_Step], _Step]:
    """The step, its failure raised anew without secrets: Dagster would keep every error behind it, with lines of the team's code."""

    def decorate(step: _Step) -> _Step:
        @functools.wraps(step)
        def run(context: Any, refresh: RefreshResource) -> Iterator[Any]:
            try:
                yield from step(context, refresh)
                return
            except Exception as error:
                failure = _told(error, mask_of(refresh.root_folder, product))
            # Outside of the handler: there Dagster would find the first error again as the context of this one.
            raise failure

        # Dagster works it out some fifteen times for each step, a tenth of the time of its definition.
        run.__signature__ = inspect.signature(step)  # type: ignore[attr-defined]
        return run

    return decorate


def _told(error: Exception, hide: Mask) -> Exception:
    if isinstance(error, DagsterUserCodeProcessError):
        (info,) = error.user_code_process_error_infos
        kind, *failures = (info.cls_name or "").split("\n")
        return stopped(hide(info.message), kind, failures)
    if isinstance(error, dg.Failure):
        return dg.Failure(hide(error.description or ""), metadata=error.metadata, allow_retries=error.allow_retries)
    lines = hide("".join(traceback.format_exception(error))).strip()
    metadata: dict[str, Any] = {ERROR: type(error).__name__, "traceback": dg.MetadataValue.md(f"```\n{lines}\n```")}
    return dg.Failure(hide(f"{type(error).__name__}: {error}"), metadata=metadata)
