#!/usr/bin/env python3
"""A till that uses Parlour, and goes on selling when it cannot.

Nothing but Python's own library. Copy it, or read it as the rules in code:

* **Two seconds.** A price that has not come by then is not waited for: the bill goes on without
  offers by code, and the slip says that the customer may claim them later.
* **Never lose a bill.** A finished bill is written to disk, then sent. It leaves the disk when
  Parlour has answered for it. What could not be sent is sent in order by `send_waiting`.
* **The same key again.** Each write has one Idempotency-Key for as long as it is tried: the answer
  to a repeat is the first answer. Keys are remembered for a day; an older bill gets a new one,
  which is safe too: branch and invoice number tell Parlour that it knows the bill.
* **Come again** (409 that says when, 429, 503, no answer): the same call, after `Retry-After`.
* **Do not come again** (400, 404, 422 and every other 4xx): somebody must look. It is put aside
  with the answer.
* **Another price** (409 MARKETING_036 to a reservation): show the new quote, ask her, reserve it.

    till = Till("https://parlour.example", key, Path("/var/lib/till"))
    quote = till.quote(cart)                                        # None: offline
    held = till.reserve(cart, key="till-7-0042", quote_hash=quote["quoteHash"])
    outcome = till.finish({**paid_bill(cart, held), "invoiceId": "A-42"})
"""

import argparse
import contextlib
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

PATIENCE = 2.0
# A finished bill is not waited for by a customer.
PATIENCE_FOR_BILLS = 15.0
KEY_LIVES = 24 * 3600
TRIES = 3
LONGEST_WAIT = 60.0
CLAIM_LATER = "Offers could not be checked: claim later with this bill."
QUOTE_CHANGED = "MARKETING_036"
AMOUNTS = ("total", "tax", "rounding", "payments")
# What one bill names and another cannot be told by: left out of what goes without codes.
BY_CODE = ("codes", "points", "referral", "reservationId")

Json = dict[str, Any]


class Offline(Exception):
    """No answer, or one that says to come again: nothing is known to have been done."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        self.wait = wait
        super().__init__(reason)


class Refused(Exception):
    """An answer that will be the same however often it is asked."""

    def __init__(self, status: int, error: Json) -> None:
        self.status, self.error = status, error
        super().__init__(f"{error.get('code', status)}: {error.get('message', '')}")


class QuoteChanged(Refused):
    """The price is another by now; `quote` is the new one, to be shown before it is reserved."""

    @property
    def quote(self) -> Json:
        return dict(self.error.get("details", {}).get("quote", {}))


@dataclass
class Finished:
    """What became of a bill: `answer` once Parlour has it, until then a line for the slip."""

    answer: Json | None = None
    print_line: str = ""


@dataclass
class Sent:
    """What became of the bills that waited."""

    sent: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    waiting: int = 0


class Parlour:
    """Single calls. `sleep` and `now` are there for tests."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = f"{url.rstrip('/')}/api/v1"
        self._headers = {"Authorization": f"Api-Key {api_key}", "Content-Type": "application/json"}
        self._sleep = sleep

    def call(
        self, path: str, body: Mapping[str, Any], *, key: str = "", patience: float = PATIENCE
    ) -> Json:
        """One try. Raises `Offline` where another may help, `Refused` where none will."""
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        request = urllib.request.Request(  # noqa: S310  the till's own setting
            f"{self._base}/{path}", json.dumps(body).encode(), headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=patience) as response:  # noqa: S310
                return dict(json.load(response)["data"])
        except urllib.error.HTTPError as error:
            raise _judged(error) from error
        except (TimeoutError, OSError, ValueError, KeyError) as error:
            # Cut off, too late, or no answer of Parlour's: it may have been done all the same.
            raise Offline(f"no answer: {error}") from error

    def insist(self, path: str, body: Mapping[str, Any], *, key: str, patience: float) -> Json:
        """The same call up to three times, waiting as long as the answer asks."""
        for attempt in range(TRIES):
            try:
                return self.call(path, body, key=key, patience=patience)
            except Offline as error:
                if attempt == TRIES - 1 or not 0 < error.wait <= LONGEST_WAIT:
                    raise
                self._sleep(error.wait)
        raise AssertionError


def _judged(error: urllib.error.HTTPError) -> Offline | Refused:
    try:
        told = json.load(error)["error"]
    except (ValueError, KeyError, OSError):
        told = {}
    wait = error.headers.get("Retry-After", "")
    seconds = float(wait) if wait.isdigit() else 0.0
    if error.code in (429, 503) or (error.code == 409 and seconds):
        return Offline(f"busy: {told.get('message', error.code)}", seconds or 1.0)
    if error.code >= 500:
        return Offline(f"failed: {error.code}")
    if told.get("code") == QUOTE_CHANGED:
        return QuoteChanged(error.code, told)
    return Refused(error.code, told)


class Till:
    """A counter with a folder of its own: `waiting/` to be sent, `refused/` for a person."""

    def __init__(
        self,
        url: str,
        api_key: str,
        folder: Path,
        *,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._parlour = Parlour(url, api_key, sleep=sleep)
        self._patience, self._now = patience, now
        self._waiting, self._refused = folder / "waiting", folder / "refused"
        for each in (self._waiting, self._refused):
            each.mkdir(parents=True, exist_ok=True)

    def quote(self, cart: Mapping[str, Any]) -> Json | None:
        """The price and every offer's reason; None when it did not come in time."""
        try:
            answer = self._parlour.call("billing/quote", cart, patience=self._patience)
            return dict(answer["quote"])
        except Offline:
            return None

    def reserve(self, cart: Mapping[str, Any], *, key: str, quote_hash: str = "") -> Json | None:
        """Hold the price while she pays; None when offline. Raises `QuoteChanged`, `Refused`.

        `key` is the till's name for the bill: with the same one the basket may change.
        """
        body = {**cart, "key": key} | ({"quoteHash": quote_hash} if quote_hash else {})
        with contextlib.suppress(Offline):
            return self._parlour.insist(
                "billing/reserve", body, key=str(uuid.uuid4()), patience=self._patience
            )
        return None

    def release(self, reservation_id: str) -> None:
        """She does not buy. Unsaid, or unheard, it ends by itself after ten minutes."""
        with contextlib.suppress(Offline, Refused):
            path = f"billing/reservations/{reservation_id}/release"
            self._parlour.call(path, {}, key=str(uuid.uuid4()), patience=self._patience)

    def finish(self, bill: Mapping[str, Any]) -> Finished:
        """The bill is paid: kept on disk, sent, or sent later. Raises `Refused` after putting it
        aside.
        """
        return self._write("billing/invoices", dict(bill))

    def refund(self, invoice_id: str, body: Mapping[str, Any]) -> Finished:
        """Behind the bill it belongs to, should that wait as well."""
        number = urllib.parse.quote(invoice_id)
        return self._write(f"billing/invoices/{number}/refund", dict(body))

    def finish_offline(self, bill: Mapping[str, Any]) -> Finished:
        """A bill whose price could not be had: without offers by code, which she claims later."""
        plain = {name: value for name, value in bill.items() if name not in BY_CODE}
        done = self._write("billing/invoices", plain)
        done.print_line = CLAIM_LATER
        return done

    def send_waiting(self) -> Sent:
        """Send what waits, oldest first, until one finds nobody. Call it every minute."""
        sent = Sent()
        files = self._files()
        for done, file in enumerate(files):
            try:
                self._send(file)
            except Offline:
                sent.waiting = len(files) - done
                break
            except Refused as error:
                sent.refused[file.stem] = str(error)
            else:
                sent.sent.append(file.stem)
        return sent

    def _write(self, path: str, body: Json) -> Finished:
        file = self._keep(path, body)
        if self._files()[0] != file:
            # Others wait before it; a refund must not overtake its bill.
            return Finished()
        try:
            return Finished(answer=self._send(file))
        except Offline:
            return Finished()

    def _files(self) -> list[Path]:
        return sorted(self._waiting.glob("*.json"))

    def _keep(self, path: str, body: Json) -> Path:
        """On disk before it is sent, whole or not at all."""
        name = f"{time.time_ns():020}-{uuid.uuid4().hex[:8]}"
        call = {"path": path, "body": body, "key": str(uuid.uuid4()), "keptAt": self._now()}
        file = self._waiting / f"{name}.json"
        _store(file, call)
        return file

    def _send(self, file: Path) -> Json:
        call = json.loads(file.read_text(encoding="utf-8"))
        if self._now() - call["keptAt"] > KEY_LIVES:
            call |= {"key": str(uuid.uuid4()), "keptAt": self._now()}
            _store(file, call)
        try:
            answer = self._parlour.insist(
                call["path"], call["body"], key=call["key"], patience=PATIENCE_FOR_BILLS
            )
        except Refused as error:
            if error.status in (401, 403):
                # The key, not the bill: it goes when the till has a new one.
                raise Offline(str(error)) from error
            _store(self._refused / file.name, {**call, "status": error.status, **error.error})
            file.unlink()
            raise
        file.unlink()
        return answer


def _store(file: Path, content: Json) -> None:
    half = file.with_suffix(".half")
    with half.open("w", encoding="utf-8") as out:
        json.dump(content, out, ensure_ascii=False)
        out.flush()
        os.fsync(out.fileno())
    half.replace(file)


def paid_bill(cart: Mapping[str, Any], held: Json) -> Json:
    """The bill that was reserved, with what was promised off each line. It lacks its number."""
    quote = held["quote"]
    off = {
        line["number"]: Decimal(line["discount"]) + Decimal(line["pointsDiscount"])
        for line in quote["lines"]
    }
    lines = [
        {**line, "discount": str(off[line.get("number", place)])}
        for place, line in enumerate(cart["lines"], start=1)
    ]
    reservation = held["reservation"]["id"]
    amounts = {"total": quote["total"], "tax": quote["tax"]}
    return {**cart, "lines": lines, **amounts, "reservationId": reservation}


def _lines(quote: Json) -> Iterator[str]:
    for offer in quote.get("applied", []):
        yield f"{offer['name']}: -{offer['amount']}"
    yield f"To pay: {quote['payable']} {quote['currency']}"


def main() -> None:
    """`counter_client.py URL KEY FOLDER bill.json`; without a bill what waits is sent."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    for name in ("url", "key", "folder"):
        parser.add_argument(name)
    parser.add_argument("bill", nargs="?", help="a file with the body of billing/invoices")
    given = parser.parse_args()
    till = Till(given.url, given.key, Path(given.folder))
    if not given.bill:
        print(till.send_waiting())
        return
    bill = json.loads(Path(given.bill).read_text(encoding="utf-8"))
    own, amounts = {"invoiceId", "invoiceNumber", "finalizedAt"}, set(AMOUNTS)
    cart = {name: value for name, value in bill.items() if name not in own | amounts}
    quote = till.quote(cart)
    if quote is None:
        done = till.finish_offline(bill)
    else:
        print("\n".join(_lines(quote)))
        try:
            held = till.reserve(cart, key=bill["invoiceId"], quote_hash=quote.get("quoteHash", ""))
        except QuoteChanged as error:
            sys.exit("The price has changed:\n" + "\n".join(_lines(error.quote)))
        if held:
            paid = paid_bill(cart, held)
            if Decimal(paid["total"]) == Decimal(bill["total"]):
                own |= amounts  # else they are of the price before the offers
            done = till.finish({**paid, **{name: bill[name] for name in own & set(bill)}})
        else:
            done = till.finish_offline(bill)
    print(done.print_line or json.dumps(done.answer, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
