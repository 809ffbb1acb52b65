from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("policy", "0009_budget_holds")]
    operations = [
        migrations.AddField(
            "MarketingConfig",
            "locked_templates_only",
            models.BooleanField(default=False, db_default=False),
        ),
    ]
