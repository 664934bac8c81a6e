"""The least of a Django project that dj-stripe runs in."""

import os

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "djstripe"]
# Its tables are made from its models: its migrations take SQLite most of a minute.
MIGRATION_MODULES = {"djstripe": None}
SECRET_KEY = "of no use to anybody"
USE_TZ = True

DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
STRIPE_API_HOST = os.environ["SANDBOX_URL"]
STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = "sk_test_TollgateSandboxSecretKey"
