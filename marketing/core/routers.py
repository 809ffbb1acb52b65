"""Which role does what: the owner migrates, the application's role does everything else."""

from typing import Any

from django.conf import settings


class OwnerMigrates:
    """Migrations run on the `owner` connection where one is configured."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return db == "owner" if "owner" in settings.DATABASES else None
