"""Whether stored credentials can still be read."""

from marketing.core.diagnosis import Problem, register
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.policy.models import ProviderAccount


@register("FIELD_KEYS")
def credentials_decrypt() -> str:
    count = 0
    for tenant in Tenant.objects.all():
        with tenant_scope(tenant.pk):
            for pk in ProviderAccount.objects.values_list("pk", flat=True):
                try:
                    ProviderAccount.objects.get(pk=pk)
                except Exception as error:
                    raise Problem(f"account {pk} of {tenant.slug} cannot be read") from error
                count += 1
    return f"{count} accounts can be read"
