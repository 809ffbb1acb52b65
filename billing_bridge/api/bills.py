"""The counter's calls: price, reserve, pay, refund."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_bridge import answers
from billing_bridge.api import results, shapes
from billing_bridge.bills import CounterBill, at_its_field, branch_of, read_bill, require_size
from billing_bridge.bodies import invoice_of, lines_of, natural_key, unchecked_key
from billing_bridge.patience import note_refused, price, wary_of_guesses
from billing_bridge.services import Coming, recording
from billing_bridge.services.invoices import take_invoice
from billing_bridge.services.refunds import refund_invoice, void_invoice
from billing_bridge.tokens import note_tokens, without_tokens
from marketing.core.drf.views import ApiView
from marketing.coupons import selectors, services
from marketing.coupons.errors import QuoteChanged
from marketing.coupons.pricing.answer import CodeDecision

ONCE = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="Kept for 24 hours: the same key and body again give the stored answer.",
)


class CounterView(ApiView):
    """What the counter's calls share."""

    permissions = {"POST": "coupon.redeem"}
    failures = {
        "404": "There is no such bill, reservation or code",
        "422": "The key, or the bill, was sent with something else before",
        "429": "Too many wrong codes, see Retry-After",
        "503": "Busy: nothing was done, ask again after Retry-After",
    }

    def bill(self, shape: type[shapes.BillInput]) -> tuple[dict[str, Any], CounterBill]:
        """The body, and the bill in it."""
        require_size(self.request.data)
        data = self.read(shape)
        return data, read_bill(self.actor, data, at=data.get("finalized_at"))

    def written(self, operation: str, work: Callable[[], Response]) -> Response:
        return self.once(operation, work, required=True)

    @contextmanager
    def recording(self, operation: str, *names: str, target: str = "") -> Iterator[Coming]:
        """Around what must not be lost: the body stays, whatever becomes of it.

        `names` are the body's fields by which its sender finds it, refused or not.
        """
        with recording(
            actor=self.actor,
            operation=operation,
            body=without_tokens(self.request._request.body),
            target=target,
            idempotency_key=self.request.headers.get("Idempotency-Key", ""),
        ) as came:
            key, branch_id = unchecked_key(self.actor, self.request.data, *names, of=target)
            came.about(natural_key=key, branch_id=branch_id)
            yield came


class Quote(CounterView):
    @extend_schema(
        operation_id="quoteBill",
        request=shapes.QuoteInput,
        responses=results.QuoteAnswer,
        examples=[OpenApiExample("A bill with a code", results.A_BILL, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """What the bill costs now, with every offer's reason why or why not. Writes nothing."""
        _data, bill = self.bill(shapes.QuoteInput)
        priced = price(self.actor, bill)
        return Response(answers.priced_bill(priced))


class Reserve(CounterView):
    @extend_schema(
        operation_id="reserveBill",
        parameters=[ONCE],
        request=shapes.ReserveInput,
        responses={201: results.ReservedAnswer},
    )
    def post(self, request: Request) -> Response:
        """Hold what the bill is priced with, for ten minutes.

        With `quoteHash` a price that has changed is 409 and told in `details`; without, a code
        that does not apply is refused.
        """
        data, bill = self.bill(shapes.ReserveInput)

        def reserve(told: list[CodeDecision]) -> Response:
            reserved = services.reserve(
                actor=self.actor,
                branch_id=bill.branch_id,
                customer_id=bill.customer_id,
                cart=bill.cart,
                key=data["key"],
                quote_hash=data.get("quote_hash"),
                asked=bill.asked,
            )
            told += reserved.quote.codes
            shown = {
                "reservation": answers.reservation_of(reserved.reservation),
                **answers.priced_bill(reserved.priced),
            }
            return Response(shown, status=201)

        try:
            with wary_of_guesses(self.actor, bill) as told:
                return self.written("reserve", lambda: at_its_field(lambda: reserve(told)))
        except QuoteChanged as error:
            error.details = {
                **answers.priced_bill(error.priced),
                "quoteHash": error.priced.quote_hash,
            }
            raise


class Redeem(CounterView):
    @extend_schema(
        operation_id="redeemReservation",
        parameters=[ONCE],
        request=shapes.RedeemInput,
        responses=results.RedeemedAnswer,
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """The bill is paid. Its invoice may still follow, and need not name this again."""
        selectors.require_reservation(self.actor, pk)
        data = self.read(shapes.RedeemInput)

        def redeem() -> Response:
            done = services.redeem(
                actor=self.actor, reservation_id=pk, invoice_id=data["invoice_id"]
            )
            return Response(answers.redemption_of(done.reservation))

        return self.written("redeem", redeem)


class Release(CounterView):
    @extend_schema(
        operation_id="releaseReservation",
        parameters=[ONCE],
        request=shapes.NothingInput,
        responses=results.ReservationAnswer,
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Give back what is held; released or expired already is the same answer."""
        selectors.require_reservation(self.actor, pk)
        self.read(shapes.NothingInput)

        def release() -> Response:
            reservation = services.release(actor=self.actor, reservation_id=pk)
            return Response({"reservation": answers.reservation_of(reservation)})

        return self.written("release", release)


class Renew(CounterView):
    @extend_schema(
        operation_id="renewReservation",
        parameters=[ONCE],
        request=shapes.NothingInput,
        responses=results.ReservationAnswer,
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Ten minutes from now, but thirty from the beginning at most."""
        selectors.require_reservation(self.actor, pk)
        self.read(shapes.NothingInput)

        def renew() -> Response:
            reservation = services.renew(actor=self.actor, reservation_id=pk)
            return Response({"reservation": answers.reservation_of(reservation)})

        return self.written("renew", renew)


class Invoices(CounterView):
    @extend_schema(
        operation_id="recordInvoice",
        parameters=[ONCE],
        request=shapes.InvoiceInput,
        responses={201: results.InvoiceAnswer, 200: results.InvoiceAnswer},
        examples=[OpenApiExample("A paid bill", results.AN_INVOICE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """A bill is finished: the sale, its offers, points and referral, all or nothing.

        Known already it is 200 and the same answer. It may come late: what can no longer be given
        stands in `warnings`.
        """
        with self.recording("invoice", "invoiceId") as came:
            data, bill = self.bill(shapes.InvoiceInput)
            key = natural_key(bill.branch_id, data["invoice_id"])
            came.about(natural_key=key, branch_id=bill.branch_id)

            def take() -> Response:
                invoice = invoice_of(bill, data)
                taken = at_its_field(lambda: take_invoice(actor=self.actor, invoice=invoice))
                note_tokens(taken, data)
                note_refused(
                    self.actor, bill.branch_id, [each["details"] for each in taken.warnings]
                )
                came.applied(made=taken.made, customer_ids=taken.customer_ids)
                shown = answers.invoice_of(taken)
                return Response(shown, status=201 if taken.is_new else 200)

            return self.written("invoice", take)


class Refund(CounterView):
    @extend_schema(
        operation_id="refundInvoice",
        parameters=[ONCE],
        request=shapes.RefundInput,
        responses={201: results.RefundAnswer, 200: results.RefundAnswer},
        examples=[OpenApiExample("One unit of a line", results.A_REFUND, request_only=True)],
    )
    def post(self, request: Request, invoice: str) -> Response:
        """Lines come back, or all that is left of the bill, at the amounts frozen when paid.

        Known already, or all of it back before, it is 200 and the answer of then.
        """
        with self.recording("refund", "refundId", target=invoice) as came:
            require_size(request.data)
            data = self.read(shapes.RefundInput)
            branch_id, lines = branch_of(self.actor, data), lines_of(data)
            key = natural_key(branch_id, invoice, data["refund_id"])
            came.about(natural_key=key, branch_id=branch_id)

            def refund() -> Response:
                done = refund_invoice(
                    actor=self.actor,
                    branch_id=branch_id,
                    invoice_id=invoice,
                    refund_id=data["refund_id"],
                    lines=lines,
                    refunded_at=data.get("refunded_at"),
                )
                came.applied(made=done.made, customer_ids=done.customer_ids)
                return Response(answers.refund_of(done), status=201 if done.is_new else 200)

            return self.written("refund", refund)


class Void(CounterView):
    @extend_schema(
        operation_id="voidInvoice",
        parameters=[ONCE],
        request=shapes.VoidInput,
        responses=results.RefundAnswer,
    )
    def post(self, request: Request, invoice: str) -> Response:
        """The whole bill was a mistake: it and its visit no longer count."""
        with self.recording("void", target=invoice) as came:
            data = self.read(shapes.VoidInput)
            branch_id = branch_of(self.actor, data)
            came.about(natural_key=natural_key(branch_id, invoice), branch_id=branch_id)

            def void() -> Response:
                done = void_invoice(actor=self.actor, branch_id=branch_id, invoice_id=invoice)
                came.applied(made=done.made, customer_ids=done.customer_ids)
                return Response(answers.refund_of(done))

            return self.written("void", void)
