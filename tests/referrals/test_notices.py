"""Both are told, once, by the channel they prefer; and nobody of what is not so any more."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from customers import services as customer_services
from marketing.content import usage
from marketing.core.errors import Forbidden, ValidationFailed
from marketing.core.models import AuditEntry
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.services import pause_run
from marketing.policy.models import ProviderAccount
from marketing.referrals import services
from marketing.referrals.models import NoticeTemplate, Referral, ReferralNotice
from marketing.referrals.services import choosing, notices
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import make_senders, open_all_hours, states_of
from tests.factories.policy import set_config
from tests.factories.referrals import converted, make_programme, past_hold, reward_all, system
from tests.referrals.telling import choose, message_on, said_to, tell


@pytest.fixture
def ready(chain, asha):
    open_all_hours()
    make_senders()


def test_off_until_a_message_is_chosen(chain, ready, asha, bela):
    converted(asha, bela, chain.north)
    assert tell() == 0
    choose("came", message_on())
    assert tell() == 0  # what was before is not told
    assert not SendRun.objects.exists()
    assert not ReferralNotice.objects.exists()


def test_who_brought_a_friend_is_told_once_of_each(chain, ready, asha, bela):
    for kind in ("came", "rewarded", "friend_rewarded"):
        choose(kind, message_on())
    referral = converted(asha, bela, chain.north)
    assert [tell(), tell()] == [1, 0]
    [said] = said_to(asha)
    assert (said["referral_friend"], said["referral_reward"]) == ("Bela", "100 points")
    past_hold(referral)
    reward_all()
    # Bela had her tenth off on her bill: there is nothing to tell her.
    assert [tell(), tell()] == [1, 0]
    assert len(said_to(asha)) == 2
    assert said_to(bela) == []
    run = SendRun.objects.order_by("pk").first()
    assert (run.kind, run.purpose, run.mode) == ("trigger", "service", "single")
    assert states_of(run) == {"queued": 1}
    assert ReferralNotice.objects.filter(referral=referral).count() == 2


def test_the_friend_is_told_of_her_points_and_a_code_is_named(chain, ready, asha, bela):
    make_programme(
        referrer_reward_type="discount",
        referrer_reward_value=20,
        referred_reward_type="points",
        referred_reward_value=50,
        hold_days=0,
    )
    choose("rewarded", message_on())
    choose("friend_rewarded", message_on())
    asha.language = "hi"
    asha.save()
    referral = converted(asha, bela, chain.north)
    reward_all()
    assert tell() == 2
    referral.refresh_from_db()
    [to_asha], [to_bela] = said_to(asha), said_to(bela)
    assert referral.referrer_reward_code.code in to_asha["referral_reward"]
    assert len(to_asha["referral_reward"]) <= 30
    assert to_bela["referral_reward"] == "50 points"
    assert to_bela["referral_referrer"] == "Asha"


def test_by_the_channel_she_prefers(chain, ready, asha, bela):
    choose("came", message_on(), message_on("sms"), message_on("email"))
    asha.preferred_channel = "email"
    asha.save()
    converted(asha, bela, chain.north)
    assert tell() == 1
    assert Message.objects.get().channel == "email"


def test_many_at_once_are_one_run_and_as_many_statements(
    chain, ready, asha, django_assert_max_num_queries
):
    choose("came", message_on())
    for number in range(4):
        converted(CustomerFactory(), CustomerFactory(last_name=f"Das{number}"), chain.north)
    converted(asha, CustomerFactory(last_name="Roy"), chain.north)
    converted(asha, CustomerFactory(last_name="Bose"), chain.north)
    with django_assert_max_num_queries(50):
        assert services.give_notices() == 5
    assert SendRun.objects.get().audience == 5
    assert tell() == 1  # Asha's second friend follows in a run of its own
    assert len(said_to(asha)) == 2


def test_nobody_is_told_of_what_waits_for_a_manager_or_is_old_news(chain, ready, asha, bela):
    choose("came", message_on())
    referral = converted(asha, bela, chain.north)
    rows = Referral.objects.filter(pk=referral.pk)
    rows.update(is_flagged=True)
    assert tell() == 0
    long_ago = timezone.now() - dt.timedelta(days=5)
    NoticeTemplate.objects.update(since=long_ago)
    rows.update(is_flagged=False, converted_at=timezone.now() - dt.timedelta(days=4))
    assert tell() == 0
    rows.update(reviewed_at=timezone.now())  # a manager has just let it pass
    assert tell() == 1


@pytest.mark.parametrize("fault", ["stopped", "unused", "paused", "unapproved", "no account"])
def test_what_cannot_go_waits(chain, ready, asha, bela, fault):
    template = message_on()
    choose("came", template)
    converted(asha, bela, chain.north)
    version = template.versions.get()
    if fault == "stopped":
        ProviderAccount.objects.update(circuit_reason="It refuses the token.")
    elif fault == "unused":
        template.is_active = False
        template.save()
    elif fault == "no account":
        ProviderAccount.objects.update(is_active=False)
    else:
        version.whatsapp_status = fault if fault == "paused" else "pending"
        version.save()
    assert tell() == 0
    assert not SendRun.objects.exists()
    assert not ReferralNotice.objects.exists()


def test_without_money_it_waits_and_goes_on(chain, ready, asha, bela):
    choose("came", message_on())
    converted(asha, bela, chain.north)
    set_config(monthly_budget_limit=Decimal("0.01"))
    assert tell() == 0
    assert not SendRun.objects.exists()
    set_config(monthly_budget_limit=None)
    assert tell() == 1


def test_a_run_that_was_stopped_for_money_goes_on_or_ends(chain, ready, asha, bela):
    choose("came", message_on())
    converted(asha, bela, chain.north)
    tell()
    run = SendRun.objects.get()
    pause_run(run=run, reason="budget")
    services.mind_notices()
    run.refresh_from_db()
    assert run.state == "frozen"
    pause_run(run=run, reason="template_stopped")
    services.mind_notices()
    assert SendRun.objects.get().state == "paused"
    SendRun.objects.update(frozen_at=timezone.now() - dt.timedelta(days=4))
    services.mind_notices()
    assert SendRun.objects.get().state == "cancelled"
    assert Message.objects.get().state == "skipped"


def test_the_gate_decides_who_gets_it(chain, ready, asha, bela):
    choose("came", message_on())
    asha.consent.whatsapp_service = False
    asha.consent.save()
    converted(asha, bela, chain.north)
    assert tell() == 1
    message = Message.objects.get()
    assert (message.state, message.customer_id) == ("skipped", asha.pk)
    assert tell() == 0


def test_a_refund_keeps_what_was_not_sent_from_going(chain, ready, asha, bela):
    choose("rewarded", message_on())
    make_programme(hold_days=0)
    referral = converted(asha, bela, chain.north)
    other = converted(CustomerFactory(), CustomerFactory(last_name="Das"), chain.north)
    reward_all()
    assert tell() == 2
    for row in (referral, referral):
        services.take_refund({"referral": str(row.pk), "converted": True}, {}, is_whole=True)
    assert Referral.objects.get(pk=referral.pk).state == "clawed_back"
    mine = Message.objects.get(customer=asha)
    assert (mine.state, mine.reason, mine.cost) == ("skipped", "cancelled", 0)
    assert Message.objects.get(customer=other.referrer_id).state == "queued"
    assert states_of(SendRun.objects.get()) == {"queued": 1, "skipped": 1}


def test_a_refund_before_it_is_told_tells_nothing(chain, ready, asha, bela):
    choose("came", message_on())
    choose("rewarded", message_on())
    make_programme(hold_days=0)
    referral = converted(asha, bela, chain.north)
    reward_all()
    services.take_refund({"referral": str(referral.pk), "converted": True}, {}, is_whole=True)
    assert tell() == 0
    assert not Message.objects.exists()


def test_the_last_message_withdrawn_ends_its_batch(chain, ready, asha, bela):
    choose("came", message_on())
    referral = converted(asha, bela, chain.north)
    tell()
    services.take_refund({"referral": str(referral.pk), "converted": True}, {}, is_whole=True)
    assert set(DispatchBatch.objects.values_list("state", flat=True)) == {"done"}


def test_who_was_merged_hears_as_whom_she_became_and_who_was_erased_does_not(
    chain, ready, asha, bela
):
    choose("came", message_on())
    survivor = CustomerFactory(last_name="Rao", phone="+919876500077")
    converted(asha, bela, chain.north)
    customer_services.merge_customers(actor=system(), keep=survivor, other=asha, choices={})
    assert tell() == 1
    assert Message.objects.get().customer_id == survivor.pk
    notice = ReferralNotice.objects.get()
    assert notice.said["referral_friend"] == "Bela"
    bela.refresh_from_db()
    customer_services.erase_customer(actor=system(), customer=bela)
    notice.refresh_from_db()
    assert notice.said == {}
    assert Message.objects.get().state == "skipped"


def test_killed_half_way_nothing_was_and_the_next_round_tells(
    chain, ready, asha, bela, monkeypatch
):
    choose("came", message_on())
    converted(asha, bela, chain.north)
    freeze = notices.delivery.freeze_run

    def killed(**values):
        freeze(**values)
        raise KeyboardInterrupt

    monkeypatch.setattr(notices.delivery, "freeze_run", killed)
    with pytest.raises(KeyboardInterrupt):
        services.give_notices()
    assert not Message.objects.exists()
    assert not ReferralNotice.objects.exists()
    monkeypatch.undo()
    assert tell() == 1
    assert Message.objects.count() == 1


def test_what_may_not_be_chosen(chain, ready):
    offer = message_on(contents={"en": {"body": "Dear guest, use {{ coupon_code }} today."}})
    unused = message_on(is_active=False)
    wrong = {
        ("came", "whatsapp"): offer.pk,
        ("rewarded", "whatsapp"): unused.pk,
        ("rewarded", "sms"): message_on("email").pk,
    }
    with pytest.raises(ValidationFailed) as refusal:
        services.choose_notices(actor=system(), chosen=wrong)
    assert set(refusal.value.fields) == {
        "notice_came_whatsapp",
        "notice_rewarded_whatsapp",
        "notice_rewarded_sms",
    }
    with pytest.raises(Forbidden):
        services.choose_notices(actor=chain.actor(chain.manager), chosen={})
    assert not NoticeTemplate.objects.exists()
    assert not AuditEntry.objects.filter(action="referral.choose_notices").exists()


def test_another_message_is_told_by_from_the_same_day_on(chain, ready):
    choose("came", message_on())
    since = NoticeTemplate.objects.get().since
    sms = message_on("sms")
    choose("came", message_on(), sms)
    assert set(NoticeTemplate.objects.values_list("since", flat=True)) == {since}
    [use] = usage.users_of(sms)
    assert (use.kind, use.url) == ("Referrals", "/referrals/settings")
    choosing.choose_notices(actor=system(), chosen={("came", "sms"): None})
    assert NoticeTemplate.objects.get().channel == "whatsapp"


def test_the_page_says_that_nobody_is_told_and_keeps_what_is_chosen(chain, ready, login):
    template = message_on(name="Your friend came")
    owner = login("owner")
    page = owner.get("/referrals/settings")
    assert "Nobody is told yet" in page.text
    form = page.context["form"]
    kept = {name: form[name].value() for name in form.fields}
    body = {name: value for name, value in kept.items() if value not in (None, False)}
    chosen = body | {"notice_came_whatsapp": str(template.pk), "version": page.context["version"]}
    assert owner.post("/referrals/settings", chosen).status_code == 302
    assert NoticeTemplate.objects.get().template == template
    assert "Nobody is told yet" not in owner.get("/referrals/settings").text
    stale = chosen | {"notice_came_whatsapp": ""}
    assert owner.post("/referrals/settings", stale).status_code == 422
    assert NoticeTemplate.objects.exists()
    wrong = body | {"notice_came_sms": str(template.pk)}
    assert owner.post("/referrals/settings", wrong).status_code == 422
