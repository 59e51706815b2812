"""A product's plan with the relations that dbt really wrote."""

from collections.abc import Mapping
from dataclasses import replace

from platform_resources.capabilities.measures import Relation, Subject
from platform_resources.plan.plan import ProductPlan


def with_relations(product: ProductPlan, written: Mapping[str, Relation]) -> ProductPlan:
    """The product with the relation of each data set, and of whatever its objectives compare with, as `written` says by model.

    A team may choose another name (`alias`) or another `schema` in dbt. Raises KeyError for a model that was not written.
    """
    data_sets = tuple(replace(data_set, relation=written[data_set.model]) for data_set in product.data_sets)
    moved = {before.relation: now.measured for before, now in zip(product.data_sets, data_sets, strict=True)}
    objectives = tuple(replace(objective, subject=_moved(objective.subject, moved)) for objective in product.objectives)
    return replace(product, data_sets=data_sets, objectives=objectives)


def _moved(subject: Subject, moved: Mapping[Relation, Relation]) -> Subject:
    data_sets = {name: moved[relation] for name, relation in subject.data_sets.items()}
    return replace(subject, relation=moved.get(subject.relation, subject.relation), data_sets=data_sets)
