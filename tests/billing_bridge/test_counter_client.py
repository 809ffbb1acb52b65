"""The example till: what it does when the answer is late, busy, another price or a refusal."""

import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.conf import settings

FILE = Path(settings.BASE_DIR) / "examples" / "counter_client.py"
spec = importlib.util.spec_from_file_location("counter_client", FILE)
client = importlib.util.module_from_spec(spec)
sys.modules["counter_client"] = client
spec.loader.exec_module(client)

SILENCE = object()
BILL = {"invoiceId": "A-1", "codes": ["DIWALI"], "reservationId": "7", "note": "आशा", "total": "9"}


class Counter(ThreadingHTTPServer):
    """Answers by a script, `(status, body, headers)` each; then it has taken everything."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.calls, self.over = [], [], threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append((self.path, body, self.headers.get("Idempotency-Key")))
        answer = self.server.script.pop(0) if self.server.script else (200, {"data": {"ok": 1}}, {})
        if answer is SILENCE:
            self.server.over.wait()
            return
        status, data, headers = answer
        text = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def counter() -> Iterator[Counter]:
    server = Counter()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def till(counter, tmp_path):
    slept, clock = [], [1_000_000.0]
    made = client.Till(
        counter.url, "key", tmp_path, patience=0.2, sleep=slept.append, now=lambda: clock[0]
    )
    made.slept, made.clock, made.folder = slept, clock, tmp_path
    return made


def refusal(status, code="MARKETING_400", headers=None, **more):
    error = {"code": code, "message": "no", "fields": {}, "details": {}, **more}
    return status, {"success": False, "error": error}, headers or {}


def kept(till, where="waiting"):
    return [json.loads(file.read_text()) for file in sorted((till.folder / where).glob("*"))]


def test_a_late_quote_is_not_waited_for_and_the_bill_goes_without_codes(counter, till):
    counter.script = [SILENCE]
    assert till.quote({"lines": []}) is None
    done = till.finish_offline(BILL)
    path, body, key = counter.calls[1]
    assert (path, body) == (
        "/api/v1/billing/invoices",
        {"invoiceId": "A-1", "note": "आशा", "total": "9"},
    )
    assert done.print_line == client.CLAIM_LATER
    assert key
    assert kept(till) == []


def test_a_bill_waits_on_disk_and_is_sent_with_the_same_key(counter, till):
    counter.script = [(500, b"<h1>", {}), (502, b"", {})]
    assert till.finish(BILL).answer is None
    assert till.send_waiting().waiting == 1
    (call,) = kept(till)
    assert call["body"] == BILL
    assert len(till.send_waiting().sent) == 1
    assert len({key for _path, _body, key in counter.calls}) == 1
    assert kept(till) == []
    assert till.send_waiting() == client.Sent()


def test_after_a_day_it_has_a_new_key_and_the_same_number(counter, till):
    counter.script = [(500, b"", {})]
    till.finish(BILL)
    till.clock[0] += client.KEY_LIVES + 1
    till.send_waiting()
    (_, first, old), (_, last, new) = counter.calls
    assert (first, old != new) == (last, True)


@pytest.mark.parametrize("status", [409, 429, 503])
def test_who_is_told_when_comes_again_then(counter, till, status):
    counter.script = [refusal(status, headers={"Retry-After": "3"})] * 2
    assert till.finish(BILL).answer == {"ok": 1}
    assert till.slept == [3.0, 3.0]
    assert len({key for _path, _body, key in counter.calls}) == 1


def test_busy_without_end_is_put_off(counter, till):
    counter.script = [refusal(503, headers={"Retry-After": "1"})] * 3
    assert till.finish(BILL).answer is None
    assert (len(counter.calls), len(kept(till))) == (client.TRIES, 1)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_is_never_tried_again_and_put_aside_with_its_reason(counter, till, status):
    counter.script = [refusal(status, "MARKETING_422")]
    with pytest.raises(client.Refused):
        till.finish(BILL)
    (aside,) = kept(till, "refused")
    assert (aside["status"], aside["code"], aside["body"]) == (status, "MARKETING_422", BILL)
    assert till.send_waiting() == client.Sent()
    assert len(counter.calls) == 1


def test_one_that_is_refused_holds_up_no_other(counter, till):
    counter.script = [(500, b"", {})]
    till.finish(BILL)
    till.finish({**BILL, "invoiceId": "A-2"})
    counter.script = [refusal(400)]
    sent = till.send_waiting()
    assert (len(sent.refused), len(sent.sent), sent.waiting) == (1, 1, 0)


def test_a_revoked_key_keeps_the_bills(counter, till):
    counter.script = [refusal(401, "MARKETING_401")]
    assert till.finish(BILL).answer is None
    assert len(kept(till)) == 1


def test_a_refund_does_not_overtake_its_bill(counter, till):
    counter.script = [(500, b"", {})]
    till.finish(BILL)
    assert till.refund("A 1/आ", {"refundId": "R-1"}).answer is None
    till.send_waiting()
    assert [path for path, _body, _key in counter.calls[1:]] == [
        "/api/v1/billing/invoices",
        "/api/v1/billing/invoices/A%201/%E0%A4%86/refund",
    ]


def test_another_price_is_shown(counter, till):
    new = {"quoteHash": "n", "payable": "90.00"}
    counter.script = [refusal(409, "MARKETING_036", details=new)]
    with pytest.raises(client.QuoteChanged) as changed:
        till.reserve({"lines": []}, key="till-1", quote_hash="o")
    assert changed.value.quote == new
    assert counter.calls[0][1] == {"lines": [], "key": "till-1", "quoteHash": "o"}


def test_nobody_there_is_no_answer(till, counter):
    counter.shutdown()
    counter.socket.close()
    assert till.reserve({"lines": []}, key="till-1") is None
    assert till.finish(BILL).answer is None
    assert len(kept(till)) == 1
