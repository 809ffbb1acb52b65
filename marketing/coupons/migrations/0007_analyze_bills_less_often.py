from django.db import migrations

from marketing.core.migration_operations import LockTimeout, SeldomAnalyzed


class Migration(migrations.Migration):
    dependencies = [
        ("coupons", "0006_since_when_a_bill_is_held"),
        ("core", "0010_partitions_take_every_setting"),
    ]
    operations = [
        LockTimeout(),
        SeldomAnalyzed("coupons_couponcode"),
        SeldomAnalyzed("coupons_hold"),
        SeldomAnalyzed("coupons_redemption"),
        SeldomAnalyzed("coupons_reservation"),
    ]
