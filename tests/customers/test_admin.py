"""Customers in the admin."""

import pytest


def test_the_admin_shows_and_changes_customers_through_the_service(asha, login):
    client = login("owner")
    assert client.get("/admin/customers/customer/?q=%2B9198").status_code == 200
    url = f"/admin/customers/customer/{asha.pk}/change/"
    body = {
        "first_name": "Asha",
        "last_name": "Rao",
        "phone": "98765 43211",
        "language": "en",
        "preferred_channel": "sms",
        "tags": "",
    }
    assert client.post(url, body).status_code == 302
    asha.refresh_from_db()
    assert (asha.last_name, asha.phone, asha.version) == ("Rao", "+919876543211", 2)
    refused = client.post(url, body | {"phone": "12"}, follow=True)
    assert "No such phone number can exist" in refused.text
    asha.refresh_from_db()
    assert asha.phone == "+919876543211"


@pytest.mark.parametrize(
    "model",
    [
        "customermerge",
        "duplicatepair",
        "messagetopic",
        "topicrefusal",
        "attributedefinition",
        "consentrecord",
        "consentstate",
        "contactpoint",
        "customerevent",
        "customerfacts",
        "customernote",
        "membership",
        "package",
        "purchase",
        "service",
        "servicecategory",
        "suppression",
        "visit",
    ],
)
def test_every_model_stands_in_the_admin(asha, login, model):
    client = login("owner")
    assert client.get(f"/admin/customers/{model}/?q=9").status_code == 200
    may_add = model in ("attributedefinition", "messagetopic", "service", "servicecategory")
    added = client.get(f"/admin/customers/{model}/add/").status_code
    assert added == (200 if may_add else 403)
