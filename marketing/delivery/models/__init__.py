from marketing.delivery.models.message import Message, MessageState, ProviderReference
from marketing.delivery.models.run import (
    BatchCost,
    BatchReason,
    ContactLoad,
    DispatchBatch,
    PortfolioPerson,
    SendRun,
)
from marketing.delivery.models.webhook import WebhookEvent, WebhookKey

__all__ = [
    "BatchCost",
    "BatchReason",
    "ContactLoad",
    "DispatchBatch",
    "Message",
    "MessageState",
    "PortfolioPerson",
    "ProviderReference",
    "SendRun",
    "WebhookEvent",
    "WebhookKey",
]
