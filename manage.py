#!/usr/bin/env python
import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    import config.celery  # noqa: F401  tasks find their broker through it

    execute_from_command_line(sys.argv)
