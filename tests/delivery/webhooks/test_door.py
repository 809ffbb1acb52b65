"""The vendors' door: verified, committed, answered, past the middleware for people."""

import threading
import time

import pytest
from django.db import OperationalError
from django.test import Client

from marketing.core.actor import Actor
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import WebhookEvent
from marketing.delivery.providers.base import Call
from marketing.delivery.webhooks import inbox
from marketing.delivery.webhooks.addresses import AddressBook, book
from marketing.delivery.webhooks.inbox import Inbox
from marketing.policy.models import ProviderAccount, WebhookAddress
from marketing.policy.services import update_account
from tests.delivery.webhooks.conftest import messages
from tests.delivery.webhooks.payloads import status, statuses

HERE = "http://127.0.0.1:8000/"


def stored(run):
    with tenant_scope(run.tenant_id):
        return list(WebhookEvent.objects.order_by("pk"))


def test_a_good_request_is_stored_as_it_came(run, post):
    answer = post(b'{"entry": []}')
    assert (answer.status_code, answer.content) == (200, b"")
    (event,) = stored(run)
    assert bytes(event.body) == b'{"entry": []}'
    assert (event.tenant_id, event.state, event.applied_at) == (run.tenant_id, "waiting", None)


def test_no_session_cookie_or_header_for_people(run, post):
    answer = post({"entry": []})
    assert not answer.cookies
    assert "Content-Security-Policy" not in answer.headers
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("signature", ["", "sha256=0", "sha256=" + "0" * 64])
def test_bad_signature_is_refused_and_leaves_nothing(run, post, signature):
    response = post(statuses(status(messages(run)[0], "read")), signature=signature)
    assert response.status_code == 403
    assert response.json()["error"]["message"] == "The signature does not match."
    with tenant_scope(run.tenant_id):
        assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("path", ["meta/nonsense", "msg91/{token}"])
def test_unknown_address_is_not_found(run, post, path):
    token = WebhookAddress.objects.get().token
    response = post({}, url=f"/api/v1/webhooks/{path.format(token=token)}")
    assert response.status_code == 404


def test_subscription_check_answers_the_challenge(run):
    with tenant_scope(run.tenant_id):
        account = ProviderAccount.objects.get()
        account.credentials = {**account.credentials, "verify_token": "ours"}
        account.save()
    url = f"/api/v1/webhooks/meta/{WebhookAddress.objects.get().token}"
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    good = Client().get(url, {**asked, "hub.verify_token": "ours"})
    assert (good.status_code, good.content) == (200, b"1158201444")
    assert Client().get(url, {**asked, "hub.verify_token": "theirs"}).status_code == 403


def test_methods_but_get_and_post_are_refused(run, post):
    token = WebhookAddress.objects.get().token
    assert Client().put(f"/api/v1/webhooks/meta/{token}", b"{}").status_code == 405
    assert not stored(run)


def test_a_body_too_large_is_refused(run, post, monkeypatch):
    monkeypatch.setattr("marketing.delivery.webhooks.door.MAX_BODY_BYTES", 10)
    assert post({"entry": []}).status_code == 413
    assert not stored(run)


def test_a_database_that_is_away_asks_the_vendor_to_come_again(run, post, monkeypatch):
    def fail(self, rows):
        raise OperationalError("away")

    monkeypatch.setattr(Inbox, "_store", fail)
    assert post({"entry": []}).status_code == 503
    assert not stored(run)


def test_a_lost_connection_is_opened_again(run, post):
    post({"entry": []})
    inbox._inbox._connection.connection.close()
    assert post({"entry": []}).status_code == 200
    assert len(stored(run)) == 2


def test_requests_of_many_threads_are_written_together_each_once(run, monkeypatch):
    with tenant_scope(run.tenant_id):
        account = ProviderAccount.objects.get()
    taken, sizes = Inbox(), []
    store = Inbox._store

    def counted(self, rows):
        sizes.append(len(rows))
        time.sleep(0.02)
        store(self, rows)

    monkeypatch.setattr(Inbox, "_store", counted)

    def put(number):
        call = Call(url=HERE, headers={}, body=str(number).encode())
        taken.put(run.tenant_id, account.pk, "meta", call)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(bytes(event.body)) for event in stored(run)) == list(range(40))
    assert len(sizes) < 40
    taken._connection.close()


def test_one_statement_keeps_tenants_apart(run, other_live_chain):
    with tenant_scope(run.tenant_id):
        account = ProviderAccount.objects.get()
    taken = Inbox()
    taken._store(
        [
            (str(run.tenant_id), account.pk, "meta", "", b"ours"),
            (str(other_live_chain.tenant.pk), account.pk, "meta", "", b"theirs"),
        ]
    )
    taken._connection.close()
    assert [bytes(event.body) for event in stored(run)] == [b"ours"]
    with tenant_scope(other_live_chain.tenant.pk):
        assert bytes(WebhookEvent.objects.get().body) == b"theirs"


def test_a_changed_secret_holds_within_a_second(run, post):
    token = WebhookAddress.objects.get().token
    known = AddressBook()
    assert known.find("meta", token).account.credentials["app_secret"] == "app-secret-0001"
    with tenant_scope(run.tenant_id):
        update_account(
            actor=Actor.system(run.tenant_id),
            account=ProviderAccount.objects.get(),
            values={"credentials": {"app_secret": "another-secret"}},
        )
    known._looked_at -= 2
    assert known.find("meta", token).account.credentials["app_secret"] == "another-secret"


def test_a_known_address_asks_the_database_nothing(run, post, django_assert_num_queries):
    token = WebhookAddress.objects.get().token
    book.find("meta", token)
    payload = statuses(status(messages(run)[0], "read"))
    with django_assert_num_queries(0):
        assert post(payload).status_code == 200
