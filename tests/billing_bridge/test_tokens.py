"""Tokens on bills: compared by referrals, and in the raw rows never as they came."""

import json

import pytest

from billing_bridge.models import RawRow
from billing_bridge.tokens import without_tokens
from customers.models import Purchase
from marketing.referrals.models import Referral, SeenToken
from tests.billing_bridge.till import Refused
from tests.factories.customers import CustomerFactory
from tests.factories.referrals import code_for, make_programme

SECRET = "tok_9cAf-771"


def kept():
    return b"\n".join(bytes(row.body) for row in RawRow.objects.all())


def test_a_bill_by_the_card_of_who_brought_her_waits_for_a_manager(chain, till):
    make_programme()
    asha = CustomerFactory(first_name="Asha", last_name="Rao", home_branch=chain.north)
    bela = CustomerFactory(first_name="Bela", last_name="Sen", home_branch=chain.north)
    till.sell("900.00", customer=asha, instrumentToken=SECRET)
    answer = till.sell("900.00", customer=bela, codes=[code_for(asha)], instrumentToken=SECRET)
    referral = Referral.objects.get(friend=bela)
    assert (referral.is_flagged, referral.signals) == (True, ["same_instrument"])
    assert SECRET not in json.dumps(answer)
    assert SECRET.encode() not in kept()
    assert kept().count(b'"instrumentToken": "[masked]"') == 2


def test_a_bill_of_nobody_and_a_bill_without_tokens_note_nothing(chain, till):
    till.sell("900.00", instrumentToken=SECRET)
    till.sell("900.00", customer=CustomerFactory(home_branch=chain.north), deviceToken="")
    assert not SeenToken.objects.exists()
    assert SECRET.encode() not in kept()


@pytest.mark.parametrize(
    ("token", "field"),
    [("4111111111111111", "instrumentToken"), ("x" * 129, "instrumentToken")],
)
def test_what_is_no_token_refuses_the_bill_and_is_not_kept(chain, till, token, field):
    with pytest.raises(Refused) as refusal:
        till.sell("900.00", customer=CustomerFactory(), instrumentToken=token)
    assert (refusal.value.status, set(refusal.value.fields)) == (400, {field})
    assert not Purchase.objects.exists()
    assert token.encode() not in kept()
    assert RawRow.objects.get().state == "failed"


@pytest.mark.parametrize(
    "body",
    [
        b'{"instrumentToken": "%s"}',
        b'{"a": 1, "deviceToken":"%s", "b": [2]}',
        b'{"instrumentTok\\u0065n": "%s"}',
        b'{"lines": [{"deviceToken": {"a": "%s"}}]}',
        b'{"instrumentToken": ["%s", "%s"]}',
        b'{"instrumentToken": "a\\"%s"}',
        b'{"instrumentToken": "%s',
        b'{"instrumentToken": %s}',
        b'{"instrumentTok\\u0065n": "%s", "instrumentToken": "x"}',
        b'{"instrumentToken": {"a": "%s',
    ],
)
def test_a_token_is_masked_however_it_is_spelled(body):
    said = without_tokens(body.replace(b"%s", b"98765432101"))
    assert b"98765432101" not in said
    assert b"[masked]" in said


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b'{"code": "TOKEN 5"}', '{"name": "आशा"}'.encode(), b'{"a": "\\u0905"}'],
)
def test_what_has_no_token_stays_byte_for_byte(body):
    assert without_tokens(body) == body
