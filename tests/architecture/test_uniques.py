"""What is unique is unique within a chain: `tenant_id` leads, or a parent's id that implies it.

An id is one in the world, so that no row of another chain can collide below the same parent.
"""

import pytest
from django.db import connection

# Unique index: its first column, and the table of a chain's rows that it names one of.
IMPLIED = {
    # One-to-one: what is kept of a row in a table of its own.
    "campaigns_campaignrun_send_run_id_key": ("send_run_id", "delivery_sendrun"),
    "core_staff_user_id_key": ("user_id", "core_user"),
    "customers_consentstate_customer_id_key": ("customer_id", "customers_customer"),
    "customers_customerfacts_customer_id_key": ("customer_id", "customers_customer"),
    "delivery_contactload_customer_id_key": ("customer_id", "customers_customer"),
    "loyalty_pointsaccount_customer_id_key": ("customer_id", "customers_customer"),
    "policy_branchmarketingconfig_branch_id_key": ("branch_id", "core_branch"),
    "policy_holdoutmember_customer_id_key": ("customer_id", "customers_customer"),
    "policy_webhookaddress_account_id_key": ("account_id", "policy_provideraccount"),
    # Children, told apart within their parent; written by the thousand or counted up by
    # `ON CONFLICT`, where sixteen bytes more in every entry are paid for.
    "batch_cost": ("batch_id", "delivery_dispatchbatch"),
    "batch_of_run": ("run_id", "delivery_sendrun"),
    "batch_reason": ("batch_id", "delivery_dispatchbatch"),
    "category_rhythm": ("customer_id", "customers_customer"),
    "link_count": ("run_id", "delivery_sendrun"),
    "segment_member": ("segment_id", "segments_segment"),
    "topic_refusal": ("customer_id", "customers_customer"),
    "tracked_link": ("version_id", "content_templateversion"),
    # The vendor's own ids are unique within an account; two chains never share one.
    "inbound_message_key": ("account_id", "policy_provideraccount"),
    "provider_reference": ("account_id", "policy_provideraccount"),
}
# Unique in the whole installation, because the chain is found by it.
BEFORE_THE_CHAIN = {
    "core_apikey_prefix_key": "a request brings the key and nothing else",
    "core_user_username_key": "who logs in has not said of which chain",
}

UNIQUES = """
SELECT i.relname, first.attname, t.oid FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class t ON t.oid = x.indrelid AND NOT t.relispartition
JOIN pg_attribute tenant ON tenant.attrelid = t.oid AND tenant.attname = 'tenant_id'
LEFT JOIN pg_attribute first ON first.attrelid = t.oid AND first.attnum = x.indkey[0]
WHERE x.indisunique AND NOT x.indisprimary AND t.relnamespace = 'public'::regnamespace
  AND first.attname IS DISTINCT FROM 'tenant_id'
"""
REFERENCED = """
SELECT c.confrelid::regclass::text FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
WHERE c.contype = 'f' AND c.conrelid = %s AND a.attname = %s
"""


def rows(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def test_tenant_id_leads_every_other_unique(db):
    found = {name for name, _first, _table in rows(UNIQUES)}
    known = {*IMPLIED, *BEFORE_THE_CHAIN}
    assert not found - known, (
        f"{sorted(found - known)}: let the fields of the UniqueConstraint begin with `tenant`; or, "
        "where the first one is the id of a chain's row, name its table in IMPLIED"
    )
    assert not known - found, f"{sorted(known - found)} is gone: strike it from the list"


@pytest.mark.parametrize("name", IMPLIED)
def test_what_leads_instead_is_the_id_of_a_chains_row(db, name):
    column, parent = IMPLIED[name]
    [(first, table)] = [found[1:] for found in rows(UNIQUES) if found[0] == name]
    assert first == column
    assert rows(
        "SELECT FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'tenant_id'",
        parent,
    )
    # Where PostgreSQL knows the parent, it is this one.
    assert rows(REFERENCED, table, column) in ([], [(parent,)])
