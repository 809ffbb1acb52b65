"""What a person wants to hear of, beyond yes and no to a channel."""

from django.db import models
from django.db.models.functions import Now

from customers.models.customer import Customer
from marketing.core.tenancy import TenantModel


class MessageTopic(TenantModel):
    """Something the chain writes about, as the preference page names it.

    `names` holds the name in other languages, by code; without one `name` is shown.
    """

    name = models.CharField(max_length=60)
    names = models.JSONField(default=dict, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="message_topic")]
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def name_in(self, language: str) -> str:
        return str(self.names.get(language) or self.name)


class TopicRefusal(TenantModel):
    """A topic that a customer does not want to hear of."""

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="refused_topics", db_index=False
    )
    topic = models.ForeignKey(MessageTopic, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "topic"], name="topic_refusal")]
