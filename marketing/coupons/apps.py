from django.apps import AppConfig


class CouponsConfig(AppConfig):
    name = "marketing.coupons"
    label = "coupons"

    def ready(self) -> None:
        from customers import merging, person_data
        from marketing.core import news
        from marketing.coupons import people
        from marketing.coupons.news import WRONG_CODES
        from marketing.coupons.services import wrong_codes

        news.register(wrong_codes.NEWS, WRONG_CODES)
        person_data.register(
            person_data.Holding("coupons", people.export_coupons, people.erase_coupons)
        )
        for holding in people.HOLDINGS:
            merging.register(holding)
        merging.register_rows("coupons.Reservation")
        merging.leave(
            "coupons.CustomerUse", "customer", "counted again from the redemptions and holds"
        )
