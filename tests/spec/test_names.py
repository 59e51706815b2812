"""Titles of what has only a name."""

import pytest

from platform_resources.spec.values.names import title_of_name


@pytest.mark.parametrize(
    ("name", "title"),
    [("sales_eu", "Sales EU"), ("customer_360", "Customer 360"), ("hr", "HR"), ("crm-contacts", "CRM contacts"), ("orders", "Orders")],
)
def test_a_name_becomes_a_title(name, title):
    assert title_of_name(name) == title
