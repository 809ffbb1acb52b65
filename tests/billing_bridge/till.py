"""A till that speaks HTTP: `till.quote(…)`, `till.sell(…)`; a bill of one cut unless said."""

import itertools
import json
import uuid

from django.test import Client

from customers.models import Service
from marketing.core.services import issue_key
from tests.factories.customers import ServiceFactory

BASE = "/api/v1/billing/"
_numbers = itertools.count(1)


class Refused(Exception):
    """The answer's status and error."""

    def __init__(self, response):
        self.status = response.status_code
        self.headers = response.headers
        self.error = response.json()["error"]
        self.code = self.error["code"]
        self.fields = self.error["fields"]
        self.details = self.error["details"]
        super().__init__(f"{self.status} {self.error}")


class Till:
    """Services are made as they are named: `service("cut")` is their id."""

    def __init__(self, chain, *, branch=None, **key):
        self.chain = chain
        self.branch = branch or chain.north
        options = {"scopes": ["counter"], "branch_ids": [self.branch.pk], **key}
        _key, text = issue_key(actor=chain.actor(chain.owner), name="Till", **options)
        self.headers = {"Authorization": f"Api-Key {text}"}
        self.client = Client()
        self.services = {}
        self.status = None

    def service(self, name):
        if name not in self.services:
            known = Service.objects.filter(external_id=name).first()
            self.services[name] = str((known or ServiceFactory(external_id=name)).pk)
        return self.services[name]

    def line(self, line):
        body = {"unitPrice": line} if isinstance(line, str) else dict(line)
        if "serviceExternalId" not in body:
            body["serviceId"] = self.service(body.get("serviceId", "cut"))
        return body

    def body(self, *lines, customer=None, **more):
        body = {"branchId": str(self.branch.pk), "lines": [self.line(each) for each in lines]}
        if not lines:
            body["lines"] = [self.line("100.00")]
        if customer is not None:
            body["customerId"] = str(customer.pk)
        return body | more

    def post(self, path, body, key=None, client=None):
        headers = dict(self.headers)
        if path != "quote":
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        response = (client or self.client).post(
            BASE + path, json.dumps(body), content_type="application/json", headers=headers
        )
        self.status = response.status_code
        if response.status_code >= 400:
            raise Refused(response)
        return response.json()["data"]

    def quote(self, *lines, **more):
        return self.post("quote", self.body(*lines, **more))

    def reserve(self, *lines, http_key=None, **more):
        body = self.body(*lines, **{"key": f"bill-{next(_numbers)}", **more})
        return self.post("reserve", body, http_key)

    def redeem(self, reservation, invoice, http_key=None):
        path = f"reservations/{reservation['id']}/redeem"
        return self.post(path, {"invoiceId": invoice}, http_key)

    def invoice_body(self, *lines, invoice=None, total=None, reserved=None, **more):
        """The bill as it was reserved, with what was promised off its lines."""
        body = self.body(*lines, **more)
        if reserved is not None:
            body["reservationId"] = reserved["reservation"]["id"]
            for line, priced in zip(body["lines"], reserved["quote"]["lines"], strict=True):
                off = cents(priced["discount"]) + cents(priced["pointsDiscount"])
                line["discount"] = rupees(off)
        worth = sum(
            cents(line["unitPrice"]) * line.get("quantity", 1)
            - cents(line.get("discount", "0"))
            - cents(line.get("manualDiscount", "0"))
            for line in body["lines"]
        )
        body["invoiceId"] = invoice or f"INV/{next(_numbers)}"
        body["total"] = total or rupees(worth)
        return body

    def sell(self, *lines, http_key=None, **more):
        return self.post("invoices", self.invoice_body(*lines, **more), http_key)

    def refund(self, invoice, refund="R1", lines=None, http_key=None, **more):
        body = {"branchId": str(self.branch.pk), "refundId": refund, **more}
        if lines is not None:
            body["lines"] = [{"number": int(n), "quantity": q} for n, q in lines.items()]
        return self.post(f"invoices/{invoice}/refund", body, http_key)

    def void(self, invoice, http_key=None):
        body = {"branchId": str(self.branch.pk)}
        return self.post(f"invoices/{invoice}/void", body, http_key)


def cents(text):
    rupees_, _, rest = str(text).partition(".")
    return int(rupees_) * 100 + int((rest + "00")[:2])


def rupees(amount):
    return f"{amount // 100}.{amount % 100:02d}"
