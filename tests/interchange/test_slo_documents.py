"""OpenSLO v1 both ways: what the platform measures comes back as it was, what others measure is carried along and told line by line."""

import pytest
import yaml

from platform_resources.capabilities.protocols import Exported
from platform_resources.capabilities.registry import installed_registry
from platform_resources.spec.problems import problems_text
from platform_resources.spec.reading import read_product
from tests.capabilities.test_exports import ORDERS
from tests.interchange.products import product_of
from tests.meshes import indented

OPENSLO = installed_registry().exports()["openslo"]
# Shapes as the standard's own examples and the inputs of its validator have them: other tools' metrics, references, alerts.
WEB = """\
# An internet provider's promise.
apiVersion: openslo/v1
kind: Service
metadata: {name: web-availability, displayName: Web}
spec: {description: The shop's pages.}
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: service-availability
  displayName: Reachable
  labels: {team: [green, orange]}
spec:
  description: To react before the contract is broken.
  service: web-availability
  indicator:
    metadata: {name: reachable, displayName: Time when it ran.}
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource: {type: Datadog, metricSourceRef: datadog, spec: {query: "sum:hits{code:200}"}}
        total:
          metricSource: {type: Datadog, metricSourceRef: datadog, spec: {query: "sum:hits{*}"}}
  timeWindow:
    - duration: 1M
      isRolling: false
      calendar: {startTime: 2022-01-01 12:00:00, timeZone: America/New_York}
  budgetingMethod: Timeslices
  objectives:
    - {displayName: Internal, op: gt, target: 0.995, timeSliceTarget: 0.99, timeSliceWindow: 1m}
    - {displayName: Contract, targetPercent: 99, timeSliceTarget: 0.99, timeSliceWindow: 1m}
  alertPolicies: [{alertPolicyRef: fast-burn}]
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: latency}
spec:
  thresholdMetric:
    metricSource: {type: CloudWatch, spec: {metricName: 2xx, stat: SampleCount}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: fast}
spec:
  service: web-availability
  indicatorRef: latency
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{op: gte, target: 0.98, value: 10}]
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: datadog}
spec: {type: Datadog, connectionDetails: {site: datadoghq.com}}
"""
SHARE = """
- name: Most hours of a day
  type: service-level-indicator
  properties: {service_level_name: Orders are fresh, interval: 1h, window: 20d, target: 100, method: ratio-timeslices, slice_target: 97.5}
"""


def exported(product):
    return OPENSLO.text(OPENSLO.config(), Exported(product))


def imported(text, domain="shop"):
    return OPENSLO.imported(text, "slos.yaml", "", domain)


def product_in(made):
    reading = read_product(made.text, "product.yaml", installed_registry())
    assert reading.product is not None and not reading.problems, problems_text(reading.problems)
    return reading.product


def test_what_the_platform_measures_comes_back_as_it_was():
    product = product_of(ORDERS + indented(SHARE, 4))
    text = exported(product)
    made = imported(text, "sales")
    back = product_in(made)
    assert (made.problems, made.carried) == ((), ())
    assert exported(back) == text
    ours, theirs = ({i.title: i.config for i in one.indicators if i.config.target is not None} for one in (product, back))
    assert ours["Most hours of a day"] == theirs["Most hours of a day"]
    promise, returned = (next(o for o in one.objectives if o.title == "Orders are fresh") for one in (product, back))
    assert (returned.config, returned.settings) == (promise.config, promise.settings)


def test_what_others_measure_is_carried_along_and_written_again():
    made = imported(WEB)
    product = product_in(made)
    info = product.info
    assert (product.name, product.title, info.description, info.lifecycle) == ("web_availability", "Web", "The shop's pages.", "proposed")
    assert list(yaml.safe_load_all(exported(product))) == [_as_written(each) for each in yaml.safe_load_all(WEB)]
    lines = WEB.splitlines()
    told = [(problem.severity, lines[problem.line - 1].strip().partition(":")[0], problem.message) for problem in made.problems]
    assert told == [
        ("warning", "metadata", "its metric is asked of Datadog, which is no objective here"),
        ("warning", "kind", "a product has no place for a document of kind SLI"),
        ("warning", "indicatorRef", "its metric is asked of CloudWatch, which is no objective here"),
        ("warning", "kind", "a product has no place for a document of kind DataSource"),
    ]


def _as_written(value):
    """A time is the text that is written."""
    if isinstance(value, dict):
        return {key: _as_written(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_written(item) for item in value]
    return str(value) if hasattr(value, "isoformat") else value


def test_a_product_that_is_edited_after_the_import_says_so_in_the_document():
    text = imported(WEB).text.replace("description: The shop's pages.", "description: Pages of the shop.")
    service, *_ = yaml.safe_load_all(exported(read_product(text, "product.yaml", installed_registry()).product))
    assert service["spec"]["description"] == "Pages of the shop."


# What the standard's validator refuses, as far as it is read here: how far below the edit it is told, and what is said.
WRONG = {
    "version": ("apiVersion: openslo/v1\nkind: SLI", "apiVersion: openslo/v1alpha\nkind: SLI", 0, "only openslo/v1 is read"),
    "kind": ("kind: SLI", "kind: Slo", 0, 'kind is "Slo"; known: Service, SLO'),
    "no name": ("metadata: {name: fast}", "metadata: {}", 0, "every document has a metadata.name"),
    "method": ("budgetingMethod: Occurrences", "budgetingMethod: Often", 0, "budgetingMethod is one of Timeslices"),
    "two windows": ("[{duration: 28d, isRolling: true}]", "[{duration: 28d}, {duration: 7d}]", 0, "an SLO has one window"),
    "duration": ("duration: 28d", "duration: 28 days", 0, "with a duration such as 28d"),
    "target of all": ("target: 0.98", "target: 1", 0, "a target from 0 to below 1"),
    "two targets": ("target: 0.98", "target: 0.98, targetPercent: 98", 0, "either a target"),
    "no objective": ("[{op: gte, target: 0.98, value: 10}]", "[]", 0, "at least one objective"),
    "no service": ("  service: web-availability\n  indicatorRef", "  indicatorRef", 0, "says the service"),
    "no YAML": ("metadata: {name: fast}", "metadata: {name: fast", 1, "not valid YAML"),
}


@pytest.mark.parametrize(("old", "new", "below", "said"), WRONG.values(), ids=WRONG)
def test_what_the_standard_refuses_is_told_with_its_line_and_nothing_is_made(old, new, below, said):
    assert WEB.count(old) == 1
    made, line = imported(WEB.replace(old, new)), WEB[: WEB.index(old)].count("\n") + 1 + below
    assert made.text == ""
    assert any(problem.line == line and said in f"{problem.message} {problem.hint}" for problem in made.problems), problems_text(
        made.problems
    )


def test_a_domain_has_to_be_named():
    assert "--domain" in problems_text(imported(WEB, "").problems)
    assert "the file is empty" in problems_text(imported("# nothing\n").problems)
