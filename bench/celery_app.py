"""The product's Celery application on the bench's database."""

from bench import ground

ground.use_database()
from config.celery import app  # noqa: E402

__all__ = ["app"]
