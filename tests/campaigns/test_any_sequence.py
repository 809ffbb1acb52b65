"""Whatever people and the engine do, in any order: the books agree with the campaigns, nothing
goes that was not approved as it stands, and no limit is passed.
"""

import datetime as dt
import os
from collections import defaultdict
from contextlib import suppress
from decimal import Decimal

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from marketing.campaigns import rules, services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors import plan
from marketing.campaigns.services import runs
from marketing.content.models import TemplateVersion
from marketing.core import clock
from marketing.core import services as core
from marketing.core.actor import Actor
from marketing.core.errors import DomainError
from marketing.core.events import deliver_due
from marketing.core.models import Delegation, Role
from marketing.delivery import services as delivery
from marketing.delivery.models import BatchCost, Message, SendRun
from marketing.delivery.services import overdraft, settle_due
from marketing.policy import services as policy
from marketing.policy.models import BudgetHold, BudgetMonth
from marketing.policy.selectors import month_of
from tests.factories.campaigns import everybody, make_campaign, make_ground
from tests.factories.content import TemplateFactory
from tests.factories.core import make_staff
from tests.factories.delivery import become, finish
from tests.factories.policy import set_branch_config, set_config

# A Thursday in Mumbai, half past eleven, two days before the month ends.
NOW = dt.datetime(2026, 10, 29, 6, 0, tzinfo=dt.UTC)
NOON = NOW + dt.timedelta(minutes=30)
PRICE = Decimal("0.8631")
DAILY = "FREQ=DAILY;BYHOUR=12;BYMINUTE=0;BYSECOND=0;COUNT=4"
WHEN = (
    {},
    {"scheduled_at": NOON},
    {"scheduled_at": NOON + dt.timedelta(days=4)},
    {"campaign_type": "recurring", "recurrence_rule": DAILY},
    {"campaign_type": "recurring", "recurrence_rule": "FREQ=MONTHLY;BYMONTHDAY=-1,5;BYHOUR=12"},
)
PEOPLE = 2
STEPS = (dt.timedelta(minutes=1), dt.timedelta(minutes=30), dt.timedelta(hours=3))
# What failed and arrives after all is paid beyond any limit: that is not looked at here.
MAY_GO_ON = ("queued", "sending", "sent", "unknown", "held")


class World:
    """A chain, its campaigns, and what somebody who looks at them may be sure of."""

    def __init__(self, chain, travel):
        self.chain, self.travel = chain, travel
        self.deputy = make_staff(Role.BRANCH_MANAGER, chain.north, chain.south, name="Deputy")
        make_ground(
            chain.north,
            chain.south,
            people=PEOPLE,
            daily_message_limit_per_customer=99,
            weekly_message_limit_per_customer=99,
        )
        self.segment = everybody()
        self.templates = [TemplateFactory(), TemplateFactory(sms=True)]
        # What each row of a month was allowed to hold at most, by the limits it has had.
        self.limits = {None: None, chain.north.pk: None, chain.south.pk: None}
        self.most = defaultdict(Decimal)
        self.frozen, self.approvals = set(), {}

    # What people do.

    def create(self, number):
        staff = (self.chain.manager, self.chain.regional)[number % 2]
        template = self.templates[number // 2 % 2]
        make_campaign(
            staff,
            template_id=template.pk,
            channel=template.channel,
            segment_id=self.segment.pk,
            **WHEN[number % len(WHEN)],
        )

    def hurry(self, number):
        """One that is made, submitted and approved, maybe by the same hand, and sent."""
        self.create(number)
        campaign = Campaign.objects.latest("pk")
        author = Actor.for_staff(campaign.created_by.staff)
        approver = (self.chain.regional, self.chain.owner, self.deputy)[number % 3]
        services.submit_campaign(actor=author, campaign=campaign)
        services.approve_campaign(actor=self.chain.actor(approver), campaign=campaign)
        services.send_campaign(actor=author, campaign=campaign)

    def edit(self, number):
        self._of_manager(services.update_campaign, number, values={"description": str(number)})

    def submit(self, number):
        self._of_manager(services.submit_campaign, number)

    def approve(self, number):
        approver = (self.chain.regional, self.chain.owner, self.deputy)[number % 3]
        services.approve_campaign(actor=self.chain.actor(approver), campaign=self._any(number))

    def reject(self, number):
        owner = self.chain.actor(self.chain.owner)
        services.reject_campaign(actor=owner, campaign=self._any(number), reason="No.")

    def schedule(self, number):
        at = (None, clock.now() + dt.timedelta(days=number % 5))[number % 2]
        self._of_manager(services.schedule_campaign, number, scheduled_at=at)

    def send(self, number):
        self._of_manager(services.send_campaign, number)

    def pause(self, number):
        self._of_manager(services.pause_campaign, number)

    def resume(self, number):
        self._of_manager(services.resume_campaign, number, at_once=number % 2 == 1)

    def resume_by_approver(self, number):
        approver = (self.chain.regional, self.chain.owner, self.deputy)[number % 3]
        services.resume_campaign(actor=self.chain.actor(approver), campaign=self._any(number))

    def cancel(self, number):
        self._of_manager(services.cancel_campaign, number)

    def retry(self, number):
        campaign = self._any(number)
        run = campaign.runs.order_by("-number").first()
        if run:
            self._of_manager(services.retry_failed, number, run_id=run.send_run_id)

    def delegate(self, number):
        given_now = Delegation.objects.filter(revoked_at=None).first()
        owner = self.chain.actor(self.chain.owner)
        if given_now:
            core.revoke_delegation(actor=owner, delegation_id=given_now.pk)
        else:
            today = clock.now().date()
            core.delegate_approvals(
                actor=owner,
                delegate_id=self.deputy.pk,
                begins_on=today,
                ends_on=today + dt.timedelta(days=number % 3),
            )

    def limit(self, number):
        branch = (None, self.chain.north, self.chain.south)[number % 3]
        self.set_limit(branch, (None, 0, 3, 5, 9, 30)[number // 3 % 6])

    def set_limit(self, branch, amount):
        if branch:
            set_branch_config(branch, monthly_budget_limit=amount)
        else:
            set_config(monthly_budget_limit=amount)
        self.limits[branch.pk if branch else None] = amount

    # What happens.

    def time_passes(self, number):
        self.travel.shift(STEPS[number % len(STEPS)])

    def days_pass(self, number):
        self.travel.shift(dt.timedelta(days=1 + number % 3))

    def month_opens(self, number):
        policy.open_budget_month(on=clock.now())

    def sweep(self, number):
        for campaign_id in runs.waiting_campaign_ids():
            runs.run_if_due(campaign_id=campaign_id)

    def start(self, number):
        ready = CampaignRun.objects.filter(send_run__state=SendRun.State.READY)
        for run in ready.order_by("pk"):
            runs.start_run(campaign_run_id=run.pk)

    def progress(self, number):
        waiting = Message.objects.filter(run__state="frozen", state__in=MAY_GO_ON)
        for message in waiting.order_by("pk")[: 1 + number % 3]:
            Message.objects.filter(pk=message.pk).update(sending_at=clock.now())
            state = ("sending", "sent", "delivered", "failed", "unknown")[number % 5]
            error = ("131053", "fail_content") if state == "failed" else ()
            become(message, state, *error)

    def finish(self, number):
        run = SendRun.objects.filter(state="frozen").order_by("pk").first()
        if run is None:
            return
        for message in Message.objects.filter(run=run, state__in=("queued", "held", "sending")):
            Message.objects.filter(pk=message.pk).update(sending_at=clock.now())
            become(message, "delivered")
        finish(run)

    def template_stops(self, number):
        version = TemplateVersion.objects.filter(template=self.templates[0]).latest("number")
        is_stopped = version.whatsapp_status != "approved"
        status = "approved" if is_stopped else "paused"
        TemplateVersion.objects.filter(pk=version.pk).update(whatsapp_status=status)
        if not is_stopped:
            for run in SendRun.objects.filter(
                state="frozen", steps__contains=[{"versionId": str(version.pk)}]
            ):
                delivery.pause_run(run=run, reason="template_stopped")
            services.pause_for_stopped_templates(version_ids={version.pk})

    def settle(self, number):
        settle_due()
        while overdraft.stop_an_overdrawn_run():
            pass

    def news(self, number):
        deliver_due()

    # What is always so.

    def look(self):
        settle_due()
        self._no_limit_is_passed()
        self._the_books_agree()
        for campaign in Campaign.objects.select_related("template", "segment"):
            self._it_holds_what_it_should(campaign)
        self._only_what_was_approved_goes()

    def _the_books_agree(self):
        promised, spent = defaultdict(Decimal), defaultdict(Decimal)
        for hold in BudgetHold.objects.all():
            assert hold.amount > 0
            for branch_id in {None, hold.branch_id}:
                promised[hold.month, branch_id] += hold.amount
        frozen_in = {run.pk: run.frozen_at for run in SendRun.objects.exclude(frozen_at=None)}
        for cost in BatchCost.objects.all():
            month = cost.month or month_of(frozen_in[cost.run_id])
            for branch_id in {None, cost.branch_id}:
                promised[month, branch_id] += cost.reserved
                spent[month, branch_id] += cost.spent
        for row in BudgetMonth.objects.all():
            key = row.month, row.branch_id
            assert (row.reserved, row.spent) == (promised.pop(key, 0), spent.pop(key, 0)), key
        assert not any(promised.values())
        assert not any(spent.values())

    def _no_limit_is_passed(self):
        """But by what was promised before a limit came down."""
        for row in BudgetMonth.objects.all():
            key, used = (row.month, row.branch_id), row.reserved + row.spent
            limit = self.limits[row.branch_id]
            assert limit is None or used <= max(limit, self.most[key]), key
            self.most[key] = used

    def _it_holds_what_it_should(self, campaign):
        holds = {hold.branch_id: hold for hold in BudgetHold.objects.filter(holder_id=campaign.pk)}
        is_short = campaign.status == rules.PAUSED and campaign.pause_reason == "budget"
        if campaign.status in (rules.DRAFT, rules.PENDING_APPROVAL, rules.SENT, rules.CANCELLED):
            assert not holds
            open_runs = campaign.runs.filter(send_run__state__in=("ready", "frozen"))
            assert campaign.status in (rules.DRAFT, rules.SENT) or not open_runs.exists()
        elif is_short:
            assert not holds
        elif holds:
            assert sum(hold.amount for hold in holds.values()) == campaign.estimated_cost
            (month,) = {hold.month for hold in holds.values()}
            if campaign.status == rules.SCHEDULED:
                goes_in = month_of(campaign.next_run_at)
                assert goes_in <= month <= max(goes_in, month_of(clock.now()))
            is_first_try = not campaign.runs.filter(send_run__retry_of__isnull=False).exists()
            under_way = campaign.runs.filter(send_run__state__in=("frozen", "paused"))
            if campaign.status == rules.SENDING and is_first_try:
                assert not under_way.exists()
        for batch in BatchCost.objects.filter(
            run_id__in=campaign.runs.filter(send_run__state="cancelled").values("send_run_id")
        ):
            under_way = Message.objects.filter(
                batch_id=batch.batch_id, state__in=("sending", "sent", "unknown")
            )
            assert batch.reserved == 0 or under_way.exists()

    def _only_what_was_approved_goes(self):
        for campaign in Campaign.objects.select_related("template", "segment"):
            if campaign.approved_by_id:
                assert campaign.approved_by_id not in campaign.author_ids
            if campaign.status in (rules.APPROVED, rules.SCHEDULED, rules.SENDING):
                assert campaign.approved_by_id
                assert plan.fingerprint(campaign) == campaign.approved_hash
        for run in CampaignRun.objects.select_related("send_run", "campaign"):
            if run.send_run.frozen_at and run.pk not in self.frozen:
                self.frozen.add(run.pk)
                assert run.campaign.approved_by_id
                assert run.send_run.audience <= run.campaign.approved_recipients

    def _any(self, number):
        found = list(Campaign.objects.order_by("pk"))
        return found[number % len(found)]

    def _of_manager(self, service, number, **values):
        actor = self.chain.actor((self.chain.regional, self.chain.owner)[number % 2])
        service(actor=actor, campaign=self._any(number), **values)


PEOPLE_DO = (
    "create", "hurry", "hurry", "edit", "submit", "submit", "approve", "approve", "reject",
    "schedule", "send", "send", "pause", "resume", "resume_by_approver", "cancel", "retry",
    "delegate", "limit",
)  # fmt: skip
HAPPENS = (
    "time_passes", "days_pass", "month_opens", "sweep", "sweep", "start", "start", "progress",
    "finish", "finish", "template_stops", "settle", "news", "news",
)  # fmt: skip
acts = st.lists(
    st.tuples(st.sampled_from(PEOPLE_DO + HAPPENS), st.integers(0, 35)), min_size=10, max_size=40
)


@pytest.mark.usefixtures("tasks")
@given(acts=acts)
@settings(
    max_examples=int(os.environ.get("SEQUENCES", "5")),
    deadline=None,
    # A failure is told as it was found: making it smaller takes minutes.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_sequence_of_acts(chain, acts):
    with transaction.atomic(), time_machine.travel(NOW, tick=False) as travel:
        world = World(chain, travel)
        for number in (1, 2, 3, 4):
            world.create(number)
        for campaign in Campaign.objects.order_by("pk"):
            owner, author = chain.actor(chain.owner), Actor.for_staff(campaign.created_by.staff)
            services.submit_campaign(actor=author, campaign=campaign)
            services.approve_campaign(actor=owner, campaign=campaign)
        world.set_limit(None, 14)
        world.set_limit(chain.north, 9)
        world.look()
        for name, number in acts:
            # People are refused what is not possible; nobody refuses the engine.
            refusals = (DomainError,) if name in PEOPLE_DO else ()
            with suppress(*refusals), transaction.atomic():
                getattr(world, name)(number)
            world.look()
        transaction.set_rollback(True)
