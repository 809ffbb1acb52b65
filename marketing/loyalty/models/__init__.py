from marketing.loyalty.models.birthdays import BirthdayBatch
from marketing.loyalty.models.ledger import (
    Account,
    EarnedLine,
    HoldState,
    Kind,
    LotUse,
    PointsAccount,
    PointsEntry,
    PointsHold,
    PointsLot,
    PointsTransaction,
    Side,
)
from marketing.loyalty.models.programme import EarnRate, LoyaltyProgramme, Tier, TierChange
from marketing.loyalty.models.proof import BalanceSnapshot, LedgerProof

__all__ = [
    "Account",
    "BalanceSnapshot",
    "BirthdayBatch",
    "EarnRate",
    "EarnedLine",
    "HoldState",
    "Kind",
    "LedgerProof",
    "LotUse",
    "LoyaltyProgramme",
    "PointsAccount",
    "PointsEntry",
    "PointsHold",
    "PointsLot",
    "PointsTransaction",
    "Side",
    "Tier",
    "TierChange",
]
