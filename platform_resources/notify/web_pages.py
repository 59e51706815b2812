"""Addresses of the pages that messages link to: Dagster runs, incidents, domains."""

from dataclasses import dataclass

from platform_resources.incidents.life_cycle import Incident


@dataclass(frozen=True, slots=True)
class WebPages:
    """Base addresses of Dagster and of the mesh's pages; without one, messages have no links."""

    dagster: str = ""
    mesh: str = ""

    def run(self, run_id: str) -> str:
        """A run's page in Dagster."""
        return f"{self.dagster.rstrip('/')}/runs/{run_id}" if self.dagster and run_id else ""

    def incident(self, incident: Incident) -> str:
        """An incident's page."""
        return f"{self.mesh.rstrip('/')}/incidents/{incident.cause}/{incident.number}" if self.mesh else ""

    def domain(self, name: str) -> str:
        """A domain's page."""
        return f"{self.mesh.rstrip('/')}/domains/{name}" if self.mesh else ""


NO_PAGES = WebPages()
