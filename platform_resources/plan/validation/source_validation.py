"""Check what input ports say of their sources: which may promise columns, each type once, and that extractors exist."""

import ast
from collections.abc import Iterator
from typing import Any

from platform_resources.capabilities.protocols import CANNOT_TELL, NotPulled, PullExtractor, PullFiles, PullPort, untold
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.shared_sources import NotShared, pull_of
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Declared, Product, runs

AWAY = "take columns away"


def sources_promise_columns(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Only what the platform loads can be held against promised columns."""
    for port in product.input_ports:
        if not port.config.columns:
            continue
        match mesh.registry.input_interfaces()[port.variant].pull(port.settings):
            case PullPort():
                yield port.origin.problem("columns", "the product that it reads promises its columns, and they are checked", AWAY)
            case NotPulled():
                yield port.origin.problem("columns", "the platform does not load this input, so nothing can be checked", AWAY)
            case PullFiles(types=types) if types:
                message = "types are promised twice, in columns and in options"
                yield port.origin.problem("columns", message, "take types out of options")


def shared_sources_exist(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every source that an input port names is one of its domain, and can be read with what the port adds."""
    for port in product.input_ports:
        try:
            pull_of(mesh, product.domain, port)
        except NotShared as error:
            yield port.origin.problem("source", str(error), error.hint)


def refresh_is_triggered(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A product that is refreshed on its inputs has one at least that can tell when there is something new."""
    refresh = product.info.refresh
    if refresh is None or refresh.on is None or not runs(product):
        return
    try:
        reasons = [(port, untold(pull_of(mesh, product.domain, port))) for port in product.input_ports]
    except NotShared:  # told by itself
        return
    if all(reason for _, reason in reasons):
        why = "; ".join(f"{port.name}: {reason}" for port, reason in reasons) or "it has no input port"
        hint = 'or write refresh: {cron: "0 5 * * *", timezone: Europe/Berlin}'
        yield product.origin.problem("refresh", f"no input would ever refresh it: {why}", hint)
        return
    for port, reason in reasons:
        if reason not in ("", CANNOT_TELL):
            yield port.origin.problem("", f"what is new in it does not refresh the product: {reason}", warning=True)


def extractors_exist(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Every Python extractor that an input port names exists."""
    modules = mesh.texts_of(product).modules
    for port in product.input_ports:
        pull = mesh.registry.input_interfaces()[port.variant].pull(port.settings)
        if not isinstance(pull, PullExtractor):
            continue
        module, _, function = pull.extractor.partition(":")
        if module not in modules:
            continue
        yield from _missing_function(port, module, function, modules[module])


def _missing_function(port: Declared[Any], module: str, function: str, text: str) -> Iterator[Problem]:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield port.origin.problem("extractor", f"{module}.py is not valid Python: line {error.lineno}: {error.msg}")
        return
    known = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if function not in known and not any(
        isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign)) and function in ast.dump(node) for node in tree.body
    ):
        message = f'no function "{function}" in {module}.py; known: {known_text(known)}'
        yield port.origin.problem("extractor", message, did_you_mean(function, known))
