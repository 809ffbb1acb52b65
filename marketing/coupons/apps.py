from django.apps import AppConfig


class CouponsConfig(AppConfig):
    name = "marketing.coupons"
    label = "coupons"

    def ready(self) -> None:
        from customers import merging, person_data
        from marketing.coupons import people
        from marketing.coupons.merge_fields import register_merge_fields
        from marketing.coupons.segment_fields import register_segment_fields

        register_merge_fields()
        register_segment_fields()
        person_data.register(
            person_data.Holding("coupons", people.export_coupons, people.erase_coupons)
        )
        for holding in people.HOLDINGS:
            merging.register(holding)
        merging.register_rows("coupons.Reservation")
        merging.leave(
            "coupons.CustomerUse", "customer", "counted again from the redemptions and holds"
        )
