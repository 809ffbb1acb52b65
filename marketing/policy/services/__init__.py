from marketing.policy.services.accounts import (
    close_circuit,
    create_account,
    encrypt_anew,
    open_circuit,
    set_default_account,
    update_account,
)
from marketing.policy.services.budget import book, open_budget_month, reserve_budget
from marketing.policy.services.config import update_branch_config, update_config

__all__ = [
    "book",
    "close_circuit",
    "create_account",
    "encrypt_anew",
    "open_budget_month",
    "open_circuit",
    "reserve_budget",
    "set_default_account",
    "update_account",
    "update_branch_config",
    "update_config",
]
