"""On PostgreSQL the key of readings holds their verdicts, so that an indicator's window is read from the index alone.

Rows lie there in the order in which they came, those of one check on as many pages; SQLite keeps them sorted by the key.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("alter table readings drop constraint pk_readings")
        op.execute("alter table readings add constraint pk_readings primary key (check_id, at, run_id) include (verdict)")
