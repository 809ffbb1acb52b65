"""The HTTP contract's conventions, at an endpoint that is there."""

import gc
import json
import weakref

import pytest
from django.test import Client, RequestFactory
from rest_framework.response import Response

from marketing.core import errors
from marketing.core.drf.errors import as_domain_error, flatten
from marketing.core.drf.views import ApiView
from marketing.core.services import issue_key

CONFIG = "/api/v1/marketing/config"


@pytest.fixture
def owner(chain):
    client = Client()
    client.force_login(chain.owner.user)
    return client


def failure(answer):
    body = answer.json()
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    assert set(body["error"]) == {"code", "name", "message", "fields", "details", "requestId"}
    return body["error"]


def test_success_is_enveloped_and_says_which_request_it_was(owner):
    answer = owner.get(CONFIG)
    assert answer.json()["success"] is True
    assert set(answer.json()) == {"success", "data"}
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[1,",
        '{"monthlyBudgetLimit": NaN}',
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 20_000 + "1" + "}" * 20_000,
        '{"postalAddress": "\\ud83d"}',
        '{"\\uDC00": 1}',
    ],
    ids=["open", "cut", "nan", "deep list", "deep object", "half a character", "half a name"],
)
def test_what_is_not_json_is_refused(owner, body):
    answer = owner.patch(CONFIG, body, content_type="application/json")
    assert answer.status_code == 400
    assert failure(answer)["code"] == "MARKETING_400"


@pytest.mark.parametrize("body", [[], "text", 3, None])
def test_a_body_that_is_no_object_is_refused(owner, body):
    answer = owner.patch(CONFIG, json.dumps(body), content_type="application/json")
    assert answer.status_code == 400
    failure(answer)


def test_characters_written_in_two_halves_are_whole(owner):
    answer = owner.patch(
        CONFIG, '{"postalAddress": "\\ud83d\\udc87 Hill Road"}', content_type="application/json"
    )
    assert answer.json()["data"]["config"]["postalAddress"] == "💇 Hill Road"


@pytest.mark.parametrize("version", ["two", "-1", "9" * 5_000, "²"])
def test_a_version_that_is_no_number_is_refused(owner, version):
    created = owner.post(
        "/api/v1/customers", {"firstName": "Asha"}, content_type="application/json"
    ).json()["data"]["customer"]
    answer = owner.patch(
        f"/api/v1/customers/{created['id']}",
        {"firstName": "Usha"},
        content_type="application/json",
        headers={"If-Match": version},
    )
    assert answer.status_code == 400
    assert set(failure(answer)["fields"]) == {"If-Match"}


def test_a_fault_of_our_own_has_the_envelope_below_api_and_a_page_elsewhere(chain, monkeypatch):
    def break_down(*_args, **_options):
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("marketing.policy.selectors.get_config", break_down)
    client = Client(raise_request_exception=False)
    client.force_login(chain.owner.user)
    answer = client.get(CONFIG)
    assert answer.status_code == 500
    assert failure(answer)["code"] == "MARKETING_500"
    assert "secret" not in answer.content.decode()
    page = client.get("/settings/hours")
    assert page.status_code == 500
    assert "Something broke on our side" in page.content.decode()
    assert "secret" not in page.content.decode()


def test_another_media_type_is_refused(owner):
    answer = owner.patch(CONFIG, "a=1", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415
    assert failure(answer)["code"] == "MARKETING_415"


def test_a_body_that_weighs_too_much_is_refused(owner, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    answer = owner.patch(CONFIG, {"postalAddress": "x" * 1_000}, content_type="application/json")
    assert answer.status_code == 413
    refused = failure(answer)
    assert (refused["code"], refused["name"]) == ("MARKETING_413", "TOO_LARGE")


def test_a_method_that_is_not_offered_is_refused(owner):
    answer = owner.delete(CONFIG)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, PATCH, HEAD, OPTIONS")


def test_unknown_addresses_have_the_envelope_below_api(owner):
    answer = owner.get("/api/v1/no-such-thing")
    assert answer.status_code == 404
    assert failure(answer)["code"] == "MARKETING_404"


def test_a_session_needs_the_csrf_token_to_write(chain):
    client = Client(enforce_csrf_checks=True)
    client.force_login(chain.owner.user)
    answer = client.patch(CONFIG, "{}", content_type="application/json")
    assert answer.status_code == 403
    assert "CSRF" in failure(answer)["message"]


def test_a_key_needs_no_csrf_token_and_no_more_than_its_scopes(chain):
    _, text = issue_key(actor=chain.actor(chain.owner), name="Reader", scopes=["read"])
    client = Client(enforce_csrf_checks=True)
    header = {"Authorization": f"Api-Key {text}"}
    assert client.get(CONFIG, headers=header).status_code == 200
    answer = client.patch(CONFIG, "{}", content_type="application/json", headers=header)
    assert answer.status_code == 403
    assert failure(answer)["details"] == {"permission": "config.change"}


@pytest.mark.parametrize("text", ["", "x", "x.y", "0" * 12 + ".secret"])
def test_a_wrong_key_is_refused(db, text):
    answer = Client().get(CONFIG, headers={"Authorization": f"Api-Key {text}"})
    assert answer.status_code == 401
    assert failure(answer)["code"] == "MARKETING_401"


def test_a_key_is_not_known_by_its_prefix_alone(chain):
    api_key, text = issue_key(actor=chain.actor(chain.owner), name="Reader", scopes=["read"])
    wrong = f"{api_key.prefix}.{'A' * len(text.partition('.')[2])}"
    answer = Client().get(CONFIG, headers={"Authorization": f"Api-Key {wrong}"})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Api-Key")


def test_whoever_left_is_shut_out_at_once(chain, owner):
    type(chain.owner).objects.filter(pk=chain.owner.pk).update(is_active=False)
    assert owner.get(CONFIG).status_code == 401


def test_nested_faults_are_named_by_path():
    faults = {"lines": [{}, {"price": ["Too low."]}], "name": ["Required."]}
    assert flatten(faults) == {"lines.1.price": ["Too low."], "name": ["Required."]}


def test_a_fault_of_our_own_is_not_dressed_as_a_refusal():
    assert as_domain_error(RuntimeError("oops")) is None
    assert isinstance(as_domain_error(errors.NotFound()), errors.NotFound)


def test_an_answered_call_waits_for_no_collector():
    class Echo(ApiView):
        authentication_classes = permission_classes = throttle_classes = ()

        def get(self, request):
            views.append(weakref.ref(self))
            return Response({"rows": [1]})

    views = []
    gc.disable()
    try:
        response = Echo.as_view()(RequestFactory().get("/")).render()
        assert response.content == b'{"success":true,"data":{"rows":[1]}}'
        assert views[0]() is None
    finally:
        gc.enable()
