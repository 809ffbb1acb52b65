import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
import config.celery  # noqa: F401  tasks find their broker through it

application = get_wsgi_application()
