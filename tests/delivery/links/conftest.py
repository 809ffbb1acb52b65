"""Messages that have left, with links in them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from customers.models import Channel, Customer
from marketing.content.models import TemplateVersion
from marketing.delivery.links import counting, recording, tracking
from marketing.delivery.links.codes import make_code
from marketing.delivery.models import DispatchBatch, Message, SendRun
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory

BROWSER = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Mobile Safari/537.36"
)
BODY = "Hi {{ customer_name }}: https://kesar.example/book and https://kesar.example/prices"


def send(
    body: str = BODY,
    *,
    customer: Customer | None = None,
    run: SendRun | None = None,
    channel: str = Channel.EMAIL,
    **values: Any,
) -> Message:
    """A message of the open tenant scope that left an hour ago."""
    contents = {"en": {"subject": "Hello", "body": body}}
    if channel != Channel.EMAIL:
        contents["en"].pop("subject")
    template = TemplateFactory(name="Diwali Offer", channel=channel, contents=contents)
    version = template.versions.get()
    TemplateVersion.objects.filter(pk=version.pk).update(tracks_links=True)
    run = run or SendRun.objects.create(
        state=SendRun.State.FROZEN,
        kind=values.get("kind", SendRun.Kind.CAMPAIGN),
        label="Diwali 2026",
        purpose="promotional",
        steps=[],
        audience=1,
    )
    state = values.pop("state", "sent")
    batch = DispatchBatch.objects.create(
        tenant_id=run.tenant_id,
        run_id=run.pk,
        channel=channel,
        number=DispatchBatch.objects.filter(run_id=run.pk).count() + 1,
        **{state: 1},
    )
    message = Message.objects.create(
        **{
            "run": run,
            "batch": batch,
            "customer": customer or CustomerFactory(),
            "template_version": version,
            "kind": SendRun.Kind.CAMPAIGN,
            "channel": channel,
            "purpose": "promotional",
            "address": "asha@example.com",
            "language": "en",
            "variables": {"customer_name": "Asha"},
            "state": state,
            "sending_at": timezone.now() - dt.timedelta(hours=1),
            "sent_at": timezone.now() - dt.timedelta(hours=1),
            **values,
        }
    )
    DispatchBatch.objects.filter(pk=batch.pk).update(first_id=message.pk, last_id=message.pk)
    return message


def code_of(message: Message, number: int = 1) -> str:
    """The code of the message's nth link; 0 is its picture."""
    version = TemplateVersion.objects.select_related("template", "tenant").get(
        pk=message.template_version_id
    )
    tracked = tracking.prepare([version])[version.pk]
    if number == 0:
        assert tracked.picture_id is not None
        return make_code(tracked.picture_id, message.pk)
    return tracked.codes(message.pk, "en")[f"link_{number}"]


@pytest.fixture(autouse=True)
def forget_links() -> None:
    """Each test begins with rows of its own; numbers come again after a flush."""
    recording._kept_link.cache_clear()


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count at once what came in, without the pause for machines in haste."""
    monkeypatch.setattr(counting, "WAIT", -dt.timedelta(seconds=1))
    return counting.count_engagement
