from django.apps import AppConfig


class PolicyConfig(AppConfig):
    name = "marketing.policy"
    label = "policy"
