from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("policy", "0006_unknown_decision_hours")]

    operations = [
        migrations.AddField(
            model_name="ratecard",
            name="exchange_rate",
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=14, null=True),
        ),
        migrations.AddConstraint(
            model_name="ratecard",
            constraint=models.CheckConstraint(
                condition=models.Q(exchange_rate__isnull=True) | models.Q(exchange_rate__gt=0),
                name="rate_card_exchange_rate_positive",
            ),
        ),
    ]
