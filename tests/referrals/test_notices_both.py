"""The friend is told as well, from the day she signs up; and the API chooses the messages."""

import uuid

import pytest

from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import Message
from marketing.referrals.models import NoticeTemplate, Referral, ReferralNotice, ReferralProgramme
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import make_senders, open_all_hours
from tests.factories.referrals import bring, converted, make_programme, reward_all
from tests.referrals.telling import choose, message_on, said_to, tell

CONFIG = "/api/v1/referrals/config"


@pytest.fixture
def ready(chain, asha):
    open_all_hours()
    make_senders()


@pytest.fixture
def owner(login):
    return login("owner")


def patch(client, body, status=200):
    answer = client.patch(CONFIG, body, content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()["data"]["config"] if status == 200 else answer.json()["error"]


def test_both_are_told_when_the_friend_signs_up(chain, ready, asha, bela):
    choose("joined", message_on())
    choose("friend_joined", message_on())
    referral = bring(asha, bela, chain.north)
    assert [tell(), tell()] == [2, 0]
    [to_asha], [to_bela] = said_to(asha), said_to(bela)
    assert (to_asha["referral_friend"], to_asha["referral_reward"]) == ("Bela", "100 points")
    assert (to_bela["referral_referrer"], to_bela["referral_reward"]) == ("Asha", "10% off")
    assert ReferralNotice.objects.filter(referral=referral).count() == 2


def test_both_are_told_when_the_friend_came_once_and_in_her_language(chain, ready, asha, bela):
    for kind in ("joined", "came", "friend_joined", "friend_came"):
        choose(kind, message_on())
    bela.language = "hi"
    bela.save()
    converted(asha, bela, chain.north)
    # She told the code at the till: signing up is no news besides.
    assert [tell(), tell()] == [2, 0]
    assert (len(said_to(asha)), len(said_to(bela))) == (1, 1)
    assert Message.objects.get(customer=bela).language == "hi"
    reward_all()
    assert tell() == 0


def test_where_signing_up_is_enough_it_is_told_as_coming(chain, ready, asha, bela):
    make_programme(reward_on="signup", hold_days=7)
    choose("joined", message_on())
    choose("friend_came", message_on())
    bring(asha, bela, chain.north)
    assert tell() == 1
    assert said_to(asha) == []
    assert len(said_to(bela)) == 1


@pytest.mark.parametrize("kind", ["friend_joined", "friend_came"])
def test_the_friend_who_did_not_agree_is_not_written_to(chain, ready, asha, bela, kind):
    choose(kind, message_on())
    bela.consent.whatsapp_service = False
    bela.consent.save()
    if kind == "friend_joined":
        bring(asha, bela, chain.north)
    else:
        converted(asha, bela, chain.north)
    assert tell() == 1
    message = Message.objects.get()
    assert (message.customer_id, message.state) == (bela.pk, "skipped")
    assert tell() == 0


def test_nobody_is_told_of_a_friend_who_waits_for_a_manager(chain, ready, asha):
    choose("friend_came", message_on())
    cousin = CustomerFactory(first_name="Cara", last_name="Rao", home_branch=chain.north)
    assert converted(asha, cousin, chain.north).is_flagged
    assert tell() == 0
    Referral.objects.update(is_flagged=False)
    assert tell() == 1


def test_the_api_chooses_the_messages(chain, ready, owner):
    whatsapp, sms = message_on(), message_on("sms")
    version = ReferralProgramme.objects.get().version
    chosen = {"friendCame": {"whatsapp": str(whatsapp.pk), "sms": str(sms.pk)}}
    told = patch(owner, {"notices": chosen, "holdDays": 3, "version": version})
    assert told["notices"]["friendCame"] == chosen["friendCame"] | {"email": None}
    assert set(told["notices"]["came"].values()) == {None}
    assert told["holdDays"] == 3
    assert told["version"] > version
    patch(owner, {"notices": {"friendCame": {"sms": None}}})
    assert NoticeTemplate.objects.get().template == whatsapp
    shown = owner.get(CONFIG).json()["data"]["config"]["notices"]
    assert shown["friendCame"] == {"whatsapp": str(whatsapp.pk), "sms": None, "email": None}


@pytest.mark.parametrize(
    ("notices", "status", "field"),
    [
        ({"friendCame": {"pigeon": None}}, 400, "notices.friendCame.pigeon"),
        ({"birthday": {}}, 400, "notices.birthday"),
        ({"came": {"sms": "x"}}, 400, "notices.came.sms"),
        ({"friendCame": {"sms": str(uuid.uuid4())}}, 400, "notices.friendCame.sms"),
        ({"friendCame": {"sms": "whatsapp's"}}, 400, "notices.friendCame.sms"),
    ],
)
def test_what_the_api_may_not_choose_changes_nothing(chain, ready, owner, notices, status, field):
    if notices == {"friendCame": {"sms": "whatsapp's"}}:
        notices = {"friendCame": {"sms": str(message_on().pk)}}
    error = patch(owner, {"notices": notices, "holdDays": 3}, status)
    assert field in error["fields"]
    assert ReferralProgramme.objects.get().hold_days == 7
    assert not NoticeTemplate.objects.exists()


def test_another_chains_message_and_a_stale_version_are_refused(chain, other_chain, ready, owner):
    with tenant_scope(other_chain.tenant.pk):
        theirs = message_on()
    error = patch(owner, {"notices": {"came": {"whatsapp": str(theirs.pk)}}}, 400)
    assert "notices.came.whatsapp" in error["fields"]
    mine = {"notices": {"came": {"whatsapp": str(message_on().pk)}}}
    patch(owner, mine | {"version": 99}, 409)
    assert not NoticeTemplate.objects.exists()
