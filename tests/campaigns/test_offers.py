"""A campaign's offer: what messages say of it, one code for each person, and when it may not go."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import ConsentState, Customer
from marketing.campaigns import services
from marketing.campaigns.models import CampaignRun
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.offer_figures import offer_figures
from marketing.campaigns.selectors.offers import depth, offer_outlook
from marketing.campaigns.selectors.outlook import message_previews
from marketing.campaigns.selectors.progress import figures_of
from marketing.campaigns.services import own_codes, runs
from marketing.core.errors import ValidationFailed
from marketing.coupons import code_symbols
from marketing.coupons import services as coupons
from marketing.coupons.code_symbols import check_symbol
from marketing.coupons.models import CodeBatch, CouponCode
from marketing.coupons.people import open_codes
from marketing.coupons.revocation import IN_FORCE
from marketing.coupons.selectors import price_bill
from marketing.coupons.services import issuing
from marketing.delivery.models import BatchReason, Message
from marketing.delivery.services import freeze
from tests.campaigns.test_sending import finish, send, stored
from tests.factories.campaigns import approved, make_campaign, make_ground
from tests.factories.content import TemplateFactory
from tests.factories.coupons import make_cart, make_offer, sell
from tests.factories.customers import CustomerFactory
from tests.factories.policy import set_config

WORDS = "{{ offer_name }}: show {{ coupon_code }} until {{ offer_valid_until }}."
LAST_DAY = (dt.datetime.now(dt.UTC) + dt.timedelta(days=40)).date()


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=4)


def with_code(**values):
    return TemplateFactory(contents={"en": {"body": WORDS}, "hi": {"body": WORDS}}, **values)


def own_offer(**body):
    """Nobody can type its code, and it does not apply by itself."""
    values = {"name": "Diwali", "automatic": False, "validUntil": LAST_DAY.isoformat()}
    return make_offer(**(values | {"maxUsesPerCustomer": 1} | body))


@pytest.fixture
def ready(chain):
    """Approved; each gets a code of her own."""
    return approved(
        chain.manager,
        chain.regional,
        template_id=with_code().pk,
        coupon_id=own_offer().pk,
        unique_codes=True,
    )


def said():
    return dict(Message.objects.exclude(state="skipped").values_list("customer_id", "variables"))


def held_codes():
    return dict(CouponCode.objects.exclude(batch=None).values_list("customer_id", "code"))


def blocked(chain, code, customer):
    """Why the code does not open its offer for her."""
    answer = price_bill(
        branch_id=chain.north.pk, customer_id=customer, cart=make_cart("100.00", codes=[code])
    ).quote
    return [reason.code.value for reason in answer.codes[0].reasons]


def test_everybody_who_is_written_to_has_a_code_of_her_own(chain, manager, ready):
    skipped = Customer.objects.first()
    ConsentState.objects.filter(customer=skipped).update(whatsapp_promotional=False)
    run = send(manager, ready)
    codes, variables = held_codes(), said()
    assert len(codes) == 3
    assert skipped.pk not in codes
    assert {she: words["coupon_code"] for she, words in variables.items()} == codes
    batch = CodeBatch.objects.get()
    assert (batch.made, batch.count, batch.run_id) == (3, 3, run.send_run_id)
    she, other, *_ = codes
    assert blocked(chain, codes[she], she) == []
    assert blocked(chain, codes[she], other) != []


def test_the_message_says_name_and_last_day_in_the_readers_words(chain, manager, ready):
    send(manager, ready)
    message = Message.objects.exclude(state="skipped").first()
    rendered = plan.compile_version(message.template_version).render("hi", message.variables)
    code = message.variables["coupon_code"]
    assert rendered.body.startswith(f"Diwali: show {code} until {LAST_DAY.day} ")


def test_a_start_that_is_killed_half_way_leaves_no_code_and_the_next_gives_each_one(
    chain, manager, ready, monkeypatch
):
    run = services.send_campaign(actor=manager, campaign=ready)
    written = freeze.write_messages

    def killed(*args, **options):
        written(*args, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(freeze, "write_messages", killed)
    with pytest.raises(KeyboardInterrupt):
        runs.start_run(campaign_run_id=run.pk)
    assert not CodeBatch.objects.exists()
    monkeypatch.undo()
    runs.start_run(campaign_run_id=run.pk)
    first = held_codes()
    runs.start_run(campaign_run_id=run.pk)
    assert held_codes() == first
    assert len(first) == CodeBatch.objects.get().made == 4


def test_whom_the_freeze_judges_otherwise_keeps_no_code(chain, manager, ready, monkeypatch):
    """Somebody opts out between the two statements."""
    issue = own_codes.issue
    left = []

    def opts_out_meanwhile(*args):
        codes = issue(*args)
        left.append(CouponCode.objects.exclude(batch=None).first().customer_id)
        ConsentState.objects.filter(customer__in=left).update(marketing_opted_out=True)
        return codes

    monkeypatch.setattr(own_codes, "issue", opts_out_meanwhile)
    send(manager, ready)
    assert set(held_codes()) == set(said())
    assert left[0] not in held_codes()
    assert CodeBatch.objects.get().made == 3


def test_codes_cost_no_statement_more_for_more_people(chain, manager):
    counts = []
    for more in (0, 6):
        CustomerFactory.create_batch(more, home_branch=chain.north)
        campaign = approved(
            chain.manager,
            chain.regional,
            template_id=with_code().pk,
            coupon_id=own_offer().pk,
            unique_codes=True,
        )
        run = services.send_campaign(actor=manager, campaign=campaign)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            runs.start_run(campaign_run_id=run.pk)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert CouponCode.objects.exclude(batch=None).count() == 14


def test_who_is_tried_again_keeps_her_code(chain, manager, ready):
    run = send(manager, ready)
    codes = held_codes()
    finish(run)
    failed = Message.objects.filter(run_id=run.send_run_id)
    move_to_failed(failed)
    again = services.retry_failed(actor=manager, campaign=stored(ready), run_id=run.send_run_id)
    said_again = Message.objects.filter(run_id=again.send_run_id).values_list(
        "customer_id", "variables__coupon_code"
    )
    assert dict(said_again) == codes == held_codes()


def test_every_channel_says_the_same_code(chain, manager):
    sms = with_code(sms=True)
    campaign = approved(
        chain.manager,
        chain.regional,
        template_id=with_code().pk,
        channel_mode="all",
        further_steps=[{"channel": "sms", "templateId": str(sms.pk), "afterMinutes": 0}],
        coupon_id=own_offer().pk,
        unique_codes=True,
    )
    send(manager, campaign)
    codes = held_codes()
    told = Message.objects.values_list("channel", "customer_id", "variables__coupon_code")
    assert set(told) == {
        (channel, she, code) for channel in ("whatsapp", "sms") for she, code in codes.items()
    }
    assert len(codes) == CodeBatch.objects.get().made == 4


def move_to_failed(messages):
    for batch_id in set(messages.values_list("batch_id", flat=True)):
        count = messages.filter(batch_id=batch_id).update(
            state="failed",
            error_class="retry",
            error_code="130429",
            failed_at=dt.datetime.now(dt.UTC),
        )
        run_id = messages.first().run_id
        BatchReason.objects.create(
            run_id=run_id, batch_id=batch_id, state="failed", code="130429", count=count
        )


def test_a_cancelled_run_lets_no_unused_code_open_anything(chain, manager, ready):
    send(manager, ready)
    codes = held_codes()
    user, *others = codes
    sell(chain.north, "100.00", customer=_customer(user), codes=[codes[user]])
    services.cancel_campaign(actor=manager, campaign=stored(ready))
    assert all("code_revoked" in blocked(chain, codes[she], she) for she in others)
    assert CouponCode.objects.filter(IN_FORCE).exclude(batch=None).count() == 1
    assert [len(open_codes(_customer(she))) for she in others] == [0, 0, 0]


def test_people_get_their_codes_in_parts_and_one_drawn_twice_is_drawn_again(
    chain, manager, ready, monkeypatch
):
    drawn = []

    def twice(count, symbols):
        tails = ["2" * symbols + check_symbol("2" * symbols)] * count
        drawn.append(count)
        return tails if len(drawn) == 1 else code_symbols.tails(count, symbols)

    monkeypatch.setattr(issuing, "PART", 3)
    monkeypatch.setattr(issuing, "tails", twice)
    send(manager, ready)
    assert drawn == [3, 2, 1]
    assert {she: words["coupon_code"] for she, words in said().items()} == held_codes()
    assert len(held_codes()) == CodeBatch.objects.get().made == 4


def _customer(pk):
    return Customer.objects.get(pk=pk)


def test_each_run_of_a_recurring_campaign_gives_new_codes(chain, manager):
    campaign = approved(
        chain.manager,
        chain.regional,
        template_id=with_code().pk,
        coupon_id=own_offer(maxUsesPerCustomer=None).pk,
        unique_codes=True,
        campaign_type="recurring",
        recurrence_rule="FREQ=WEEKLY;BYDAY=MO;BYHOUR=10;BYMINUTE=0",
    )
    finish(send(manager, campaign))
    services.send_campaign(actor=manager, campaign=stored(campaign))
    runs.start_run(campaign_run_id=CampaignRun.objects.latest("number").pk)
    assert CodeBatch.objects.count() == 2
    assert CouponCode.objects.exclude(batch=None).count() == 8


def test_a_copy_has_the_offer(chain, manager, ready):
    copy = services.copy_campaign(actor=manager, campaign=ready)
    assert (copy.coupon_id, copy.unique_codes) == (ready.coupon_id, True)


def test_one_code_for_everybody(chain, manager):
    offer = make_offer(code="DIWALI20", validUntil=LAST_DAY.isoformat())
    campaign = approved(
        chain.manager, chain.regional, template_id=with_code().pk, coupon_id=offer.pk
    )
    send(manager, campaign)
    assert {words["coupon_code"] for words in said().values()} == {"DIWALI20"}
    assert not CodeBatch.objects.exists()


def test_previews_and_tests_say_a_code_that_opens_nothing(chain, manager, ready, colleague):
    (message, _hindi) = message_previews(ready)
    assert "-SAM-PLE-000" in message.message.body
    (test,) = services.send_test(actor=manager, campaign=ready, phone=colleague.phone)
    code = test.variables["coupon_code"]
    assert code.endswith("-SAM-PLE-000")
    send(manager, ready)
    assert blocked(chain, code, test.customer_id) == ["code_check_failed"]


@pytest.mark.parametrize(
    ("offer", "unique", "words"),
    [
        (None, False, "names an offer"),
        ({"isActive": False}, True, "switched off or over"),
        ({"validUntil": "2020-01-01"}, True, "switched off or over"),
        ({"automatic": True}, True, "applies by itself"),
        ({}, False, "has no code for everybody"),
        ({"validUntil": None}, True, "no last day"),
    ],
)
def test_what_does_not_fit_the_message_is_said_at_the_offer(chain, manager, offer, unique, words):
    campaign = make_campaign(
        chain.manager,
        template_id=with_code().pk,
        coupon_id=offer if offer is None else own_offer(**offer).pk,
        unique_codes=unique,
    )
    with pytest.raises(ValidationFailed) as refused:
        services.submit_campaign(actor=manager, campaign=campaign)
    assert words in refused.value.fields["couponId"][0]
    assert stored(campaign).status == "draft"


def test_an_offer_that_changed_since_stops_it(chain, manager, ready):
    coupons.update_offer(
        actor=chain.actor(chain.owner), offer=ready.coupon, values={"discountValue": "50"}
    )
    send(manager, ready)
    assert stored(ready).pause_reason == "changed_since_approval"
    assert not CodeBatch.objects.exists()


def test_an_offer_that_was_switched_off_stops_it(chain, manager, ready):
    run = services.send_campaign(actor=manager, campaign=ready)
    coupons.deactivate_offer(actor=chain.actor(chain.owner), offer=ready.coupon)
    runs.start_run(campaign_run_id=run.pk)
    assert stored(ready).pause_reason == "offer_not_live"
    assert not CodeBatch.objects.exists()


@pytest.mark.parametrize(
    ("body", "most"),
    [
        ({"discountValue": "20"}, "20"),
        ({"discountType": "flat", "discountValue": "200", "minOrderAmount": "1000"}, "20"),
        ({"discountType": "flat", "discountValue": "200"}, "100"),
        ({"discountType": "fixed_price", "discountValue": "200"}, "100"),
        (
            {"discountType": "spend_tiers", "tiers": [{"from": "500", "amount": "100"},
                                                      {"from": "2000", "amount": "150"}]},
            "20",
        ),
        ({"discountType": "buy_x_get_y", "buyGet": {"buyQuantity": 3, "getQuantity": 1}}, "25"),
    ],
)  # fmt: skip
def test_how_deep_an_offer_goes(chain, body, most):
    offer = make_offer(code="DEEP", **({"discountValue": None} | body))
    assert depth(offer) == int(most)


@pytest.mark.parametrize(("threshold", "asks"), [(None, False), (11, False), (10, True), (5, True)])
def test_a_deep_discount_asks_for_an_approval(chain, manager, threshold, asks):
    set_config(
        campaign_approval_threshold_recipients=1000, approval_threshold_discount_percent=threshold
    )
    campaign = make_campaign(chain.manager, coupon_id=own_offer().pk, unique_codes=True)
    submitted = services.submit_campaign(actor=manager, campaign=campaign)
    assert submitted.requires_approval is asks
    assert (submitted.status == "pending_approval") is asks


def test_what_it_may_cost_stays_within_the_offers_limits(chain, ready):
    coupons.update_offer(
        actor=chain.actor(chain.owner),
        offer=ready.coupon,
        values={"minOrderAmount": "1000", "maxTotalUses": 3, "budget": "250"},
    )
    ready.coupon.refresh_from_db()
    found = offer_outlook(ready, people=10)
    assert (found.per_person, found.at_most) == (100, 250)
    assert found.gives == "10% off the bill from a bill of ₹1,000"


def test_without_bills_and_bounds_nobody_knows_what_it_may_cost(ready):
    found = offer_outlook(ready, people=10)
    assert (found.per_person, found.at_most) == (None, None)


def test_what_it_brought(chain, manager, ready):
    send(manager, ready)
    codes = held_codes()
    she, other, *_ = codes
    sell(chain.north, "500.00", customer=_customer(she), codes=[codes[she]])
    back = sell(chain.north, "300.00", customer=_customer(other), codes=[codes[other]])
    coupons.reverse(
        actor=manager, branch_id=chain.north.pk, invoice_id=back.reservation.invoice_id,
        operation="refund-1",
    )  # fmt: skip
    found = offer_figures(ready, figures_of([ready])[ready.pk])
    assert (found.issued, found.redeemed, found.code) == (4, 1, None)
    assert (found.revenue, found.discount) == (450, 50)
    assert float(found.rate) == 0.25
