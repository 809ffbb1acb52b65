import gc
import os
import sys

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
import config.celery  # noqa: F401  tasks find their broker through it

application = get_wsgi_application()
# What stands from the start, the views with it, is never garbage: looking through it would hold
# up every thread of the process for a twentieth of a second now and then.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
# A thread that reckons lets go after a millisecond, not five: beside it another would wait so long
# after each answer of the database, and a price asks it a dozen times.
sys.setswitchinterval(0.001)
