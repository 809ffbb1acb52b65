"""The pages of what came in: who sees what, and doing it again."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from billing_bridge import services, tasks
from billing_bridge.models import RawRow
from billing_bridge.services import Applied, raw
from marketing.core.errors import NotFound
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope

DETAIL = "received-detail"


@pytest.fixture
def made(monkeypatch):
    """What the handler made of each row; `refusal` is raised while it is set."""
    monkeypatch.setattr(raw, "_handlers", {})
    seen = []

    def handle(actor, row):
        if row.natural_key in seen:
            raise AssertionError("twice")
        if row.natural_key == "bad":
            raise NotFound(fields={"branchId": ["Unknown."]})
        if row.natural_key == "broken":
            raise ZeroDivisionError
        seen.append(row.natural_key)
        return Applied(made={"billId": "7"})

    services.register_replay("invoice", handle)
    return seen


@pytest.fixture
def fail(chain):
    def record(
        natural_key, branch=None, body=b'{"note": "<b>\xe0\xa4\x86\xe0\xa4\xb6\xe0\xa4\xbe"}'
    ):
        return services.record_raw(
            actor=chain.actor(chain.owner),
            operation="invoice",
            body=body,
            natural_key=natural_key,
            branch_id=branch.pk if branch else None,
            state="failed",
            error={"code": "MARKETING_404", "message": "No branch.", "fields": {"a.b": ["Gone."]}},
        )

    return record


def test_the_list_asks_no_more_for_many(login, fail, chain, django_assert_max_num_queries):
    client = login("owner")
    for number in range(30):
        fail(str(number))
    with django_assert_max_num_queries(9):
        answer = client.get(reverse("received-list"))
    assert len(answer.context["rows"]) == 25
    older = client.get(reverse("received-list"), {"before": answer.context["before"]})
    assert len(older.context["rows"]) == 5
    one = client.get(
        reverse("received-list"), {"q": "17", "state": "failed", "operation": "invoice"}
    )
    assert [each["row"].natural_key for each in one.context["rows"]] == ["17"]
    assert not client.get(reverse("received-list"), {"state": "applied"}).context["rows"]


def test_a_row_is_shown_with_its_body_and_its_faults(login, fail):
    pk = fail("A-1")
    page = login("regional").get(reverse(DETAIL, args=[pk]))
    assert page.status_code == 404
    page = login("owner").get(reverse(DETAIL, args=[pk])).content.decode()
    assert "&lt;b&gt;आशा" in page
    assert "a.b: Gone." in page


def test_what_a_row_did_not_make_is_not_shown(login, fail):
    pk = fail("A-2")
    RawRow.objects.filter(pk=pk).update(made={"billId": "7", "purchaseId": None})
    page = login("owner").get(reverse(DETAIL, args=[pk])).content.decode()
    assert "billId" in page
    assert "purchaseId" not in page


def test_each_sees_her_branches(login, fail, chain, other_chain):
    mine, theirs = fail("1", chain.south), fail("2", chain.west)
    client = login("regional")
    shown = client.get(reverse("received-list")).context["rows"]
    assert [each["row"].pk for each in shown] == [mine]
    assert client.get(reverse(DETAIL, args=[theirs])).status_code == 404
    assert client.get(reverse(DETAIL, args=[mine])).status_code == 200
    assert client.post(reverse("received-replay", args=[mine])).status_code == 403
    with tenant_scope(other_chain.tenant.pk):
        foreign = services.record_raw(
            actor=other_chain.actor(other_chain.owner), operation="x", body=b"", state="failed"
        )
    assert login("owner").post(reverse("received-replay", args=[foreign])).status_code == 404


def test_the_owner_does_one_again(login, fail, made):
    client = login("owner")
    for number in ("good", "bad", "broken"):
        pk = fail(number)
        answer = client.post(reverse("received-replay", args=[pk]), follow=True)
        assert answer.status_code == 200
    states = dict(RawRow.objects.values_list("natural_key", "state"))
    assert states == {"good": "applied", "bad": "failed", "broken": "failed"}
    assert AuditEntry.objects.filter(action="raw.replay").count() == 3
    assert RawRow.objects.get(natural_key="broken").error["code"] == "MARKETING_500"


def test_all_that_failed_is_asked_for_and_done_by_a_worker(login, fail, made, chain, monkeypatch):
    asked = []
    monkeypatch.setattr("billing_bridge.services.replays.nudge", lambda *a: asked.append(a[1:]))
    monkeypatch.setattr("django.db.transaction.on_commit", lambda work: work())
    for number in ("1", "bad", "2"):
        fail(number)
    answer = login("owner").post(reverse("received-replay-all"), {"operation": "invoice"})
    assert answer.status_code == 302
    for wanted in asked * 2:
        tasks.replay_failed(*wanted)
    assert made == ["1", "2"]
    assert sorted(RawRow.objects.values_list("state", flat=True)) == [
        "applied",
        "applied",
        "failed",
    ]


def test_the_command_does_a_range_a_row_or_an_operation_again(fail, made, chain):
    def run(*options):
        out = io.StringIO()
        call_command("replay_raw", chain.tenant.slug, *options, stdout=out)
        return out.getvalue().strip()

    first, _bad, _last = fail("1"), fail("bad"), fail("2")
    assert run("--dry-run") == "3 to do again"
    assert run("--operation", "refund") == "nothing to do again"
    assert run("--until", "2020-01-01T00:00:00Z") == "nothing to do again"
    assert run("--row", str(first)) == "1 applied"
    assert run() == "1 applied, 1 failed"
    assert made == ["1", "2"]
    with pytest.raises(CommandError):
        call_command("replay_raw", "nobody")


def test_the_admin_does_chosen_rows_again(login, fail, made):
    pk = fail("1")
    where = reverse("admin:billing_bridge_rawrow_changelist")
    client = login("owner")
    answer = client.post(where, {"action": "do_again", "_selected_action": [str(pk)]})
    assert answer.status_code == 302
    assert RawRow.objects.get().state == "applied"


def test_rows_of_old_months_go_and_this_month_stays(fail, chain):
    fail("1")
    assert services.drop_old_rows() == 0
    assert RawRow.objects.count() == 1
