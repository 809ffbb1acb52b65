from marketing.policy.services.accounts import (
    close_circuit,
    close_due_circuits,
    create_account,
    encrypt_anew,
    note_mailbox,
    open_circuit,
    set_default_account,
    update_account,
)
from marketing.policy.services.budget import (
    book,
    hold_budget,
    open_budget_month,
    release_hold,
    reserve_budget,
)
from marketing.policy.services.config import (
    PORTFOLIO_COLUMNS,
    account_columns,
    update_branch_config,
    update_config,
)
from marketing.policy.services.connection import ask_connection_test, run_connection_test
from marketing.policy.services.prices import set_price

__all__ = [
    "PORTFOLIO_COLUMNS",
    "account_columns",
    "ask_connection_test",
    "book",
    "close_circuit",
    "close_due_circuits",
    "create_account",
    "encrypt_anew",
    "hold_budget",
    "note_mailbox",
    "open_budget_month",
    "open_circuit",
    "release_hold",
    "reserve_budget",
    "run_connection_test",
    "set_default_account",
    "set_price",
    "update_account",
    "update_branch_config",
    "update_config",
]
