"""Settings shared by every environment; each deployment's values come from the environment."""

from csp.constants import NONCE, NONE, SELF

from config import prepare_database, schedules
from config.env import BASE_DIR, database, env, secret

DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
SANDBOX_URL = env.str("SANDBOX_URL", "http://127.0.0.1:8025").rstrip("/")
SANDBOX_SECRET = env.str("SANDBOX_SECRET", "")
# Mail servers of the own network that accounts may use; others need a public name.
SMTP_RELAYS = env.list("SMTP_RELAYS", default=[])
# What Prometheus must show to read /metrics; without one only this machine may.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
SPOOL_DIR = env.path("SPOOL_DIR", BASE_DIR / ".local" / "spool")
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]
# Former keys, newest first: what they signed (links in messages, sessions) stays good.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

INSTALLED_APPS = [
    "config.admin.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "django_cotton.apps.SimpleAppConfig",
    "template_partials.apps.SimpleAppConfig",
    "django_htmx",
    "django_filters",
    "django_celery_beat",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
    "marketing.core",
    "customers",
    "marketing.policy",
    "marketing.segments",
    "marketing.content",
    "marketing.delivery",
    "marketing.coupons",
    "marketing.loyalty",
    "marketing.referrals",
    "marketing.followups",
    "marketing.campaigns",
    "billing_bridge",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "marketing.core.middleware.RequestIdMiddleware",
    "marketing.delivery.webhooks.door.WebhookMiddleware",
    "marketing.delivery.links.pages.LinkMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "marketing.core.middleware.TenantMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            # Explicit, because cotton and template_partials each rewrite the loaders and
            # then one of them silently stops compiling.
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django_cotton.cotton_loader.Loader",
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "template_partials.templatetags.partials",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "marketing.core.context.chrome",
            ],
        },
    },
]
COTTON_DIR = "components"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# `default` is the unprivileged role under row-level security; `owner` migrates and nothing else.
DATABASES = {
    "default": {**database("DATABASE_URL"), "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
}
if env.str("DATABASE_OWNER_URL", "") or env.str("DATABASE_OWNER_URL_FILE", ""):
    DATABASES["owner"] = database("DATABASE_OWNER_URL")
# Off behind a pool that hands a connection to another between transactions and keeps no statements.
KEEP_STATEMENTS = env.bool("KEEP_STATEMENTS", True)
LEAKPROOF_FUNCTIONS = prepare_database.LEAKPROOF_FUNCTIONS
DATABASE_ROUTERS = ["marketing.core.routers.OwnerMigrates"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

BROKER_URL = secret("BROKER_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": secret("CACHE_URL", BROKER_URL),
        "KEY_PREFIX": "parlour",
    }
}

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
# Keys that encrypt provider credentials, newest first; apart from SECRET_KEY, so that either can
# be changed without the other.
FIELD_KEYS = env.list("FIELD_KEYS", default=[])

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("hi", "हिन्दी")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# The rule builder posts each input of a segment's conditions, of which there may be 500; with four
# inputs each they pass Django's thousand. Parsing this many takes milliseconds, and what a body
# may weigh (DATA_UPLOAD_MAX_MEMORY_SIZE, 2.5 MB) stays as it is.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["marketing.core.drf.authentication.ActorAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["marketing.core.drf.authentication.HasPermission"],
    "DEFAULT_RENDERER_CLASSES": ["marketing.core.drf.rendering.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["marketing.core.drf.rendering.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "marketing.core.openapi.EnvelopeSchema",
    "DEFAULT_THROTTLE_CLASSES": ["marketing.core.drf.throttling.CallsAMinute"],
    "EXCEPTION_HANDLER": "marketing.core.drf.errors.exception_handler",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "TIME_FORMAT": "%H:%M",
    "COERCE_DECIMAL_TO_STRING": True,
    "NON_FIELD_ERRORS_KEY": "nonFieldErrors",
    "UNAUTHENTICATED_USER": None,
}
# A key is a module of the chain with all its tills: 500 calls a second.
API_CALLS_A_MINUTE = {"person": 1_200, "key": 30_000}
SPECTACULAR_SETTINGS = {
    "TITLE": "Parlour",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Marketing and engagement for salon and spa chains.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "CAMELIZE_NAMES": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums"],
    "ENUM_NAME_OVERRIDES": {
        "CouponKindEnum": "marketing.coupons.api.offer_inputs.COUPON_KINDS",
        "OfferKindEnum": "marketing.coupons.models.OfferKind",
        "CampaignStatusEnum": "marketing.campaigns.models.CampaignStatus",
        "ChannelEnum": "customers.models.Channel",
        "FollowupStatusEnum": "marketing.followups.models.FollowupReminder.Status",
        "GenderEnum": "customers.models.Customer.Gender",
        "MessageStateEnum": "marketing.delivery.models.MessageState",
        "SlotKindEnum": "marketing.content.slots.KINDS",
        "PointsEntryKindEnum": "marketing.loyalty.models.Kind",
        "ReferralStateEnum": "marketing.referrals.models.Referral.State",
        "ReferralStatusEnum": "marketing.referrals.rules.STATUSES",
        "RewardTypeEnum": "marketing.referrals.models.RewardType",
    },
}

CELERY_BROKER_URL = BROKER_URL
CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Redelivery waits for a sweep as well as for the time-out, so both are short.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"marketing.delivery.tasks.dispatch_messages": {"queue": "campaign-messages"}}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
DJANGO_CELERY_BEAT_TZ_AWARE = True
SYSTEM_SCHEDULES = schedules.SCHEDULES

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "mask": {"()": "marketing.core.logs.MaskPersonalData"},
        "request_id": {"()": "marketing.core.logs.AddRequestId"},
    },
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id", "mask"],
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
}
