"""What packages try their capabilities with is the platform itself: it refuses what validation refuses, and sees corrupted rows."""

import pytest

from platform_resources.capabilities.registry import installed_registry
from platform_resources.testing import MeshRefused, judged, planned

REGISTRY = installed_registry()


@pytest.mark.slow
@pytest.mark.parametrize(("last", "verdict"), [(5, "met"), (9, "missed")])
def test_a_dimension_judges_real_rows(last, verdict):
    rows = f"select * from (values (1), (2), ({last})) as t(n)"
    assert judged(REGISTRY.dimensions()["validity"], rows, column="n", max=5).verdict == verdict


def test_properties_that_validation_refuses_are_refused():
    with pytest.raises(MeshRefused, match='did you mean "max"'):
        judged(REGISTRY.dimensions()["validity"], "select 1 as n", column="n", maxx=5)


@pytest.mark.slow
def test_an_interface_reaches_the_plan():
    port = {"name": "all", "type": "output-port", "properties": {"interface": "file", "data_set": "tried", "format": "csv"}}
    (planned_port,) = planned(REGISTRY.output_interfaces()["file"], "output_ports", port).outputs
    assert (planned_port.name, planned_port.store.format) == ("all", "csv")
