"""The export `odaa`."""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from platform_resources.capabilities.protocols import AgreedRole, Exported, NoExportSettings, NothingToTell, WrittenOnly
from platform_resources.interchange.bitol_parts import Fields, filled, identity, team_of
from platform_resources.interchange.foreign_yaml import foreign_text
from platform_resources.spec.product import Product

_API = "v0.9.0"


class AccessAgreements(WrittenOnly):
    """Who may read the product: each approved role of somebody as an agreement on each output port, as Bitol's draft 0.9.0 (ODAA) has them.

    Experimental: the draft (RFC 56) has no release, and its name changes. Only who may decide on the roles is told them.
    """

    name = "odaa"
    config = NoExportSettings
    media_type = "application/yaml"
    ending = ".odaa.yaml"
    example = """
- name: Internal use
  type: data-sharing-agreement
  properties:
    purpose: Planning.
    roles: [{role: analyst, sees: [public, internal]}]
    grants: [{role: analyst, to: "team:planning", purpose: Weekly plan., approved_by: head-of-sales@example.com, until: 2027-06-30}]
"""

    def text(self, settings: NoExportSettings, source: Exported) -> str:
        agreed = source.seen().agreed
        if agreed is None:
            raise NothingToTell("who may read it is told to its owners and to governance alone, and no control port")
        documents = [_agreement(source.product, role, port.name) for role in agreed for port in source.product.output_ports]
        if not documents:
            raise NothingToTell("nobody has a role of it; `mesh access request` asks for one")
        return "---\n".join(map(foreign_text, documents))


def _agreement(product: Product, agreed: AgreedRole, port: str) -> Fields:
    owners = product.info.owners
    provider = {
        "teamId": team_of((owners.technical, owners.business), product.domain),
        "dataProductId": product.name,
        "outputPortId": port,
        "dataContractId": identity(product.name),
        **filled(dataContractVersion=product.info.version),
    }
    return {
        "apiVersion": _API,
        "kind": "AccessAgreement",
        "id": str(uuid5(NAMESPACE_URL, f"urn:data-product:{product.name}:{port}:{agreed.name}")),
        "status": "approved",
        "description": {"purpose": agreed.purpose},
        **filled(startTimestamp=_moment(agreed.since), endTimestamp=_moment(agreed.until)),
        "provider": provider,
        "consumer": _consumer(agreed),
        "roles": [{"role": agreed.role}],
    }


def _consumer(agreed: AgreedRole) -> Fields:
    kind, _, name = agreed.subject.rpartition(":")
    if kind == "product" and agreed.team:
        return {"teamId": agreed.team, "dataProductId": name}
    return {"teamId": name} if kind == "team" else {"userId": agreed.subject}


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at is not None else ""


CAPABILITY = AccessAgreements()
