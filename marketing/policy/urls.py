from django.urls import path

from marketing.policy.views import accounts, audit, config, keys, prices, scores, staff

urlpatterns = [
    path("settings", config.switches, name="settings"),
    path("settings/hours", config.hours, name="settings-hours"),
    path("settings/budget", config.budget, name="settings-budget"),
    path("settings/budget/<uuid:pk>", config.branch_budget, name="branch-budget"),
    path("settings/approval", config.approval, name="settings-approval"),
    path("settings/links", config.links, name="settings-links"),
    path("settings/scores", scores.scores, name="settings-scores"),
    path("settings/accounts", accounts.account_list, name="account-list"),
    path("settings/accounts/new/<slug:provider>", accounts.account_new, name="account-new"),
    path("settings/accounts/<uuid:pk>", accounts.account_edit, name="account-edit"),
    path("settings/accounts/<uuid:pk>/test", accounts.account_test, name="account-test"),
    path("settings/accounts/<uuid:pk>/default", accounts.account_default, name="account-default"),
    path(
        "settings/accounts/<uuid:pk>/close-circuit",
        accounts.account_close_circuit,
        name="account-close-circuit",
    ),
    path("settings/prices", prices.price_list, name="price-list"),
    path("settings/staff", staff.staff_list, name="staff-list"),
    path("settings/staff/new", staff.staff_new, name="staff-new"),
    path("settings/staff/<uuid:pk>", staff.staff_edit, name="staff-edit"),
    path("settings/keys", keys.key_list, name="key-list"),
    path("settings/keys/<uuid:pk>/rotate", keys.key_rotate, name="key-rotate"),
    path("settings/keys/<uuid:pk>/revoke", keys.key_revoke, name="key-revoke"),
    path("settings/audit", audit.audit_list, name="audit-list"),
]
