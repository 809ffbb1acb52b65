"""The sandbox's WhatsApp templates: made, reviewed, changed; their variables checked."""

import json

import pytest

from tests.delivery.sandbox.test_meta import ACCOUNT, message, meta, send

__all__ = ["meta"]
TEMPLATES = "/v23.0/102/message_templates"


def test_template_is_reviewed(meta, receiver):
    body = {
        "name": "holi_v1",
        "language": "en",
        "category": "MARKETING",
        "components": [{"type": "BODY", "text": "Hi {{1}}", "example": {"body_text": [["Asha"]]}}],
    }
    headers = {"Authorization": "Bearer token"}
    assert meta.ask("POST", TEMPLATES, body, headers).json()["status"] == "PENDING"
    meta.ask("POST", TEMPLATES, {**body, "name": "holi_v1_reject"}, headers)

    def events():
        return {
            change["value"]["message_template_name"]: change["value"]["event"]
            for _, posted in list(receiver.posts)
            for change in json.loads(posted)["entry"][0]["changes"]
        }

    receiver.wait(lambda: len(events()) == 2)
    assert events() == {"holi_v1": "APPROVED", "holi_v1_reject": "REJECTED"}
    listed = meta.ask("GET", TEMPLATES, headers=headers).json()["data"]
    assert {t["name"]: t["status"] for t in listed}["holi_v1"] == "APPROVED"


def test_variable_without_example_is_refused(meta):
    body = {
        "name": "x",
        "language": "en",
        "category": "MARKETING",
        "components": [{"type": "BODY", "text": "Hi {{1}}"}],
    }
    reply = meta.ask("POST", TEMPLATES, body, {"Authorization": "Bearer token"})
    assert reply.status == 400


NAMED = {
    "provider": "meta",
    "owner": "102",
    "name": "rebook",
    "language": "en",
    "body": {
        "parameter_format": "NAMED",
        "components": [
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": "Hi {{first_name}}, {{percent}} off"},
            {
                "type": "BUTTONS",
                "buttons": [
                    {"type": "URL", "text": "Book", "url": "https://x.test/{{1}}"},
                    {"type": "COPY_CODE", "example": "HOLI"},
                ],
            },
        ],
    },
}
IMAGE = {
    "type": "header",
    "parameters": [{"type": "image", "image": {"link": "https://x.test/a.jpg"}}],
}
URL = {
    "type": "button",
    "sub_type": "url",
    "index": "0",
    "parameters": [{"type": "text", "text": "r/1"}],
}
CODE = {
    "type": "button",
    "sub_type": "copy_code",
    "index": "1",
    "parameters": [{"type": "coupon_code", "coupon_code": "HOLI20"}],
}


def named(components, **values):
    parameters = [
        {"type": "text", "parameter_name": name, "text": text} for name, text in values.items()
    ]
    template = {
        "name": "rebook",
        "language": {"code": "en"},
        "components": [{"type": "body", "parameters": parameters}, *components],
    }
    return {**message(), "template": template}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (named([IMAGE, URL, CODE], first_name="Asha", percent="20%"), 200, None),
        (named([IMAGE, URL, CODE], first_name="Asha"), 400, 132000),
        (named([IMAGE, URL, CODE], first_name="Asha", discount="20%"), 400, 132012),
        (named([IMAGE, URL, CODE], first_name="", percent="20%"), 400, 132012),
        (named([URL, CODE], first_name="Asha", percent="20%"), 400, 132012),
        (named([IMAGE, CODE], first_name="Asha", percent="20%"), 400, 131008),
        (named([IMAGE, URL], first_name="Asha", percent="20%"), 400, 131008),
    ],
)
def test_named_variables_and_buttons_are_checked(meta, body, status, code):
    meta.control("PUT", "templates", [NAMED])
    reply = send(meta, body)
    found = reply.json().get("error", {}).get("code")
    assert (reply.status, found) == (status, code)
    assert meta.control("GET", "ledger/summary")["accepted"] == (status == 200)


def create(meta, name):
    body = {
        "name": name,
        "language": "en",
        "category": "MARKETING",
        "components": [{"type": "BODY", "text": "Hi"}],
    }
    return meta.ask("POST", TEMPLATES, body, {"Authorization": "Bearer token"})


def test_template_is_edited_and_deleted(meta, receiver):
    headers = {"Authorization": "Bearer token"}
    template_id = create(meta, "edited").json()["id"]
    assert create(meta, "edited").status == 400

    def found():
        return meta.ask("GET", f"/v23.0/{template_id}", headers=headers).json()

    receiver.wait(lambda: found()["status"] == "APPROVED")
    changed = {"components": [{"type": "BODY", "text": "Hello"}]}
    reply = meta.ask("POST", f"/v23.0/{template_id}", changed, headers)
    assert reply.json() == {"success": True}
    assert (found()["status"], found()["components"][0]["text"]) == ("PENDING", "Hello")
    receiver.wait(lambda: found()["status"] == "APPROVED")
    assert meta.ask("DELETE", f"{TEMPLATES}?name=edited", headers=headers).status == 200
    assert meta.ask("GET", f"/v23.0/{template_id}", headers=headers).status == 400
    assert meta.ask("DELETE", f"{TEMPLATES}?name=edited", headers=headers).status == 404


def test_template_is_reviewed_though_nobody_listens(meta, receiver):
    meta.control("PUT", "accounts/wa", ACCOUNT)
    create(meta, "unheard")

    def status():
        listed = meta.ask(
            "GET", f"{TEMPLATES}?name=unheard", headers={"Authorization": "Bearer token"}
        )
        return listed.json()["data"][0]["status"]

    receiver.wait(lambda: status() == "APPROVED")
