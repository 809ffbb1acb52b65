from django.urls import path

from billing_bridge.views import counter, counter_bills, received

urlpatterns = [
    path("counter", counter.counter, name="counter"),
    path("counter/people", counter.counter_people, name="counter-people"),
    path("counter/customer", counter.counter_customer, name="counter-customer"),
    path("counter/reserve", counter.counter_reserve, name="counter-reserve"),
    path("counter/bills", counter_bills.counter_bills, name="counter-bills"),
    path("counter/<uuid:pk>", counter_bills.counter_bill, name="counter-bill"),
    path("counter/<uuid:pk>/pay", counter_bills.counter_pay, name="counter-pay"),
    path("counter/<uuid:pk>/renew", counter_bills.counter_renew, name="counter-renew"),
    path("counter/<uuid:pk>/release", counter_bills.counter_release, name="counter-release"),
    path("counter/<uuid:pk>/print", counter_bills.counter_print, name="counter-print"),
    path("counter/<uuid:pk>/refund", counter_bills.counter_refund, name="counter-refund"),
    path("counter/<uuid:pk>/void", counter_bills.counter_void, name="counter-void"),
    path("received", received.received_list, name="received-list"),
    path("received/replay", received.received_replay_all, name="received-replay-all"),
    path("received/<uuid:pk>", received.received_detail, name="received-detail"),
    path("received/<uuid:pk>/replay", received.received_replay, name="received-replay"),
]
