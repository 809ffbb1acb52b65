"""The Celery application: `celery -A config.celery worker`."""

import os

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

app = Celery("parlour")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def look_for_batches(**_: object) -> None:
    """What a killed worker left is taken up as soon as another one stands."""
    app.send_task("marketing.delivery.tasks.dispatch_messages")
