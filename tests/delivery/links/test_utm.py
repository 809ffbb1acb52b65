import pytest

from marketing.delivery.links.utm import slug, with_utm

UTM = {"utm_source": "parlour", "utm_medium": "sms", "utm_campaign": "diwali-2026"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://kesar.example/book",
            "https://kesar.example/book?utm_source=parlour&utm_medium=sms&utm_campaign=diwali-2026",
        ),
        (
            "https://kesar.example/?branch=2&x=#prices",
            "https://kesar.example/?branch=2&x=&utm_source=parlour&utm_medium=sms"
            "&utm_campaign=diwali-2026#prices",
        ),
        (
            "https://kesar.example/?UTM_Campaign=own&utm_source=",
            "https://kesar.example/?UTM_Campaign=own&utm_source=&utm_medium=sms",
        ),
    ],
)
def test_what_the_author_wrote_stays(url, expected):
    assert with_utm(url, UTM) == expected


def test_names_as_web_statistics_write_them():
    assert slug("Diwali  2026 Offer") == "diwali-2026-offer"
    assert slug("दिवाली ऑफ़र") == "दिवाली-ऑफ़र"
    assert with_utm("https://k.example", {"utm_campaign": "दि"}).endswith("%E0%A4%A6%E0%A4%BF")
