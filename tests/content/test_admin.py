"""Super owners change templates in the admin by the same service."""

from marketing.content import usage
from marketing.core.models import AuditEntry
from tests.factories.content import TemplateFactory

FIELDS = {"name": "Better", "description": "", "category": "", "is_active": "on"}


def test_renaming_is_audited_and_keeps_the_version(login):
    template = TemplateFactory()
    path = f"/admin/content/messagetemplate/{template.pk}/change/"
    assert login("owner").post(path, FIELDS).status_code == 302
    template.refresh_from_db()
    assert (template.name, template.version) == ("Better", 1)
    assert AuditEntry.objects.get().action == "template.update"


def test_one_in_use_cannot_be_switched_off(login, monkeypatch):
    template = TemplateFactory()
    use = usage.Use("Campaign", "Festival push", "/campaigns/1")
    monkeypatch.setattr(usage, "_registered", [lambda _: [use]])
    path = f"/admin/content/messagetemplate/{template.pk}/change/"
    answer = login("owner").post(path, {"name": template.name, "description": ""}, follow=True)
    assert b"Festival push" in answer.content
    template.refresh_from_db()
    assert template.is_active


def test_versions_are_only_looked_at(login):
    version = TemplateFactory().versions.get()
    path = f"/admin/content/templateversion/{version.pk}"
    assert login("owner").get(f"{path}/change/").status_code == 200
    assert login("owner").post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    assert login("manager").get(f"{path}/change/").status_code in (302, 403)
