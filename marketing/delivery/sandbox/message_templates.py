"""Message templates the sandbox knows: made over the vendor's API, or put in directly."""

import dataclasses
import json
import secrets
from collections.abc import Mapping
from typing import Any

from marketing.delivery.sandbox.database import Database

STATUSES = ("PENDING", "APPROVED", "REJECTED", "PAUSED", "DISABLED")


@dataclasses.dataclass(frozen=True, slots=True)
class Template:
    """One template in one language. ``content_id`` names the stored text of its present version.

    ``owner`` is the WhatsApp business account id for Meta, else the account's name. ``name`` is
    the vendor's id of the template where it sends by that: MSG91's, Gupshup's, Twilio's content
    SID. ``review_ms`` is when a pending one will have been reviewed.
    """

    provider: str
    owner: str
    name: str
    language: str
    id: str
    status: str
    rejected_reason: str
    review_ms: int | None
    content_id: int
    body: Mapping[str, Any]


class Templates:
    """All templates, in memory and in the database.

    A version's text is never overwritten, so that messages sent before an edit still show theirs.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_key: dict[tuple[str, str, str, str], Template] = {}
        rows = database.rows(
            "SELECT template.*, content.body FROM template"
            " JOIN content ON content.id = template.content_id"
        )
        for row in rows:
            self._index(Template(**{**dict(row), "body": json.loads(row["body"])}))

    def _index(self, template: Template) -> None:
        self._by_key[_key(template)] = template

    def find(self, provider: str, owner: str, name: str, language: str) -> Template | None:
        return self._by_key.get((provider, owner, name, language))

    def with_id(self, template_id: str) -> Template | None:
        return next(
            (template for template in self._by_key.values() if template.id == template_id), None
        )

    def owned_by(self, provider: str, owner: str) -> list[Template]:
        """Oldest first."""
        owned = [
            template
            for template in self._by_key.values()
            if (template.provider, template.owner) == (provider, owner)
        ]
        return sorted(owned, key=lambda template: (len(template.id), template.id))

    def put(
        self,
        *,
        provider: str,
        owner: str,
        name: str,
        language: str,
        status: str,
        body: Mapping[str, Any],
        review_ms: int | None = None,
    ) -> Template:
        """Create a template, or give an existing one a new version and this status."""
        former = self.find(provider, owner, name, language)
        content_id = self._database.write(
            "INSERT INTO content (kind, body) VALUES (?, ?)",
            (f"{provider}_template", json.dumps(body)),
        ).lastrowid
        assert content_id is not None
        template = Template(
            provider=provider,
            owner=owner,
            name=name,
            language=language,
            id=former.id if former else str(10**15 + secrets.randbelow(9 * 10**15)),
            status=status,
            rejected_reason="NONE",
            review_ms=review_ms,
            content_id=content_id,
            body=body,
        )
        self._save(template)
        self._index(template)
        return template

    def set_status(self, template: Template, status: str, rejected_reason: str = "NONE") -> None:
        changed = dataclasses.replace(
            template, status=status, rejected_reason=rejected_reason, review_ms=None
        )
        self._save(changed)
        self._index(changed)

    def review(self, at_ms: int) -> list[Template]:
        """Decide what is due: approved, or rejected by a name that ends in ``_reject``."""
        due = [
            template
            for template in self._by_key.values()
            if template.review_ms is not None and template.review_ms <= at_ms
        ]
        for template in due:
            if template.name.endswith("_reject"):
                self.set_status(template, "REJECTED", "INVALID_FORMAT")
            else:
                self.set_status(template, "APPROVED")
        return [self._by_key[_key(template)] for template in due]

    def delete(self, provider: str, owner: str, name: str) -> int:
        """Delete a template in all its languages. Returns how many there were."""
        keys = [key for key in self._by_key if key[:3] == (provider, owner, name)]
        self._database.write(
            "DELETE FROM template WHERE provider = ? AND owner = ? AND name = ?",
            (provider, owner, name),
        )
        for key in keys:
            del self._by_key[key]
        return len(keys)

    def _save(self, template: Template) -> None:
        self._database.write(
            "INSERT INTO template"
            " (provider, owner, name, language, id, status, rejected_reason, review_ms, content_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (provider, owner, name, language) DO UPDATE SET"
            " status = excluded.status, rejected_reason = excluded.rejected_reason,"
            " review_ms = excluded.review_ms, content_id = excluded.content_id",
            (
                template.provider,
                template.owner,
                template.name,
                template.language,
                template.id,
                template.status,
                template.rejected_reason,
                template.review_ms,
                template.content_id,
            ),
        )


def _key(template: Template) -> tuple[str, str, str, str]:
    return template.provider, template.owner, template.name, template.language
