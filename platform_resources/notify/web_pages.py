"""Addresses of the pages that messages link to: runs in Dagster, incidents and domains of the mesh."""

from dataclasses import dataclass

from platform_resources.incidents.life_cycle import Incident


@dataclass(frozen=True, slots=True)
class WebPages:
    """Where the pages of Dagster and of the mesh are; empty where nobody has said so, and then there are no links."""

    dagster: str = ""
    mesh: str = ""

    def run(self, run_id: str) -> str:
        """A run's page in Dagster."""
        return f"{self.dagster.rstrip('/')}/runs/{run_id}" if self.dagster and run_id else ""

    def incident(self, incident: Incident) -> str:
        return f"{self.mesh.rstrip('/')}/incidents/{incident.cause}/{incident.number}" if self.mesh else ""

    def domain(self, name: str) -> str:
        return f"{self.mesh.rstrip('/')}/domains/{name}" if self.mesh else ""


NO_PAGES = WebPages()
