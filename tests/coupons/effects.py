"""A stand-in for what loyalty registers: a wallet of points that is a discount."""

from marketing.core.errors import Conflict
from marketing.coupons.pricing.bill import EnteredCode, PointsAs, PointsUse
from marketing.coupons.quote_effects import Contribution


class Wallet:
    """Remembers all it was told. `balance` is paise; `code` opens `offer`, as a referral would."""

    name = "wallet"

    def __init__(self, balance=5000, code="", offer=""):
        self.balance = balance
        self.code, self.offer = code, offer
        self.said = []
        self.held = {}

    def ask(self, basket):
        return None

    def contribute(self, basket):
        mine = self.held.get(basket.reservation_id, 0)
        amount = min(basket.asked.get("use", 0), self.balance + mine)
        codes = {}
        if self.code:
            codes = {self.code: EnteredCode(code=self.code, offer=self.offer)}
        points = PointsUse(amount=amount, used_as=PointsAs.DISCOUNT) if amount else None
        return Contribution(points=points, codes=codes)

    def tell(self, basket, quote):
        return {"balance": self.balance}

    def hold(self, basket, quote, reservation_id):
        self.balance += self.held.pop(reservation_id, 0)
        if quote.points > self.balance:
            raise Conflict("not enough points")
        if not quote.points:
            return {}
        self.balance -= quote.points
        self.held[reservation_id] = quote.points
        return {"held": quote.points}

    def renew(self, held, until):
        self.said.append("renew")

    def release(self, held):
        self.said.append("release")
        for each in held:
            self.balance += self.held.pop(each.reservation_id, 0)

    def commit(self, paid):
        self.said.append("commit")
        return {"spent": self.held.pop(paid.held.reservation_id, 0)}

    def reverse(self, returned):
        self.said.append(("reverse", returned.lines, returned.is_whole))
        self.balance += returned.kept["spent"] if returned.is_whole else 0
        return {"balance": self.balance}
