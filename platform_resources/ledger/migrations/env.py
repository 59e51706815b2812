"""How Alembic runs the ledger's migrations: on the connection, and in the transaction, that `open_ledger` gives."""

from alembic import context

from platform_resources.ledger import people_tables, tables  # noqa: F401 - they fill TABLES
from platform_resources.ledger.columns import TABLES

context.configure(connection=context.config.attributes["connection"], target_metadata=TABLES, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
