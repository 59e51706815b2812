"""Ask the engine what the statement of each model did, while dbt runs it."""

import time
from collections.abc import Mapping
from typing import Any

from platform_resources.capabilities.work import ModelWork
from platform_resources.plan.plan import ProductPlan
from platform_resources.warehouses.targets import warehouse

_BEGINS, _ENDS = "SQLQuery", "SQLQueryStatus"


class WorkOfModels:
    """A callback for dbt's runner. It is called in the thread that runs the statement, so the thread's connection is the one that ran it.

    Of the statements of one model the longest counts. In an engine without such profiles nothing is asked.
    """

    def __init__(self, product: ProductPlan) -> None:
        self.models = {model.name for model in product.models}
        self.found: dict[str, ModelWork] = {}
        self._begun: dict[str, tuple[float, float]] = {}

    def __call__(self, event: Any) -> None:
        name = str(getattr(getattr(event.data, "node_info", None), "node_name", "")) if event.info.name in (_BEGINS, _ENDS) else ""
        if name not in self.models:
            return
        if event.info.name == _BEGINS:
            _cursor().execute(warehouse().asks_for_work())
            self._begun[name] = (time.monotonic(), time.process_time())
        elif name in self._begun:
            began, worked = self._begun.pop(name)
            seconds, cpu_seconds = time.monotonic() - began, time.process_time() - worked
            if name not in self.found or seconds > self.found[name].seconds:
                profile = _cursor().get_profiling_information(format="json")
                if (work := warehouse().work_of(name, profile, seconds, cpu_seconds)) is not None:
                    self.found[name] = work


def listener(product: ProductPlan, wanted: bool) -> WorkOfModels | None:
    """None where nobody wants to know, or the engine cannot tell."""
    return WorkOfModels(product) if wanted and warehouse().asks_for_work() else None


def _cursor() -> Any:
    from dbt.adapters.factory import FACTORY

    adapters: Mapping[str, Any] = FACTORY.adapters
    return adapters[warehouse().kind].connections.get_thread_connection().handle.cursor()
