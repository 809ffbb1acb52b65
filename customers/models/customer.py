from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Case, Func, Q, Value, When
from django.db.models.functions import Concat, Length, Lower, Now, Trim
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext_lazy as _

from customers.rules import AS_LATIN, FOREIGN
from marketing.core.models import Branch, Staff
from marketing.core.tenancy import LooseTenantModel, TenantModel

# What `Customer.name` says, for queries.
FULL_NAME = Trim(Concat("first_name", Value(" "), "last_name"))

# The name as `rules.plain_letters` spells it.
PLAIN_NAME = Lower(
    Func(
        Concat("first_name", Value(" "), "last_name"),
        function="normalize",
        template="%(function)s(%(expressions)s, NFKC)",
        output_field=models.TextField(),
    )
)

# The name as `rules.search_key` spells it, NULL where it is all in Latin letters: for them the
# name's own index serves.
NAME_KEY = Case(
    When(
        GreaterThan(Func(PLAIN_NAME, function="octet_length"), Length(PLAIN_NAME)),
        then=Func(PLAIN_NAME, Value(FOREIGN), Value(AS_LATIN), function="translate"),
    ),
    default=None,
    output_field=models.TextField(null=True),
)


class Customer(TenantModel):
    """A person who visits the chain.

    `phone` (E.164), `email` (lower case) and `whatsapp_id` are the primary contact points,
    kept here because every look-up and every audience reads them; `ContactPoint` has all.
    Two customers may share a phone: families do.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        MERGED = "merged", _("Merged into another")
        ERASED = "erased", _("Erased")

    class Gender(models.TextChoices):
        FEMALE = "female", _("Female")
        MALE = "male", _("Male")
        OTHER = "other", _("Other")

    external_id = models.CharField(max_length=100, null=True, blank=True)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100, blank=True)
    # A column, because an index over COALESCE is out of reach under row-level security.
    search_name = models.GeneratedField(
        expression=PLAIN_NAME, output_field=models.TextField(), db_persist=True
    )
    search_key = models.GeneratedField(
        expression=NAME_KEY, output_field=models.TextField(null=True), db_persist=True, null=True
    )
    phone = models.CharField(max_length=20, blank=True)
    email = models.CharField(max_length=254, blank=True)
    whatsapp_id = models.CharField(max_length=140, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    anniversary = models.DateField(null=True, blank=True)
    gender = models.CharField(max_length=10, choices=Gender.choices, blank=True)
    language = models.CharField(max_length=10, default="en")
    preferred_channel = models.CharField(max_length=20, default="whatsapp")
    home_branch = models.ForeignKey(
        Branch,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="customers",
        db_index=False,
    )
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    attributes = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    source = models.CharField(max_length=30, default="staff")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    version = models.PositiveIntegerField(db_default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "external_id"],
                condition=Q(external_id__isnull=False),
                name="customer_external_id",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "phone"], name="customer_phone"),
            models.Index(fields=["tenant", "email"], name="customer_email"),
            models.Index(fields=["tenant", "home_branch"], name="customer_branch"),
            # Whom rules look for within so many km: a band of latitudes, and in it the rest.
            models.Index(
                fields=["tenant", "latitude", "longitude"],
                condition=Q(latitude__isnull=False),
                name="customer_place",
            ),
            # Whose birthday it is: by all the days on which she can be born.
            models.Index(
                fields=["tenant", "birth_date"],
                condition=Q(birth_date__isnull=False),
                name="customer_birthday",
            ),
            GinIndex(fields=["tags"], name="customer_tags"),
            GinIndex(OpClass("search_name", "gin_trgm_ops"), name="customer_name_trigrams"),
            GinIndex(
                OpClass("search_key", "gin_trgm_ops"),
                name="customer_key_trigrams",
                condition=Q(search_key__isnull=False),
            ),
            GinIndex(OpClass("phone", "gin_trgm_ops"), name="customer_phone_trigrams"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class ContactPoint(LooseTenantModel):
    """An address of a customer; the primary one of a kind stands on the customer too.

    `heard_by` is the account that was told a WhatsApp user id: it means something to the accounts
    of that one's business portfolio only. None: to those that send.
    """

    class Kind(models.TextChoices):
        PHONE = "phone", "Phone"
        EMAIL = "email", "E-mail"
        WHATSAPP = "whatsapp", "WhatsApp user id"
        PUSH = "push", "Push token"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contact_points")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    value = models.CharField(max_length=254)
    is_primary = models.BooleanField(default=False)
    heard_by = models.UUIDField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # Those of one customer are few, and found by her; this order finds whose an address is.
            models.UniqueConstraint(
                fields=["tenant", "kind", "value", "customer"], name="contact_point"
            ),
            models.UniqueConstraint(
                fields=["tenant", "customer", "kind"],
                condition=Q(is_primary=True),
                name="primary_contact_point",
            ),
        ]


class AttributeDefinition(TenantModel):
    """A typed custom attribute that the chain declared for its customers."""

    class Type(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        BOOLEAN = "boolean", "Yes or no"
        DATE = "date", "Date"
        CHOICE = "choice", "One of a list"

    key = models.SlugField(max_length=50)
    label = models.CharField(max_length=100)
    type = models.CharField(max_length=10, choices=Type.choices)
    choices = ArrayField(models.CharField(max_length=100), default=list, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="attribute_key")]
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label


class CustomerNote(TenantModel):
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="notes", db_index=False
    )
    text = models.TextField()
    author = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    edited_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["customer", "-id"], name="customer_note")]
