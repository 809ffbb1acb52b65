from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "marketing.campaigns"
    label = "campaigns"
