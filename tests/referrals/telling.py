"""Messages that tell notices of referrals, and what was told."""

from marketing.delivery.models import Message
from marketing.referrals import services
from tests.factories.content import TemplateFactory
from tests.factories.referrals import system

TOLD = "{{ referral_friend | default: 'x' }} by {{ referral_referrer }}: {{ referral_reward }}."
MAIL = {"subject": "News", "body": f"Dear {{{{ customer_name }}}}, {TOLD}"}
BODY = {"body": MAIL["body"]}


def message_on(channel="whatsapp", **values):
    contents = {"en": MAIL, "hi": MAIL} if channel == "email" else {"en": BODY, "hi": BODY}
    values = {"contents": contents, "template_type": "trigger", "trigger_type": "referral_news"} | (
        values
    )
    return TemplateFactory(channel=channel, **values)


def choose(kind, *templates):
    chosen = {(kind, template.channel): template.pk for template in templates}
    return services.choose_notices(actor=system(), chosen=chosen)


def tell():
    given = 0
    while more := services.give_notices():
        given += more
    return given


def said_to(person):
    return [row.variables for row in Message.objects.filter(customer=person).order_by("pk")]
