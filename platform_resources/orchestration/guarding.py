"""Keep secrets out of what Dagster stores and shows when a step, sensor or job fails."""

import functools
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster_shared.error import SerializableErrorInfo

from platform_resources.orchestration.events.run_failures import ERROR, stopped
from platform_resources.orchestration.refresh_resource import RefreshResource
from platform_resources.plan.plan import ProductPlan
from platform_resources.redaction.redaction import Hide, mask_all
from platform_resources.repository.product_secrets import hiding
from platform_resources.warehouses.engine_errors import NotSupported

_Step = Callable[[Any, RefreshResource], Iterator[Any]]
P = ParamSpec("P")
T = TypeVar("T")


def guarded(product: ProductPlan) -> Callable[[_Step], _Step]:
    """The step, its failure raised anew without secrets: Dagster would keep every error behind it, with lines of the team's code."""

    def decorate(step: _Step) -> _Step:
        @functools.wraps(step)
        def run(context: Any, refresh: RefreshResource) -> Iterator[Any]:
            hide = hiding(refresh.root_folder, product)
            try:
                yield from step(context, refresh)
                return
            except Exception as error:
                failure = _reportable(error, hide)
            # Outside of the handler: there Dagster would find the first error again as the context of this one.
            raise failure

        # Dagster works it out some fifteen times for each step, a tenth of the time of its definition.
        run.__signature__ = inspect.signature(step)  # type: ignore[attr-defined]
        return run

    return decorate


def _reportable(error: Exception, hide: Hide) -> Exception:
    if isinstance(error, DagsterUserCodeProcessError):
        (info,) = error.user_code_process_error_infos
        kind, *failures = (info.cls_name or "").split("\n")
        return stopped(hide(info.message), kind, failures)
    if isinstance(error, NotSupported):
        return stopped(hide(str(error)), type(error).__name__)
    if isinstance(error, dg.Failure):
        return dg.Failure(hide(error.description or ""), metadata=error.metadata, allow_retries=error.allow_retries)
    lines = hide("".join(traceback.format_exception(error))).strip()
    metadata: dict[str, Any] = {ERROR: type(error).__name__, "traceback": dg.MetadataValue.md(f"```\n{lines}\n```")}
    return dg.Failure(hide(f"{type(error).__name__}: {error}"), metadata=metadata)


def shielded(call: Callable[P, T]) -> Callable[P, T]:
    """A sensor, a job of a domain or a code location: its error raised anew, with its traceback and those behind it without secrets.

    What the platform stops with in words of its own stays as it is.
    """

    @functools.wraps(call)
    def run(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return call(*arguments, **named)
        except DagsterUserCodeProcessError:
            raise
        except Exception:
            info = _hidden(serializable_error_info_from_exc_info(sys.exc_info()), mask_all(os.environ))
        raise DagsterUserCodeProcessError(info.message, user_code_process_error_infos=[info])  # type: ignore[no-untyped-call]

    return run


def _hidden(info: SerializableErrorInfo, hide: Hide) -> SerializableErrorInfo:
    behind = [_hidden(behind_it, hide) if behind_it is not None else None for behind_it in (info.cause, info.context)]
    return SerializableErrorInfo(hide(info.message), [hide(line) for line in info.stack], info.cls_name, *behind)
