from marketing.policy.services.accounts import (
    close_circuit,
    create_account,
    encrypt_anew,
    open_circuit,
    set_default_account,
    update_account,
)
from marketing.policy.services.budget import (
    open_budget_month,
    release_budget,
    reserve_budget,
    settle_budget,
)
from marketing.policy.services.config import update_branch_config, update_config

__all__ = [
    "close_circuit",
    "create_account",
    "encrypt_anew",
    "open_budget_month",
    "open_circuit",
    "release_budget",
    "reserve_budget",
    "set_default_account",
    "settle_budget",
    "update_account",
    "update_branch_config",
    "update_config",
]
