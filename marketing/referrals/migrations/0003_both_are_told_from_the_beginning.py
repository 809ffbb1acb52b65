from django.db import migrations, models
from django.db.models import Q

KINDS = [
    ("joined", "Who brought a friend: when the friend signed up"),
    ("came", "Who brought a friend: when the friend came"),
    ("rewarded", "Who brought a friend: when the reward is there"),
    ("friend_joined", "The friend: when she signed up"),
    ("friend_came", "The friend: when she came"),
    ("friend_rewarded", "The friend: when her reward is there"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0002_notices_and_entries_by_staff"),
    ]

    operations = [
        migrations.AlterField(
            model_name="noticetemplate",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=15),
        ),
        migrations.AlterField(
            model_name="referralnotice",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=15),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                condition=Q(("state", "attributed")),
                fields=["tenant", "attributed_at"],
                name="referral_signed_up",
            ),
        ),
    ]
