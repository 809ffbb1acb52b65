from marketing.delivery.models.message import Message, MessageState, ProviderReference
from marketing.delivery.models.run import ContactLoad, DispatchBatch, SendRun
from marketing.delivery.models.webhook import WebhookEvent, WebhookKey

__all__ = [
    "ContactLoad",
    "DispatchBatch",
    "Message",
    "MessageState",
    "ProviderReference",
    "SendRun",
    "WebhookEvent",
    "WebhookKey",
]
