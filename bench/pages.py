"""Staff's pages on a chain with millions of messages: how long they take, how many statements.

A page is timed over HTTP together with the fragments it loads at once, one after the other.
Writing ten million messages takes longer than looking at the pages: ask for them by `--n`.
"""

import http.client
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench import desk, ground, history, machine, product

MESSAGES = 2_000_000
ROUNDS = 20
BAR_MS, BAR_QUERIES = 200, 20


@dataclass(frozen=True)
class Page:
    """A page by what it is called; `target` asks for the part that HTMX reloads."""

    name: str
    path: str
    target: str = ""
    role: str = "owner"

    @property
    def headers(self) -> dict[str, str]:
        return {"HX-Request": "true", "HX-Target": self.target} if self.target else {}


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    messages = n or MESSAGES
    tenant_id = ground.chain_of(max(messages // 10, 1_000))
    history.forget()
    history.make(tenant_id, messages)
    yield from look_at_pages(tenant_id, messages)
    history.forget()


def look_at_pages(tenant_id: uuid.UUID, messages: int) -> Iterator[dict[str, Any]]:
    """Each page's figures as soon as they are known."""
    from django.test import Client

    from tests.page_queries import questions

    made = desk.make(tenant_id)
    clients = {}
    for role, user in (made.users | {"owner": _owner(tenant_id)}).items():
        clients[role] = Client(SERVER_NAME=product.HOST)
        clients[role].force_login(user)
    pages = _pages(tenant_id) + _pages_of_staff(made)
    with product.web() as web:
        for page in pages:
            client = clients[page.role]
            asked, _fragments = questions(client, page.path, page.headers)
            # The server hangs up on whoever is silent for as long as that may take.
            browser = Browser(web.port, client.cookies["sessionid"].value)
            begun = web.cpu_seconds()
            with machine.watched() as watched:
                first = browser.open(page)
                times = sorted(browser.open(page) for _ in range(ROUNDS))
            spent = web.cpu_seconds() - begun
            p95 = times[len(times) * 95 // 100 - 1]
            yield {
                "bench": "pages",
                "what": page.name,
                "role": page.role,
                "n": messages,
                "seconds": round(sum(times), 2),
                "first_ms": round(first * 1000),
                "p50_ms": round(times[len(times) // 2] * 1000),
                "p95_ms": round(p95 * 1000),
                "queries": len(asked),
                "cpu_ms": _milliseconds_a_page(spent),
                "database_cpu_ms": _milliseconds_a_page(watched.database),
                "foreign_cpu": watched.foreign_share,
                "bar": {"p95_ms": BAR_MS, "queries": BAR_QUERIES},
                "reached": p95 * 1000 <= BAR_MS and len(asked) <= BAR_QUERIES,
            }


def _milliseconds_a_page(seconds: float | None) -> float | None:
    """CPU time of one look of those that were watched, the first among them."""
    return None if seconds is None else round(seconds / (ROUNDS + 1) * 1000, 1)


class Browser:
    """One person's keep-alive connection."""

    def __init__(self, port: int, session: str) -> None:
        self._connection = http.client.HTTPConnection(product.HOST, port, timeout=120)
        self._cookie = f"sessionid={session}"

    def open(self, page: Page) -> float:
        """Seconds for the page and what it loads at once."""
        from tests.page_queries import fragments

        begun = time.perf_counter()
        for path in fragments(self._get(page.path, page.headers)):
            self._get(path, {"HX-Request": "true"})
        return time.perf_counter() - begun

    def _get(self, path: str, headers: dict[str, str]) -> str:
        self._connection.request("GET", path, headers=headers | {"Cookie": self._cookie})
        answer = self._connection.getresponse()
        body = answer.read().decode()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path} answered {answer.status}")
        return body


def _owner(tenant_id: uuid.UUID) -> Any:
    """A super owner, who sees the most."""
    from marketing.core.models import Role, Staff
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.operations.alerts import keep_alerts
    from tests.factories.core import make_staff

    with tenant_scope(tenant_id):
        keep_alerts()
        owners = Staff.objects.filter(role=Role.SUPER_OWNER).select_related("user")
        return (owners.order_by("pk").first() or make_staff(Role.SUPER_OWNER)).user


def _waiting(tenant_id: uuid.UUID) -> Any:
    """A campaign to everybody that waits for the approval of somebody other than its author."""
    from marketing.campaigns import services
    from marketing.campaigns.models import Campaign, CampaignStatus
    from marketing.core.actor import Actor
    from marketing.core.models import Role
    from marketing.core.tenancy import tenant_scope
    from tests.factories.campaigns import make_campaign
    from tests.factories.core import make_staff
    from tests.factories.policy import set_config

    with tenant_scope(tenant_id):
        waiting = Campaign.objects.filter(status=CampaignStatus.PENDING_APPROVAL).first()
        if waiting is None:
            set_config(campaign_approval_threshold_recipients=1)
            author = make_staff(Role.SUPER_OWNER)
            campaign = make_campaign(author, target_all_customers=True)
            waiting = services.submit_campaign(actor=Actor.for_staff(author), campaign=campaign)
        # As beat does every few minutes.
        for campaign_id in services.ids_to_recount():
            services.recount(campaign_id=campaign_id)
        return waiting


def _pages_of_staff(made: desk.Desk) -> list[Page]:
    """What each role has of its own; a wizard's step also asks for what stands beside it."""
    from django.urls import reverse

    steps = ("details", "audience", "message", "schedule", "review")
    of_draft = [reverse("campaign-edit", args=[made.draft.pk, step]) for step in steps]
    counted = reverse("campaign-estimate", args=[made.draft.pk])
    followups, inactive = reverse("followup-list"), reverse("followup-inactive")
    return [
        *(
            Page(f"{name} of a {role}", reverse(name), role=role)
            for role, names in {
                "receptionist": ("home", "campaign-list", "campaign-calendar"),
                "manager": ("home", "campaign-list", "campaign-calendar", "spend", "failure-list"),
                "regional": (
                    "home",
                    "approval-inbox",
                    "approval-decided",
                    "notification-list",
                    "spend",
                    "campaign-calendar",
                    "away",
                ),
                "owner": (
                    "campaign-calendar",
                    "approval-inbox",
                    "approval-decided",
                    "spend",
                    "notification-list",
                ),
            }.items()
            for name in names
        ),
        Page("wizard, new", reverse("campaign-new"), role="manager"),
        *(Page(f"wizard, {s}", at, role="manager") for s, at in zip(steps, of_draft, strict=True)),
        Page("wizard, live count", counted, target="outlook", role="manager"),
        Page("ready-made messages", reverse("template-list"), role="manager"),
        *(
            Page(f"follow-ups, {show}, of a {role}", f"{followups}?show={show}{whose}", role=role)
            for role, whose in (("receptionist", ""), ("manager", "&staff=all"))
            for show in ("today", "overdue", "done")
        ),
        Page("who stayed away", inactive, role="receptionist"),
        Page("who stayed away, page 40", f"{inactive}?days=30&page=40", role="receptionist"),
    ]


def _pages(tenant_id: uuid.UUID) -> list[Page]:
    from django.urls import reverse

    from marketing.campaigns.models import Campaign
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.models import Message, WebhookEvent

    with tenant_scope(tenant_id):
        sending = Campaign.objects.filter(status="sending").order_by("pk").last()
        sent = Campaign.objects.filter(status="sent").order_by("pk").last()
        assert sending
        assert sent
        of_sent = Message.objects.filter(run_id=sent.runs.get().send_run_id)
        message = of_sent.filter(state="failed").select_related("customer").first()
        middle = of_sent.order_by("pk")[of_sent.count() // 2].pk
        event = WebhookEvent.objects.order_by("-pk").first()
        assert message
        assert event
        customer = message.customer

    def of(campaign: Campaign, **query: Any) -> str:
        path = reverse("campaign-detail", args=[campaign.pk])
        return f"{path}?{urlencode(query)}" if query else path

    webhooks = reverse("webhook-list")
    return [
        Page("home", reverse("home")),
        Page("home, what is running", reverse("home"), target="running"),
        Page("campaigns", reverse("campaign-list")),
        Page("campaigns, sent, page 3", reverse("campaign-list") + "?status=over&page=3"),
        Page("campaign being sent", of(sending)),
        Page("campaign being sent, live", reverse("campaign-live", args=[sending.pk])),
        Page("campaign that waits for approval", of(_waiting(tenant_id))),
        Page("campaign sent", of(sent)),
        *(
            Page(f"recipients, {state}", of(sent, state=state))
            for state in ("failed", "unknown", "skipped", "read")
        ),
        Page("recipients, one reason", of(sent, state="skipped", reason="weekly_cap")),
        Page("recipients, amid", of(sent, after=middle)),
        Page("recipients, by phone", of(sent, q=customer.phone)),
        Page("recipients, by name", of(sent, q=customer.first_name)),
        Page("recipients, by a name of many", of(sent, q=customer.last_name)),
        Page(
            "recipients, by a name of many, failed", of(sent, q=customer.last_name, state="failed")
        ),
        Page("recipients, by part of a phone", of(sent, q=customer.phone[-5:])),
        Page("recipient", reverse("campaign-person", args=[sent.pk, customer.pk])),
        Page("failed messages", reverse("failure-list")),
        Page("operations", reverse("operations")),
        Page("operations, live", reverse("operations"), target="live"),
        Page("webhooks", webhooks),
        Page("webhooks, unknown", f"{webhooks}?state=unknown"),
        Page("webhooks, of an account", f"{webhooks}?account={event.account_id}"),
        Page("webhook", reverse("webhook-detail", args=[event.pk])),
        Page("customer", reverse("customer-detail", args=[customer.pk])),
        Page("metrics", reverse("metrics")),
    ]
