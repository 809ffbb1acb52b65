"""Telling staff: once, to whom it concerns, in the page header and by e-mail."""

import datetime as dt

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext_lazy

from marketing.core import errors, news
from marketing.core import services as core
from marketing.core.models import Staff, StaffNotification
from marketing.core.services import notifications
from marketing.core.tasks import mail_notifications
from marketing.core.tenancy import tenant_scope
from tests.factories.core import make_chain
from tests.page_queries import questions

NOW = dt.datetime(2026, 11, 2, 6, 30, tzinfo=dt.UTC)
KIND = "test.happened"


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Tasks wait in the rows; the kind is told only here."""
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda *args, **options: None)
    kind = news.Kind(
        title=gettext_lazy("“%(campaign)s” waits for your approval"),
        icon="bell",
        address=lambda target: reverse("home"),
    )
    monkeypatch.setitem(news._kinds, KIND, kind)
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def tell(*people, key="1", campaign="Diwali"):
    ids = [person.pk for person in people]
    return core.notify(KIND, staff_ids=ids, key=key, facts={"campaign": campaign})


def send_due():
    """What the task does in one chain."""
    sent = core.send_mails(core.take_mails())
    core.note_sent(sent)
    return len(sent)


def test_told_twice_is_told_once(chain):
    tell(chain.manager, chain.owner)
    tell(chain.manager)
    assert StaffNotification.objects.count() == 2
    assert send_due() == 2
    assert send_due() == 0
    assert sorted(address for message in mail.outbox for address in message.to) == sorted(
        [chain.manager.email, chain.owner.email]
    )


def test_who_left_is_not_told(chain):
    Staff.objects.filter(pk=chain.manager.pk).update(is_active=False)
    assert tell(chain.manager) == 0
    assert not StaffNotification.objects.exists()


def test_an_unknown_kind_is_our_own_fault(chain):
    with pytest.raises(KeyError):
        core.notify("no.such", staff_ids=[chain.owner.pk], key="1", facts={})


def test_mail_speaks_the_persons_language_and_leads_to_the_news(chain, settings):
    settings.PUBLIC_BASE_URL = "https://kesar.example"
    core.update_own(actor=chain.actor(chain.manager), values={"language": "hi"})
    tell(chain.manager, chain.owner, campaign="दिवाली\nglow")
    send_due()
    by_person = {message.to[0]: message for message in mail.outbox}
    row = StaffNotification.objects.get(staff=chain.owner)
    english = by_person[chain.owner.email]
    assert english.subject == "“दिवाली glow” waits for your approval"
    assert f"https://kesar.example/notifications/{row.pk}" in english.body
    assert english.extra_headers["Message-ID"] == f"<{row.pk}@parlour>"
    hindi = by_person[chain.manager.email]
    assert hindi.subject == "“दिवाली glow” आपकी मंज़ूरी की प्रतीक्षा में है"
    assert "Look at it" not in hindi.body


def test_the_mail_server_is_asked_outside_any_transaction(transactional_db, monkeypatch):
    chain = make_chain()
    in_transaction = []

    def send(message, *args, **options):
        in_transaction.append(connection.in_atomic_block)
        return 1

    monkeypatch.setattr("django.core.mail.EmailMessage.send", send)
    with tenant_scope(chain.tenant.pk):
        tell(chain.manager)
    mail_notifications()
    mail_notifications()
    assert in_transaction == [False]
    with tenant_scope(chain.tenant.pk):
        assert StaffNotification.objects.get().emailed_at == NOW


def test_no_mail_to_who_wants_none_has_no_address_or_read_it_meanwhile(chain):
    core.update_own(actor=chain.actor(chain.manager), values={"notify_by_email": False})
    Staff.objects.filter(pk=chain.regional.pk).update(email="")
    tell(chain.manager, chain.regional, chain.owner)
    core.mark_all_read(actor=chain.actor(chain.owner))
    assert send_due() == 0
    assert StaffNotification.objects.filter(email_after=None).count() == 3


def test_who_switches_mail_off_gets_none_of_what_waits(chain):
    tell(chain.manager)
    core.update_own(actor=chain.actor(chain.manager), values={"notify_by_email": False})
    assert send_due() == 0
    assert StaffNotification.objects.get().email_after is None


def test_a_mail_server_that_refuses_is_asked_again_later_and_not_for_ever(
    chain, monkeypatch, quiet
):
    tell(chain.manager)

    def refuse(message, *args, **options):
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    assert send_due() == 0
    assert core.take_mails() == []  # leased: not before its time
    tries = 1
    while StaffNotification.objects.get().email_after is not None:
        quiet.shift(dt.timedelta(days=1))
        tries += len(core.take_mails())
    assert tries == notifications.MOST_ATTEMPTS
    assert StaffNotification.objects.get().emailed_at is None


def test_what_is_settled_bothers_nobody(chain, other_chain):
    target = chain.north.pk
    for person in (chain.manager, chain.owner):
        core.notify(KIND, staff_ids=[person.pk], key="1", facts={"campaign": "x"}, target_id=target)
    core.settle(KIND, target_id=target)
    assert not StaffNotification.objects.filter(read_at=None).exists()
    assert send_due() == 0


def test_old_news_is_forgotten(chain, quiet):
    quiet.move_to(dt.datetime.now(dt.UTC))
    tell(chain.manager)
    core.forget_old()
    assert StaffNotification.objects.count() == 1
    # The database's clock made the id; ours goes on.
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=4000), tick=False):
        assert core.forget_old() == 1


def test_nobody_sees_anybody_elses(chain, other_chain, login):
    tell(chain.manager)
    (row,) = StaffNotification.objects.all()
    address = reverse("notification-open", args=[row.pk])
    assert login("owner").get(address).status_code == 404
    with tenant_scope(other_chain.tenant.pk), pytest.raises(errors.NotFound):
        core.mark_read(actor=other_chain.actor(other_chain.owner), notification_id=row.pk)
    assert StaffNotification.objects.get().read_at is None
    answer = login("manager").get(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("home"))
    assert StaffNotification.objects.get().read_at == NOW


def test_the_header_counts_what_is_unread_without_a_query_of_its_own(chain, login):
    client, page = login("manager"), reverse("own-page")
    before, _fragments = questions(client, page)
    for number in range(120):
        tell(chain.manager, key=str(number))
    found, _fragments = questions(client, page)
    assert len(found) == len(before)
    assert "99+" in client.get(page).content.decode()
    assert client.post(reverse("notification-read-all")).status_code == 302
    assert "99+" not in client.get(page).content.decode()


def test_the_list_takes_few_queries_however_long_it_is(chain, login):
    client, page = login("manager"), reverse("notification-list")
    tell(chain.manager, key="first")
    few, _fragments = questions(client, page)
    for number in range(40):
        tell(chain.manager, key=str(number), campaign=f"Campaign {number} & <b>")
    many, _fragments = questions(client, page)
    assert len(many) == len(few)
    shown = client.get(page).content.decode()
    assert "Campaign 39 &amp; &lt;b&gt;" in shown
    assert "page=2" in shown


def test_the_own_page(chain, login):
    client, page = login("receptionist"), reverse("own-page")
    assert client.get(page).status_code == 200
    assert client.post(page, {"language": "xx"}).status_code == 422
    assert client.post(page, {"language": "hi"}).status_code == 302
    stored = Staff.objects.get(pk=chain.receptionist.pk)
    assert (stored.notify_by_email, stored.language) == (False, "hi")
    assert Staff.objects.get(pk=chain.manager.pk).notify_by_email is True
