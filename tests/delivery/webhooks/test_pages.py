"""The webhooks' page: what came in, who may look at it and replay it."""

import json

import pytest
from django.urls import reverse

from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import ExtraKeyword, InboundMessage, WebhookEvent
from marketing.delivery.webhooks import changes, consumer
from tests.delivery.webhooks.payloads import NOW, inbound
from tests.factories.policy import make_account


@pytest.fixture
def account(chain):
    return make_account("meta")


def make_event(account, payload, **values):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return WebhookEvent.objects.create(
        account_id=account.pk, provider=account.provider, body=body, **values
    )


def test_requests_are_listed_with_state_and_content(account, login):
    make_event(account, inbound("Can I come?", "+919812345678"), state="applied")
    make_event(account, b"nonsense", state="unreadable")
    page = login("manager").get(reverse("webhook-list")).content.decode()
    assert "Can I come?" in page
    assert "Unreadable" in page
    assert account.name in page


def test_only_owners_see_whole_numbers(account, login):
    event = make_event(account, inbound("call 9812345678", "+919812345678"))
    InboundMessage.objects.create(
        account_id=account.pk,
        key="1",
        channel="whatsapp",
        sender="+919812345678",
        is_known=False,
        text="hello",
        said_at="2026-11-21T00:00:00Z",
    )
    for name, args in (("webhook-list", []), ("webhook-detail", [event.pk])):
        url = reverse(name, args=args)
        assert "9812345678" not in login("regional").get(url).content.decode()
        assert "9812345678" in login("owner").get(url).content.decode()


def test_secrets_of_a_request_are_not_shown(account, login):
    event = make_event(account, inbound("x", "+919812345678"))
    page = login("owner").get(reverse("webhook-detail", args=[event.pk])).content.decode()
    assert account.credentials["app_secret"] not in page


@pytest.mark.parametrize("filters", [{"state": "unreadable"}, {"account": "other"}])
def test_filters(account, login, filters):
    other = make_account("meta", name="Other", is_default=False)
    make_event(account, inbound("wanted not", "+919812345678"), state="applied")
    make_event(other, b"broken", state="unreadable")
    asked = {k: other.pk if v == "other" else v for k, v in filters.items()}
    page = login("owner").get(reverse("webhook-list"), asked).content.decode()
    assert "wanted not" not in page
    assert "6\xa0bytes" in page


def test_pages_of_the_list_follow_each_other(account, login):
    for number in range(30):
        make_event(account, inbound(f"text-{number:02}", "+919812345678", f"k{number}"))
    first = login("owner").get(reverse("webhook-list"))
    assert "text-29" in first.content.decode()
    assert "text-04" not in first.content.decode()
    older = login("owner").get(reverse("webhook-list"), {"before": first.context["before"]})
    assert "text-04" in older.content.decode()
    assert older.context["before"] is None


@pytest.mark.parametrize("count", [3, 25])
def test_number_of_queries(account, login, django_assert_max_num_queries, count):
    for number in range(count):
        make_event(account, inbound("hello", "+919812345678", f"k{number}"))
    client = login("owner")
    with django_assert_max_num_queries(18):
        assert client.get(reverse("webhook-list")).status_code == 200


def test_who_may_look_and_who_may_change(account, login):
    event = make_event(account, b"nonsense", state="unreadable", applied_at="2026-11-21T00:00:00Z")
    detail = reverse("webhook-detail", args=[event.pk])
    assert login("receptionist").get(reverse("webhook-list")).status_code == 403
    assert login("receptionist").get(detail).status_code == 403
    assert login("manager").get(detail).status_code == 200
    for name, args in (
        ("webhook-replay", [event.pk]),
        ("webhook-account-replay", [account.pk]),
        ("webhook-keywords", []),
    ):
        assert login("regional").post(reverse(name, args=args)).status_code == 403
    event.refresh_from_db()
    assert event.applied_at is not None
    assert not AuditEntry.objects.filter(action="webhook.replay").exists()


def test_another_chains_request_is_not_found(account, login, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        theirs = make_event(make_account("meta"), b"theirs")
    for name in ("webhook-detail", "webhook-replay"):
        url = reverse(name, args=[theirs.pk])
        answer = login("owner").get(url) if name == "webhook-detail" else login("owner").post(url)
        assert answer.status_code == 404


def test_a_request_is_applied_again_and_changes_nothing_twice(chain, account, login):
    event = make_event(account, inbound("hello", "+919812345678", at=NOW))
    consumer._consume_round(chain.tenant.pk)
    assert InboundMessage.objects.count() == 1
    answer = login("owner").post(reverse("webhook-replay", args=[event.pk]))
    assert answer.status_code == 302
    event.refresh_from_db()
    assert (event.state, event.applied_at) == ("waiting", None)
    consumer._consume_round(chain.tenant.pk)
    event.refresh_from_db()
    assert event.state == "applied"
    assert InboundMessage.objects.count() == 1
    assert AuditEntry.objects.filter(action="webhook.replay").count() == 1


def test_everything_of_an_account_that_was_not_applied(chain, account, login):
    other = make_account("meta", name="Other", is_default=False)
    done = {"applied_at": "2026-11-21T00:00:00Z"}
    bad = make_event(account, b"nonsense", state="unreadable", **done)
    lost = make_event(account, b"{}", state="unknown", **done)
    good = make_event(account, b"{}", state="applied", **done)
    theirs = make_event(other, b"{}", state="unknown", **done)
    login("owner").post(reverse("webhook-account-replay", args=[account.pk]))
    waiting = WebhookEvent.objects.filter(state="waiting", applied_at=None)
    assert set(waiting.values_list("pk", flat=True)) == {bad.pk, lost.pk}
    assert {good.pk, theirs.pk}.isdisjoint(waiting.values_list("pk", flat=True))


def test_own_keywords_are_saved_normalised(chain, login):
    url = reverse("webhook-keywords")
    answer = login("owner").post(url, {"stop": "Bas Karo!, ", "start": "haan", "help": ""})
    assert answer.status_code == 302
    words = set(ExtraKeyword.objects.values_list("word", "keyword"))
    assert words == {("bas karo", "stop"), ("haan", "start")}
    login("owner").post(url, {"stop": "", "start": "haan", "help": ""})
    assert set(ExtraKeyword.objects.values_list("word", flat=True)) == {"haan"}


def test_a_keyword_that_means_something_else_is_refused(chain, login):
    answer = login("owner").post(reverse("webhook-keywords"), {"help": "stop", "stop": "bas"})
    assert answer.status_code == 422
    assert "means something else" in answer.content.decode()
    assert not ExtraKeyword.objects.exists()


def test_services_ask_for_the_permission(chain, account):
    from marketing.core.errors import Forbidden

    with pytest.raises(Forbidden):
        changes.replay_troubled(actor=chain.actor(chain.regional), account=account)
