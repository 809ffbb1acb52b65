"""Which of the editor's fields says what a field of the API says."""

from marketing.coupons.forms.body import Data, Rows, tier_rows

# Where a fault of the API's field is shown.
AT = {
    "discountType": "kind",
    "discountValue": "value",
    "freeServiceId": "services",
    "freeUnits": "free_units",
    "buyGet": "buy_quantity",
    "bundle": "part_0_services",
    "tiers": "tier_0_from",
    "validFrom": "valid_from",
    "startsAt": "valid_from",
    "validUntil": "valid_until",
    "endsAt": "valid_until",
    "hours": "hours_0_from",
    "blackouts": "off_0_from",
    "maxTotalUses": "max_total",
    "maxUsesPerCustomer": "max_customer",
    "maxUsesPerBranch": "max_branch",
    "maxUsesPerPeriod": "max_period",
    "nthVisit": "visit",
    "maxDiscountAmount": "max_discount",
    "maxDiscountPerLine": "max_line",
    "minOrderAmount": "min_amount",
    "maxOrderAmount": "max_amount",
    "floorPrice": "floor_price",
    "minQuantity": "min_quantity",
    "branchIds": "branches",
    "excludedBranchIds": "excluded_branches",
    "segmentIds": "segments",
    "excludedSegmentIds": "excluded_segments",
}


def field_at(path: str, data: Data, rows: Rows) -> str:
    """The field at which a fault of the API's `path` is shown, whether the form has it or not."""
    head, *rest = path.split(".")
    if head == "tiers" and rest:
        place = tier_rows(data, rows)[int(rest[0])]
        return f"tier_{place}_{'from' if rest[1] == 'from' else 'give'}"
    return AT.get(path) or AT.get(head) or path
