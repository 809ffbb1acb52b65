"""The sink: a success in each vendor's shape, counted."""

import json
import signal
import socket

import pytest

from tests.concurrency import PATIENCE
from tests.delivery.sandbox.conftest import Process


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    started = Process(tmp_path_factory.mktemp("sink"))
    started.start("--sink")
    yield started
    started.kill(signal.SIGTERM)


@pytest.fixture
def sink(process):
    return process


@pytest.fixture
def counts(sink):
    """What the sink was asked since the test began."""

    def now():
        return sink.ask("GET", "/count").json()

    before = now()
    return lambda: {name: count - before[name] for name, count in now().items()}


@pytest.mark.parametrize(
    ("path", "body", "status", "messages"),
    [
        ("/v23.0/1/messages", {"to": "919876543210"}, 200, 1),
        (
            "/v3/mail/send",
            {"personalizations": [{"to": [{"email": f"{n}@example.com"}]} for n in range(3)]},
            202,
            3,
        ),
        ("/api/v5/flow", {"recipients": [{"mobiles": str(n)} for n in range(4)]}, 200, 4),
        (
            "/api/v3/send-sms/dynamic",
            {"sms": [{"msisdn": "8801712345678", "text": "x"}] * 2},
            200,
            2,
        ),
        ("/wa/api/v1/template/msg", b"destination=919876543210", 202, 1),
        ("/2010-04-01/Accounts/AC1/Messages.json", b"To=1", 201, 1),
        ("/v2/email/outbound-emails", {"Content": {}}, 200, 1),
    ],
)
def test_each_vendors_success_is_counted(sink, counts, path, body, status, messages):
    assert sink.ask("POST", path, body).status == status
    assert counts() == {"requests": 1, "messages": messages}


def test_answers_have_the_vendors_shape_and_ids_of_their_own(sink):
    found = {sink.ask("POST", "/v1/1/messages", {}).json()["messages"][0]["id"] for _ in "abc"}
    assert len(found) == 3
    assert sink.ask("POST", "/api/v5/flow", {"recipients": []}).json()["type"] == "success"
    assert sink.ask("POST", "/v3/mail/send", {}).headers["X-Message-Id"]
    assert sink.ask("POST", "/api/v3/send-sms", {}).json()["status"] == "SUCCESS"


def test_pipelined_requests_in_pieces_are_each_answered(sink, counts):
    one = b"POST /v1/1/messages HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}"
    with socket.create_connection(("127.0.0.1", sink.port), timeout=PATIENCE) as connection:
        sent = one * 3
        for start in range(0, len(sent), 50):
            connection.sendall(sent[start : start + 50])
        received = b""
        while received.count(b'"accepted"') < 3:
            received += connection.recv(4096)
    assert received.count(b"HTTP/1.1 200 OK") == 3
    assert counts()["requests"] == 3


def test_body_without_a_length_is_refused(sink, counts):
    with socket.create_connection(("127.0.0.1", sink.port), timeout=PATIENCE) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 411")
    assert counts()["requests"] == 0


def test_answer_is_json_of_its_stated_length(sink):
    reply = sink.ask("POST", "/2010-04-01/Accounts/AC1/Messages.json", b"x")
    assert len(reply.body) == int(reply.headers["Content-Length"])
    assert json.loads(reply.body)["status"] == "queued"
