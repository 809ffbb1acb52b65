"""The mail that the mail benches send: 3 KB of text and HTML with five values of each person."""

FIELDS = ("customer_name", "last_name", "salon_name", "branch_name", "branch_city")
_OFFERS = (
    "a hair spa with steam and a head massage",
    "a facial that suits your skin and the season",
    "a manicure and a pedicure with a paraffin dip",
    "a haircut with a wash, a blow-dry and a little advice",
    "threading and a clean-up before the wedding season",
)
_PARAGRAPHS = tuple(
    f"This month you may choose {offer}, done by people who have known your hair and your skin "
    f"for years. Come on any weekday before five, bring a friend, and both of you pay less."
    for offer in _OFFERS
)
MAIL = {
    "subject": "{{ customer_name }}, we have missed you at {{ branch_name }}",
    "body": "\n\n".join(
        (
            "Dear {{ customer_name }} {{ last_name }},",
            *_PARAGRAPHS,
            "See you soon,\n{{ salon_name }}, {{ branch_name }}, {{ branch_city }}",
        )
    ),
    "html": "\n".join(
        (
            "<h1>Dear {{ customer_name }} {{ last_name }},</h1>",
            *(f'<p style="font: 16px/24px Arial">{text}</p>' for text in _PARAGRAPHS),
            "<p>See you soon,<br><b>{{ salon_name }}</b>, {{ branch_name }}, {{ branch_city }}</p>",
        )
    ),
}


def values_of(number: int) -> dict[str, str]:
    """The five values of the bench's person with this number."""
    branch = f"Branch {number % 12}"
    return dict(zip(FIELDS, (f"Asha{number}", "Sharma", "Parlour", branch, "Pune"), strict=True))
