"""A run over several channels at its freeze: who gets what, and what is promised for it."""

from collections import Counter
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.utils import timezone

from marketing.core.errors import BudgetExceeded
from marketing.delivery.estimate import estimate, judged
from marketing.delivery.models import BatchCost, DispatchBatch, Message
from marketing.delivery.services import (
    freeze_run,
)
from marketing.policy.models import BudgetMonth
from tests.delivery.cascade.runs import (
    EMAIL,
    PRICES,
    SMS,
    WHATSAPP,
    assert_sum_law,
    attempts,
    frozen,
    templates,
)
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    everyone,
    make_channel_run,
)
from tests.factories.policy import set_branch_config


class TestFreeze:
    def test_single_sends_the_first_step_only(self, ready):
        asha = CustomerFactory(preferred_channel="sms")
        run = frozen("single")
        assert attempts(run, asha) == [(WHATSAPP, "queued")]
        assert not DispatchBatch.objects.filter(fallback_minutes__isnull=False).exists()

    def test_cascade_begins_with_the_first_step_that_lets_her_through(self, ready):
        asha = CustomerFactory(preferred_channel="whatsapp")
        meera = CustomerFactory(consent={"whatsapp_promotional": False})
        run = frozen()
        assert attempts(run, asha) == [(WHATSAPP, "queued")]
        assert attempts(run, meera) == [(SMS, "queued")]
        assert Message.objects.get(customer=meera).address == meera.phone

    def test_cascade_begins_with_the_preferred_channel(self, ready):
        asha = CustomerFactory(preferred_channel="email")
        assert attempts(frozen(), asha) == [(EMAIL, "queued")]

    def test_a_preferred_channel_that_is_closed_to_her_is_passed_over(self, ready):
        asha = CustomerFactory(preferred_channel="sms", consent={"sms_promotional": False})
        assert attempts(frozen(), asha) == [(WHATSAPP, "queued")]

    @pytest.mark.parametrize("mode", ["cascade", "all"])
    def test_who_passes_none_is_one_skipped_row_with_the_first_steps_reason(self, ready, mode):
        asha = CustomerFactory(phone="", email="", whatsapp_id="")
        run = frozen(mode)
        assert attempts(run, asha) == [(WHATSAPP, "skipped")]
        assert Message.objects.get().reason == "no_address"
        assert run.audience == 1

    def test_all_sends_every_step_that_lets_her_through_and_counts_the_first(self, ready):
        asha = CustomerFactory(consent={"whatsapp_promotional": False})
        run = frozen("all")
        first, second = Message.objects.filter(run=run).order_by("pk")
        assert [(m.step, m.state) for m in (first, second)] == [(SMS, "queued"), (EMAIL, "queued")]
        assert (first.attempt_of, second.attempt_of) == (None, first.pk)
        assert not DispatchBatch.objects.get(pk=first.batch_id).is_extra
        assert DispatchBatch.objects.get(pk=second.batch_id).is_extra
        assert run.audience == 1
        assert asha.pk == second.customer_id
        assert_sum_law(run)

    def test_messages_of_many_people_lie_in_the_batches_of_their_steps(self, ready):
        for channel in ("whatsapp", "sms", "email", "whatsapp"):
            CustomerFactory.create_batch(4, preferred_channel=channel)
        run = frozen()
        batches = {b.pk: b for b in DispatchBatch.objects.filter(run_id=run.pk)}
        for message in Message.objects.filter(run=run):
            batch = batches[message.batch_id]
            assert (batch.step, batch.channel) == (message.step, message.channel)
            assert batch.account_id == message.account_id
            assert batch.first_id <= message.pk <= batch.last_id
        assert {b.step: b.queued for b in batches.values()} == {0: 8, 1: 4, 2: 4}

    def test_every_step_speaks_her_language_and_fills_its_own_names(self, ready):
        meera = CustomerFactory(first_name="मीरा", language="hi", preferred_channel="sms")
        run = frozen()
        message = Message.objects.get(run=run, customer=meera)
        assert message.language == "hi"
        assert message.variables["customer_name"] == "मीरा"
        assert message.template_version.template.channel == "sms"

    def test_a_value_missing_on_one_step_leaves_the_others(self, ready):
        asha = CustomerFactory()
        lacking = TemplateFactory(contents={"en": {"body": "Your {{ favourite_service }}"}})
        run = make_channel_run("cascade", lacking, TemplateFactory(sms=True))
        freeze_run(run=run, audience=everyone())
        assert attempts(run, asha) == [(SMS, "queued")]

    def test_one_phone_of_two_customers_is_written_to_once_a_step(self, ready):
        asha = CustomerFactory(email="")
        twin = CustomerFactory(phone=asha.phone)
        run = frozen()
        assert attempts(run, asha) == [(WHATSAPP, "queued")]
        assert attempts(run, twin) == [(EMAIL, "queued")]

    def test_the_wait_is_that_of_the_step_that_follows(self, ready):
        first, second, third = templates()
        CustomerFactory(preferred_channel="whatsapp")
        CustomerFactory(preferred_channel="email")
        run = make_channel_run("cascade", first, second, third)
        run.steps[1]["afterMinutes"], run.steps[2]["afterMinutes"] = 20, 90
        run.save()
        freeze_run(run=run, audience=everyone())
        waits = DispatchBatch.objects.filter(run_id=run.pk).values_list("step", "fallback_minutes")
        # Who prefers the last goes on with the first, which waits as long as the second would.
        assert dict(waits) == {WHATSAPP: 20, EMAIL: 20}

    def test_a_run_of_one_branch_has_its_lane(self, ready):
        CustomerFactory(home_branch=ready.north)
        run = frozen(branch_ids=[ready.north.pk])
        assert DispatchBatch.objects.get(run_id=run.pk).lane == ready.north.pk

    @pytest.mark.parametrize(
        ("mode", "cost"),
        [
            ("single", PRICES["whatsapp"]),
            ("cascade", sum(PRICES.values())),
            ("all", sum(PRICES.values())),
        ],
    )
    def test_the_dearest_path_is_promised(self, ready, mode, cost):
        CustomerFactory(home_branch=ready.north)
        run = make_channel_run(mode, *templates())
        result = freeze_run(run=run, audience=everyone())
        assert result.cost == cost
        month = BudgetMonth.objects.get(branch=ready.north)
        assert month.reserved == cost
        assert BatchCost.objects.aggregate(n=Sum("reserved"))["n"] == cost

    def test_a_step_she_cannot_take_is_not_promised(self, ready):
        CustomerFactory(home_branch=ready.north, consent={"sms_promotional": False})
        frozen(steps=2)
        assert BudgetMonth.objects.get(branch=ready.north).reserved == PRICES["whatsapp"]

    def test_a_budget_that_holds_the_first_step_only_is_refused(self, ready):
        set_branch_config(ready.north, monthly_budget_limit=Decimal("1.00"))
        CustomerFactory(home_branch=ready.north)
        with pytest.raises(BudgetExceeded):
            freeze_run(run=make_channel_run("cascade", *templates()), audience=everyone())
        assert not Message.objects.exists()

    @pytest.mark.parametrize("mode", ["single", "cascade", "all"])
    def test_the_estimate_says_what_the_freeze_does(self, ready, mode):
        CustomerFactory(preferred_channel="sms")
        CustomerFactory.create_batch(2, home_branch=ready.north, preferred_channel="whatsapp")
        CustomerFactory(email="", consent={"whatsapp_promotional": False})
        CustomerFactory(consent=False)
        run = make_channel_run(mode, *templates())
        verdicts = judged(
            audience=everyone(),
            purpose=run.purpose,
            mode=mode,
            steps=run.steps,
            charged_branch_id=None,
            now=timezone.now(),
        )
        said = estimate(verdicts)
        done = freeze_run(run=run, audience=everyone())
        assert (said.total, said.sendable, said.reasons, said.cost) == (
            done.audience,
            done.sendable,
            done.reasons,
            done.cost,
        )
        queued = Message.objects.filter(run=run, state="queued").values_list("step", flat=True)
        assert said.steps == Counter(queued)
        assert said.first_cost == Message.objects.aggregate(n=Sum("cost"))["n"]
