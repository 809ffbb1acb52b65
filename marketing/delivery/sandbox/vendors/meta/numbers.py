"""Reading one of Meta's objects by its id: a number, a business account or a template."""

from aiohttp import web

from marketing.delivery.sandbox.state import SANDBOX
from marketing.delivery.sandbox.vendors.meta import wire
from marketing.delivery.sandbox.vendors.meta.templates import described


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_get(wire.VERSION + "/{id}", read)


async def read(request: web.Request) -> web.Response:
    sandbox, asked = request.app[SANDBOX], request.match_info["id"]
    if account := sandbox.accounts.identified("meta", asked):
        if not wire.is_authorised(request, account):
            return wire.unauthorised()
        return web.json_response(
            {
                "id": asked,
                "verified_name": account.display_name,
                "display_phone_number": account.credentials.get("business_number", ""),
                "code_verification_status": "VERIFIED",
                "quality_rating": "GREEN",
                "throughput": {"level": "STANDARD"},
                "whatsapp_business_manager_messaging_limit": "TIER_UNLIMITED",
            }
        )
    if account := wire.business_account(sandbox, request, asked):
        return web.json_response({"id": asked, "name": account.display_name})
    template = sandbox.templates.with_id(asked)
    if template and wire.business_account(sandbox, request, template.owner):
        return web.json_response(described(template))
    return wire.not_found(asked)
