from marketing.delivery.models.link import Engagement, LinkCount, TrackedLink
from marketing.delivery.models.message import Message, MessageState, ProviderReference
from marketing.delivery.models.run import (
    BatchCost,
    BatchReason,
    ContactLoad,
    DispatchBatch,
    PortfolioPerson,
    SendRun,
)
from marketing.delivery.models.webhook import ExtraKeyword, InboundMessage, WebhookEvent

__all__ = [
    "BatchCost",
    "BatchReason",
    "ContactLoad",
    "DispatchBatch",
    "Engagement",
    "ExtraKeyword",
    "InboundMessage",
    "LinkCount",
    "Message",
    "MessageState",
    "PortfolioPerson",
    "ProviderReference",
    "SendRun",
    "TrackedLink",
    "WebhookEvent",
]
