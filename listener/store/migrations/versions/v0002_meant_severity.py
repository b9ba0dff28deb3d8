"""What a case should have been, when people say that its severity was wrong; and resolved cases by their end."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A plain ADD COLUMN: it copies no table, and AUTOINCREMENT of the ids that people type stays."""
    op.add_column("cases", sa.Column("meant", sa.String(), nullable=True))
    resolved = sa.text("state = 'resolved'")
    op.create_index(
        "ix_cases_resolved", "cases", ["resolved_at", "id"], sqlite_where=resolved, postgresql_where=resolved
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_index("ix_cases_resolved", "cases")
    op.drop_column("cases", "meant")
