"""The public scenarios of points, tiers and referrals (M, N, O), as data, through the API."""

import datetime as dt
import json
import re
import uuid
from pathlib import Path

import pytest
import yaml

from marketing.loyalty import services as loyalty
from tests.billing_bridge.till import Refused, Till
from tests.coupons.pricing.vectors import name_of, rows
from tests.coupons.test_counter_vectors import ROWS as COUNTER_ROWS
from tests.customers.at_noon import noon
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import make_programme, make_tiers
from tests.factories.referrals import make_programme as make_referrals
from tests.factories.referrals import reward_all
from tests.loyalty.conftest import at

__all__ = ["noon"]

FILES = Path(__file__).parent.parent / "coupons" / "vectors" / "people"
POINTS, REFERRALS = (
    yaml.safe_load((FILES / f"{name}.yaml").read_text()) for name in ("points", "referrals")
)
ALL = POINTS + REFERRALS + COUNTER_ROWS + rows()
# The last of the public rows of each letter, which have odd numbers.
LAST = {"M": 17, "N": 5, "O": 9}


def test_no_row_is_missing():
    public = {f"{letter}{n:02}" for letter, last in LAST.items() for n in range(1, last + 1, 2)}
    assert {row["id"] for row in POINTS + REFERRALS} == public


def test_each_difference_is_explained():
    page = (Path(__file__).parents[2] / "docs" / "offers.md").read_text()
    differing = {row["id"] for row in ALL if row.get("vs") == "DIFF"}
    assert differing == set(re.findall(r"^\| ([A-O]\d\d) ", page, re.MULTILINE))


class Desk(Till):
    """A till that may look at customers, too."""

    def __init__(self, chain):
        super().__init__(chain, scopes=["counter", "read"])

    def get(self, path, **asked):
        response = self.client.get(f"/api/v1/{path}", asked, headers=self.headers)
        assert response.status_code == 200, response.content
        return response.json()["data"]

    def apply(self, **body):
        headers = {**self.headers, "Idempotency-Key": uuid.uuid4().hex}
        response = self.client.post(
            "/api/v1/referrals/apply", json.dumps(body), "application/json", headers=headers
        )
        if response.status_code >= 400:
            raise Refused(response)
        return response.json()["data"]


@pytest.fixture
def desk(chain):
    return Desk(chain)


class Points:
    def __init__(self, desk, row):
        make_programme(**row.get("programme", {}))
        make_tiers(*((name, least, 10_000) for name, least in row.get("tiers", {}).items()))
        self.desk, self.asha = desk, CustomerFactory(source="staff")
        self.reserved = {}

    def join(self, step):
        assert loyalty.give_signup_bonuses() == 1

    def bill(self, step):
        asked = {"points": {"use": step["points"]}} if "points" in step else {}
        return [f"{step['total']}.00"], {"customer": self.asha, **asked}

    def sell(self, step):
        lines, more = self.bill(step)
        return self.desk.sell(*lines, invoice=step["bill"], **more)["points"]

    def reserve(self, step):
        lines, more = self.bill(step)
        answer = self.desk.reserve(*lines, key=step["bill"], **more)
        self.reserved[step["bill"]] = lines, answer
        return answer["points"]

    def pay(self, step):
        lines, reserved = self.reserved[step["bill"]]
        more = {"points": {"use": step["points"]}, "reserved": reserved, "customer": self.asha}
        return self.desk.sell(*lines, invoice=step["bill"], **more)["points"]

    def refund(self, step):
        self.desk.refund(step["bill"])
        return {}

    def look(self, step):
        loyalty.end_periods()
        found = self.desk.get(f"customers/{self.asha.pk}/points")["points"]
        tier = found["tier"] or {}
        until = tier.get("until") and dt.datetime.fromisoformat(tier["until"])
        return {**found, "tier": tier.get("name"), "until": until}


class Friends:
    def __init__(self, desk, row):
        if "points" in row:
            make_programme(**row["points"])
        make_referrals(**row.get("referrals", {}))
        self.desk = desk
        self.people = {
            name: CustomerFactory(first_name=name.title(), last_name=name, **known)
            for name, known in row["people"].items()
        }

    def apply(self, step):
        whose = self.people[step["code"]].pk
        code = self.desk.get(f"customers/{whose}/referral-code")["referralCode"]
        phone = self.people[step["friend"]].phone
        return self.desk.apply(referralCode=code, referredPhone=phone)

    def sell(self, step):
        more = {"invoice": step["bill"]} if "bill" in step else {}
        if "points" in step:
            more["points"] = {"use": step["points"]}
        sold = self.desk.sell("1000.00", customer=self.people[step["who"]], **more)
        return sold.get("points", {})

    def refund(self, step):
        self.desk.refund(step["bill"])
        return {}

    def reward(self, step):
        reward_all()

    def entries(self, step):
        whose = f"customers/{self.people[step['who']].pk}/points"
        made = self.desk.get(f"{whose}/entries")
        return {
            "points": self.desk.get(whose)["points"]["points"],
            # To hold some, and to use what is held, leaves the sum as it is.
            "rows": [row["points"] for row in reversed(made) if row["points"]],
        }

    def look(self, step):
        asked = {"referredCustomerId": self.people[step["friend"]].pk}
        found = next(iter(self.desk.get("referrals", **asked)), {})
        names = {"status": "status", "signals": "signals", "flagged": "fraudFlag"}
        return {name: found.get(wire) for name, wire in names.items()}


# What names a step's input.
SAID = {"do", "at", "bill", "total", "points", "code", "friend", "who"}


def expected_of(step):
    expected = {key: value for key, value in step.items() if key not in SAID}
    if step["do"] in ("look", "entries") and "points" in step:
        expected["points"] = step["points"]
    if "until" in expected:
        expected["until"] = at(*expected["until"].split())
    return expected


def outcome(played, step):
    try:
        return getattr(played, step["do"])(step) or {}
    except Refused as refused:
        return {"error": refused.code, **refused.details}


@pytest.mark.parametrize("row", POINTS + REFERRALS, ids=name_of)
def test_it_comes_out_as_the_row_says(desk, noon, row):
    played = None
    for step in row["steps"]:
        if "at" in step:
            noon.move_to(at(*step["at"].split()))
        played = played or (Friends if "people" in row else Points)(desk, row)
        found, expected = outcome(played, step), expected_of(step)
        assert {key: found.get(key) for key in expected} == expected, step
        assert "error" in expected or "error" not in found, found
