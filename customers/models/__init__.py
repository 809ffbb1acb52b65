from customers.models.activity import (
    CustomerEvent,
    CustomerEventKey,
    Membership,
    Package,
    Purchase,
    PurchaseLine,
    PurchaseRefund,
    Visit,
)
from customers.models.catalogue import Service, ServiceCategory
from customers.models.consent import Channel, ConsentRecord, ConsentState, Purpose, Suppression
from customers.models.customer import (
    FULL_NAME,
    AttributeDefinition,
    ContactPoint,
    Customer,
    CustomerNote,
)
from customers.models.facts import CategoryRhythm, CustomerFacts, StaleFacts
from customers.models.imports import ImportJob, ImportMapping, ImportPart, ImportRow
from customers.models.merging import CustomerMerge, DuplicatePair
from customers.models.preferences import MessageTopic, TopicRefusal
from customers.models.scoring import ScoringConfig

__all__ = [
    "FULL_NAME",
    "AttributeDefinition",
    "CategoryRhythm",
    "Channel",
    "ConsentRecord",
    "ConsentState",
    "ContactPoint",
    "Customer",
    "CustomerEvent",
    "CustomerEventKey",
    "CustomerFacts",
    "CustomerMerge",
    "CustomerNote",
    "DuplicatePair",
    "ImportJob",
    "ImportMapping",
    "ImportPart",
    "ImportRow",
    "Membership",
    "MessageTopic",
    "Package",
    "Purchase",
    "PurchaseLine",
    "PurchaseRefund",
    "Purpose",
    "ScoringConfig",
    "Service",
    "ServiceCategory",
    "StaleFacts",
    "Suppression",
    "TopicRefusal",
    "Visit",
]
