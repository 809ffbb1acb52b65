"""The page of the limits between scores and stages."""

import pytest
from django.urls import reverse

from customers.models import ScoringConfig
from marketing.core.models import AuditEntry
from marketing.policy.audit_words import in_words

FORM = {
    "new_days": "30",
    "active_visits": "2",
    "active_days": "90",
    "engaged_visits": "5",
    "engaged_days": "180",
    "at_risk_days": "90",
    "churned_days": "180",
    "reactivated_days": "90",
    "overdue_factor": "1.5",
    "rfm_mode": "fixed",
    "recency_limits": "31, 91, 181, 366",
    "frequency_limits": "2,3,5,10",
    "monetary_limits": "2000,5000,10000,25000",
}


def post(client, **changes):
    return client.post(reverse("settings-scores"), FORM | changes)


def test_the_owner_changes_limits(chain, login):
    page = login("owner").get(reverse("settings-scores")).content.decode()
    assert 'value="31,91,181,366"' in page
    answer = post(
        login("owner"),
        at_risk_days="60",
        rfm_mode="quintile",
        monetary_limits="1000, 2500.50, 5000, 9000",
    )
    assert answer.headers["Location"] == reverse("settings-scores")
    config = ScoringConfig.objects.get()
    assert (config.at_risk_days, config.rfm_mode, config.version) == (60, "quintile", 2)
    assert [str(limit) for limit in config.monetary_limits] == [
        "1000.00",
        "2500.50",
        "5000.00",
        "9000.00",
    ]
    (entry,) = AuditEntry.objects.filter(action="scoring.update")
    (line,) = in_words([entry])
    assert line.act == "Changed how customers are scored"
    assert "At risk: no visit for (days): 90 → 60" in line.changes


def test_saving_without_a_change_computes_nothing_again(chain, login):
    assert post(login("owner")).status_code == 302
    assert ScoringConfig.objects.get().version == 1
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("new_days", "0"),
        ("new_days", "soon"),
        ("engaged_days", "99999"),
        ("churned_days", "90"),
        ("overdue_factor", "0.9"),
        ("overdue_factor", "NaN"),
        ("rfm_mode", "stars"),
        ("recency_limits", "31, 91, 181"),
        ("recency_limits", "31, 91, 181, 366, 400"),
        ("recency_limits", "366, 181, 91, 31"),
        ("recency_limits", "a, b, c, d"),
        ("frequency_limits", ""),
        ("frequency_limits", "0, 1, 2, 3"),
        ("monetary_limits", "1, 2, 3, 3"),
        ("monetary_limits", "1, 2, 3, 9e99"),
    ],
)
def test_wrong_input_is_answered_at_its_field(chain, login, name, wrong):
    answer = post(login("owner"), **({"new_days": "45"} | {name: wrong}))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [name]
    assert ScoringConfig.objects.get().version == 1
