"""Amazon SES on loopback, and an account at it."""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from marketing.delivery.providers.base import Account

MESSAGE_ID = uuid.UUID("019a0000-0000-7000-8000-000000000005")


class Server(ThreadingHTTPServer):
    """Answers as it is told and keeps what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.answer = (200, {"MessageId": "0109018f-0a1b"})
        self.headers = {}
        self.pages = {}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.path, dict(self.headers), json.loads(body)))
        status, answer = self.server.answer
        if status is None:
            self.connection.close()
            return
        self._say(status, json.dumps(answer).encode(), self.server.headers)

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers), None))
        page = self.server.pages.get(self.path)
        if page is None:
            self._say(403, b'{"message": "The security token is invalid."}', {})
        else:
            self._say(200, page, {})

    def _say(self, status, body, headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def account(server):
    return Account(
        id=uuid.uuid4(),
        provider="ses",
        base_url=f"http://127.0.0.1:{server.server_port}",
        credentials={"access_key_id": "AKIAX", "secret_access_key": "secret"},
        sender={
            "from_email": "hello@example.com",
            "from_name": "पार्लर",
            "configuration_set": "parlour",
        },
        rate_per_second=10,
        max_concurrency=10,
    )
