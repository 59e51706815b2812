"""The component type `data-sharing-agreement`."""

from collections.abc import Mapping
from typing import Any

from platform_resources.spec.agreements import DataSharingAgreement


class DataSharingAgreementComponent:
    """The terms for consumers: purpose, approval, duration, and what each role sees clear or masked."""

    name = "data-sharing-agreement"
    config = DataSharingAgreement
    variant_field = ""
    example = """
- name: Internal use
  type: data-sharing-agreement
  properties:
    purpose: Analytics inside the company.
    roles:
      - {role: analyst, sees: [public, internal], masked: [personal]}
"""

    def inferred_variant(self, properties: Mapping[str, Any]) -> str:
        return ""


CAPABILITY = DataSharingAgreementComponent()
