"""The component type `data-sharing-agreement`."""

from platform_resources.capabilities.protocols import WithoutVariants
from platform_resources.spec.agreements import DataSharingAgreement


class DataSharingAgreementComponent(WithoutVariants):
    """The terms for consumers: purpose, approval, duration, and what each role sees clear or masked."""

    name = "data-sharing-agreement"
    config = DataSharingAgreement
    example = """
- name: Internal use
  type: data-sharing-agreement
  properties:
    purpose: Analytics inside the company.
    roles:
      - {role: analyst, sees: [public, internal], masked: [personal]}
"""


CAPABILITY = DataSharingAgreementComponent()
