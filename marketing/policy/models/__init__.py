from marketing.policy.models.accounts import Provider, ProviderAccount, RateCard, WebhookAddress
from marketing.policy.models.budget import BudgetHold, BudgetMonth
from marketing.policy.models.config import BranchMarketingConfig, HoldoutMember, MarketingConfig

__all__ = [
    "BranchMarketingConfig",
    "BudgetHold",
    "BudgetMonth",
    "HoldoutMember",
    "MarketingConfig",
    "Provider",
    "ProviderAccount",
    "RateCard",
    "WebhookAddress",
]
