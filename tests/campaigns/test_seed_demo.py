"""The demo chain: its stated shares on 5,000 people, and that its rows agree with each other."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import connection, transaction
from django.db.models import Avg, Count, F, Q, Sum
from pytest_django import DjangoDbBlocker

from customers import rules
from customers.models import (
    CategoryRhythm,
    ConsentRecord,
    ConsentState,
    Customer,
    CustomerFacts,
    Membership,
    Package,
    Purchase,
    PurchaseLine,
    Visit,
)
from marketing.campaigns import services
from marketing.campaigns.demo import make_demo
from marketing.campaigns.demo.offers import BILLS
from marketing.campaigns.demo.organisation import PASSWORD, logins
from marketing.campaigns.demo.referrals import CAME, REWARDED
from marketing.campaigns.models import Campaign, CampaignStatus
from marketing.content.models import TemplateVersion
from marketing.core.actor import Actor
from marketing.core.models import Branch, Region, Role, Staff, Tenant
from marketing.core.partitions import append_tables
from marketing.core.tenancy import tenant_scope
from marketing.coupons.models import Offer, Redemption, Reservation
from marketing.coupons.models.offers import OfferKind
from marketing.delivery.models import DispatchBatch, Message, MessageState, ProviderReference
from marketing.delivery.selectors import run_progress
from marketing.followups.models import FollowupReminder
from marketing.loyalty.models import PointsAccount
from marketing.loyalty.selectors import liability
from marketing.loyalty.services import prove_ledger
from marketing.policy.models import BudgetMonth, HoldoutMember, MarketingConfig
from marketing.policy.selectors import default_accounts, get_config
from marketing.referrals.models import Referral
from marketing.segments.models import Segment
from marketing.segments.services.system import usable_system_segments

# One process of xdist takes them all, so that the chain is made once.
pytestmark = pytest.mark.xdist_group("demo")
PEOPLE = 5_000
# Built-in segments of what the chain tells nothing about: bookings, feedback and other events,
# goods sold, e-mails of the last weeks, companies, followers, guests from abroad.
NOT_IN_THE_DEMO = {
    *("App Bookers", "Web Bookers", "Front Desk Bookers", "Last-Minute Bookers", "Early Planners"),
    *("Group Bookers", "Abandoned Booking", "Looked but Did Not Book", "Destination Guests"),
    *("Complained Recently", "Promoters", "Detractors", "Upgrade Takers", "Retail Buyers"),
    *("E-mail Engaged", "E-mail Disengaged"),
    *("Corporate Customers", "Social Media Followers", "Foreign Phone Numbers"),
}


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Tenant]:
    """Made once for this module, its tenant scope open, and rolled back at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        tenant = make_demo(customers=PEOPLE, seed=1)
        with tenant_scope(tenant.pk):
            yield tenant
        # Within the scope it would undo the scope's savepoint alone.
        transaction.set_rollback(True)


def share(model: Any, condition: Q) -> float:
    return model.objects.filter(condition).count() / model.objects.count()


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_the_chain_has_three_regions_twelve_branches_and_everybody_who_runs_them(demo):
    assert Region.objects.count() == 3
    branches = Branch.objects.exclude(latitude=None).exclude(longitude=None)
    assert branches.filter(time_zone="Asia/Kolkata").count() == 12
    with_a_login = [
        staff for staff in Staff.objects.select_related("user") if staff.user.has_usable_password()
    ]
    assert Counter(staff.role for staff in with_a_login) == {
        Role.SUPER_OWNER: 1,
        Role.REGIONAL_MANAGER: 3,
        Role.BRANCH_MANAGER: 12,
        Role.RECEPTIONIST: 12,
    }
    for branch in Branch.objects.all():
        roles = set(branch.staff.values_list("role", flat=True))
        assert roles == {Role.REGIONAL_MANAGER, Role.BRANCH_MANAGER, Role.RECEPTIONIST}


def test_the_printed_logins_open_and_nobody_is_an_operator(demo):
    for username, _ in logins():
        user = authenticate(username=username, password=PASSWORD)
        assert user is not None
        assert user.tenant_id == demo.pk
        assert not user.is_superuser


def test_its_points_agree_with_their_ledger(demo):
    proof = prove_ledger()
    assert (proof.differing, proof.examples) == (0, [])
    assert proof.accounts > PEOPLE / 10
    whole = liability()
    assert min(whole.points, whole.redeemed) > 0
    tiers = Counter(PointsAccount.objects.values_list("tier__name", flat=True))
    assert set(tiers) == {"Bronze", "Silver", "Gold"}
    # The newest first is by id, and so are the days that the ledger's page looks for.
    late = "abs(extract(epoch FROM at - uuid_extract_timestamp(id))) > 60"
    assert rows(f"SELECT count(*) FROM loyalty_pointstransaction WHERE {late}") == [(0,)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM loyalty_pointsentry GROUP BY transaction_id HAVING"
            " sum(CASE side WHEN 'debit' THEN points ELSE -points END) <> 0) AS unequal"
        )
        assert cursor.fetchone() == (0,)


def test_it_sends_at_any_hour(demo):
    config = MarketingConfig.objects.get()
    assert config.send_window_start == config.send_window_end


def test_people_speak_many_languages_and_a_third_of_them_hindi(demo):
    languages = Counter(Customer.objects.values_list("language", flat=True))
    assert languages["hi"] / PEOPLE >= 0.30
    assert len(languages) >= 8


def test_addresses_are_as_parlour_writes_them_and_some_are_missing(demo):
    phones = Customer.objects.exclude(phone="").values_list("phone", flat=True)
    assert all(rules.normalize_phone(phone, "IN") == phone for phone in set(phones))
    emails = Customer.objects.exclude(email="").values_list("email", flat=True)
    assert all(rules.normalize_email(email) == email for email in emails)
    # Nobody who tries the demo with a real account may write to a stranger.
    assert {email.split("@")[1] for email in emails} <= {
        "example.com",
        "example.net",
        "example.org",
    }
    assert 0.02 <= share(Customer, Q(phone="")) <= 0.07
    assert 0.30 <= share(Customer, Q(email="")) <= 0.45
    shared = Customer.objects.exclude(phone="").values("phone").annotate(n=Count("pk"))
    assert 0.03 <= shared.filter(n__gt=1).count() * 2 / PEOPLE <= 0.15


def test_primary_contact_points_are_the_customers_own_columns(demo):
    for field, kind in (("phone", "phone"), ("email", "email")):
        listed = Customer.objects.filter(
            contact_points__kind=kind,
            contact_points__is_primary=True,
            contact_points__value=F(field),
        )
        assert listed.count() == Customer.objects.exclude(**{field: ""}).count()


def test_few_numbers_end_as_the_sandbox_reads_a_failure(demo):
    special = "(0026|0049|0050|0130|0429|0500|0999)$"
    assert share(Customer, Q(phone__regex=special)) < 0.005


def test_a_fifth_of_the_people_bring_four_fifths_of_the_money(demo):
    spends = sorted(CustomerFacts.objects.values_list("total_spend", flat=True), reverse=True)
    top = sum(spends[: PEOPLE // 5]) / sum(spends)
    assert Decimal("0.74") <= top <= Decimal("0.86")


def test_december_is_the_peak_of_two_years(demo):
    by_month = rows(
        """
        SELECT extract(month FROM visited_at AT TIME ZONE 'Asia/Kolkata')::int, count(*)
        FROM customers_visit GROUP BY 1
        """
    )
    visits = dict(by_month)
    days = {1: 62, 2: 56, 3: 62, 4: 60, 5: 62, 6: 60, 7: 62, 8: 62, 9: 60, 10: 62, 11: 60}
    others = [visits[month] / count for month, count in days.items()]
    assert visits[12] / 62 > 1.25 * sum(others) / len(others)
    assert visits[12] / 62 > max(others)


def test_people_keep_their_own_rhythm(demo):
    regular = CustomerFacts.objects.filter(visit_count__gte=8)
    assert regular.count() > PEOPLE // 20
    assert 20 <= regular.aggregate(days=Avg("visit_interval_days"))["days"] <= 90
    once = CustomerFacts.objects.filter(visit_count=1).count()
    assert 0.25 <= once / PEOPLE <= 0.55
    assert 0.03 <= share(CustomerFacts, Q(visit_count=0)) <= 0.10


def test_history_begins_two_years_ago_and_ends_before_now(demo):
    ((too_early, too_late, years),) = rows(
        """
        SELECT count(*) FILTER (WHERE visited_at < now() - interval '740 days'),
               count(*) FILTER (WHERE visited_at > now()),
               extract(days FROM max(visited_at) - min(visited_at))
        FROM customers_visit
        """
    )
    assert (too_early, too_late) == (0, 0)
    assert years > 700
    assert not Customer.objects.filter(visits__visited_at__lt=F("created_at")).exists()


def test_bills_add_up(demo):
    assert Purchase.objects.values("visit").distinct().count() == Visit.objects.count()
    past = Purchase.objects.filter(external_id="")
    assert not past.exclude(total=F("subtotal") - F("discount") + F("tax")).exists()
    lined = past.annotate(lined=Sum("lines__amount"))
    assert not lined.exclude(lined=F("subtotal")).exists()
    assert not PurchaseLine.objects.exclude(category=F("service__category")).exists()
    assert set(Purchase.objects.values_list("status", flat=True)) == set(Purchase.Status.values)


def test_bills_of_the_counter_are_visits_at_what_was_paid(demo):
    """Their prices have the tax in them."""
    paid = {
        each.invoice_id: (each.customer_id, Decimal(each.payable) / 100)
        for each in Reservation.objects.filter(state="redeemed")
    }
    bills = Purchase.objects.exclude(external_id="").annotate(lined=Sum("lines__amount"))
    assert paid == {each.invoice_number: (each.customer_id, each.total) for each in bills}
    assert len(paid) == BILLS + CAME + REWARDED
    assert not bills.exclude(total=F("lined")).exists()
    assert not bills.exclude(total=F("subtotal") - F("discount")).exists()
    assert not CustomerFacts.objects.filter(customer__in=bills.values("customer"), visit_count=0)


def test_memberships_and_packages_come_in_every_state(demo):
    assert set(Membership.objects.values_list("status", flat=True)) == set(Membership.Status.values)
    assert CustomerFacts.objects.filter(has_active_membership=True).exists()
    assert CustomerFacts.objects.filter(has_active_package=True).exists()
    assert not Package.objects.filter(sessions_used__gt=F("sessions_total")).exists()


def test_people_have_scores_and_rhythms(demo):
    groups = set(CustomerFacts.objects.values_list("rfm_group", flat=True))
    assert groups >= {"champions", "loyal", "recent", "at_risk", "lost", None}
    assert CategoryRhythm.objects.filter(due_on__isnull=False).exists()


def test_consents_stand_in_every_state_and_follow_from_their_ledger(demo):
    states = {
        row.pop("customer_id"): row
        for row in ConsentState.objects.values("customer_id", *rules.no_consent())
    }
    assert len(states) == PEOPLE
    followed: dict[Any, dict[str, Any]] = defaultdict(rules.no_consent)
    last_at: dict[Any, Any] = {}
    for line in ConsentRecord.objects.order_by("customer_id", "id"):
        said = rules.Statement(line.state, line.channel, line.purpose, line.basis)
        person = line.customer_id
        followed[person] = rules.follow(followed[person], said, source=line.source, at=line.at)
        assert line.at >= last_at.get(person, line.at)
        last_at[person] = line.at
    assert all(followed[person] == state for person, state in states.items())

    assert set(ConsentRecord.objects.values_list("state", flat=True)) >= {
        "granted", "withdrawn", "dnd_set", "opted_out", "opted_in"
    }  # fmt: skip
    assert 0.20 <= share(ConsentState, Q(whatsapp_basis="assumed")) <= 0.40
    assert 0.35 <= share(ConsentState, Q(whatsapp_basis="explicit")) <= 0.75
    assert 0.03 <= share(ConsentState, Q(whatsapp_basis="")) <= 0.15
    assert 0.03 <= share(ConsentState, Q(marketing_opted_out=True)) <= 0.10
    assert 0.10 <= share(ConsentState, Q(is_dnd=True)) <= 0.25


def test_consent_is_never_assumed_of_people_who_were_imported(demo):
    others = Customer.objects.exclude(source__in=["staff", "counter", "api"])
    assert others.exists()
    assert not others.filter(consent_records__basis="assumed").exists()


def test_rows_of_append_tables_lie_in_their_months(demo):
    for table in append_tables():
        assert rows(f"SELECT default_has_rows('{table}')") == [(False,)]


def test_every_channel_can_send(demo):
    assert {account.channel for account in default_accounts()} == {"whatsapp", "sms", "email"}
    assert get_config().email_enabled
    versions = TemplateVersion.objects.select_related("template")
    assert {version.template.channel for version in versions} == {"whatsapp", "sms", "email"}
    for version in versions:
        for language in version.contents:
            known = version.vendor_template(language)
            assert bool(known) == (version.template.channel != "email")
    whatsapp = versions.filter(template__channel="whatsapp")
    assert set(whatsapp.values_list("whatsapp_status", flat=True)) == {"approved"}


def test_segments_are_counted(demo):
    system = Segment.objects.filter(segment_type="system")
    assert set(system.values_list("name", flat=True)) == set(usable_system_segments())
    assert not system.filter(last_refreshed_at=None).exists()
    empty = set(system.filter(customer_count=0).values_list("name", flat=True))
    assert empty <= NOT_IN_THE_DEMO


def test_a_regional_manager_can_approve_what_waits(demo):
    waiting = Campaign.objects.get(status=CampaignStatus.PENDING_APPROVAL)
    assert Campaign.objects.filter(status=CampaignStatus.DRAFT).exists()
    regional = Actor.for_staff(Staff.objects.get(user__username="regional.west"))
    with transaction.atomic():
        approved = services.approve_campaign(actor=regional, campaign=waiting)
        assert approved.status == CampaignStatus.APPROVED
        transaction.set_rollback(True)


def test_the_sent_campaign_is_made_of_its_messages(demo):
    campaign = Campaign.objects.get(status=CampaignStatus.SENT)
    run = campaign.runs.get().send_run
    messages = Message.objects.filter(run_id=run.pk)
    states = Counter(messages.values_list("state", flat=True))
    assert set(states) == {"read", "delivered", "failed", "skipped"}
    assert 200 <= states.total() <= 300
    reasons = Counter(messages.filter(state="skipped").values_list("reason", flat=True))
    assert reasons.keys() >= {"opted_out", "no_consent"}
    assert not messages.filter(state="skipped", reason="").exists()

    progress = run_progress(run)
    assert progress.audience == states.total() == sum(progress.states.values())
    assert progress.states == {name: states[name] for name in MessageState.values}
    assert progress.cost == messages.aggregate(cost=Sum("cost"))["cost"] > 0
    assert progress.cost == sum(
        BudgetMonth.objects.exclude(branch=None).values_list("spent", flat=True)
    )
    assert progress.cost == BudgetMonth.objects.get(branch=None).spent
    for batch in DispatchBatch.objects.filter(run_id=run.pk):
        inside = messages.filter(batch=batch, pk__gte=batch.first_id, pk__lte=batch.last_id)
        counted = sum(getattr(batch, name) for name in MessageState.values)
        assert inside.count() == messages.filter(batch=batch).count() == counted
    referred = ProviderReference.objects.filter(message_id__in=messages.values("pk"))
    assert referred.count() == states.total() - states["skipped"]


def test_everybody_at_desk_and_chair_has_somebody_to_call(demo):
    reminders = FollowupReminder.objects.values_list("staff").annotate(n=Count("pk"))
    assert {n for _staff, n in reminders.order_by()} == {6}
    assert len(reminders.order_by()) == 12 * 6
    assert not FollowupReminder.objects.exclude(customer__home_branch=F("branch")).exists()
    assert not FollowupReminder.objects.filter(customer__phone="").exists()


def test_a_few_people_are_held_out(demo):
    assert 0.003 <= HoldoutMember.objects.count() / PEOPLE <= 0.02


def test_offers_referrals_and_bills_have_something_to_show(demo):
    live = Offer.objects.filter(is_active=True)
    assert set(live.values_list("kind", flat=True)) == set(OfferKind.values)
    days = Redemption.objects.values_list("local_day", flat=True)
    assert len(set(days)) > 5
    states = set(Referral.objects.values_list("state", flat=True))
    assert states >= {"attributed", "held", "rewarded"}
    assert Referral.objects.filter(is_flagged=True).count() == 1
