from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "marketing.segments"
    label = "segments"
