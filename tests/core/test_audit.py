"""Every act is a row: who, what, to which object, and what changed."""

from marketing.core import audit
from marketing.core.models import AuditEntry
from marketing.core.request_id import request_id
from marketing.core.tenancy import tenant_scope


def test_an_entry_says_who_did_what_to_which(chain):
    token = request_id.set("req-1")
    audit.record(chain.actor(chain.manager), "branch.rename", chain.north, {"name": ["N", "North"]})
    request_id.reset(token)
    entry = AuditEntry.objects.get()
    assert (entry.user_id, entry.actor_label) == (chain.manager.user_id, "Branch manager")
    assert (entry.object_type, entry.object_id) == ("core.branch", chain.north.pk)
    assert entry.changes == {"name": ["N", "North"]}
    assert entry.request_id == "req-1"


def test_difference_lists_only_what_changes(chain):
    values = {"name": "North", "city": "Pune", "time_zone": "Asia/Kolkata"}
    assert audit.difference(chain.north, values) == {"city": ["Mumbai", "Pune"]}


def test_entries_belong_to_their_chain(chain, other_chain):
    audit.record(chain.actor(chain.manager), "branch.rename", chain.north)
    with tenant_scope(other_chain.tenant.pk):
        assert not AuditEntry.objects.exists()
