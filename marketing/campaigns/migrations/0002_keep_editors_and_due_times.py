import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0001_initial"),
        ("content", "0001_initial"),
        ("core", "0002_partition_functions"),
        ("segments", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="campaign",
            name="campaign_by_status",
        ),
        migrations.AddField(
            model_name="campaign",
            name="edited_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="pause_detail",
            field=models.TextField(blank=True),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(fields=["tenant", "status", "next_run_at"], name="campaign_due"),
        ),
    ]
