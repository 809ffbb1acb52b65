"""What the ledger proves, and the faults that put the proof to the test."""

import http.client
import sqlite3
import threading

import pytest

from tests.delivery.sandbox.test_meta import ACCOUNT, TEMPLATE, message, send, statuses

CONNECTION_LOST = (http.client.HTTPException, OSError)


@pytest.fixture
def meta(sandbox, receiver):
    sandbox.control("PUT", "accounts/wa", {**ACCOUNT, "webhook_url": receiver.url})
    sandbox.control("PUT", "templates", [TEMPLATE])
    plan(sandbox)
    return sandbox


def plan(meta, *faults):
    meta.control("POST", "plan", {"account": "wa", "faults": list(faults)})


def summary(meta):
    return meta.control("GET", "ledger/summary")


def test_repeat_after_a_clean_answer_is_the_clients_fault(meta):
    for _ in range(2):
        assert send(meta, message()).status == 200
    found = summary(meta)
    assert (found["duplicated"], found["duplicated_after_answer"]) == (1, 1)
    assert found["unanswered"] == 0


@pytest.mark.parametrize(
    "fault", [{"kind": "drop_after_accept"}, {"kind": "answer_late", "delay_ms": 50}]
)
def test_repeat_after_a_spoilt_answer_is_not(meta, fault):
    plan(meta, {**fault, "count": 1})
    try:
        send(meta, message())
    except CONNECTION_LOST:
        assert fault["kind"] == "drop_after_accept"
    send(meta, message())
    found = summary(meta)
    assert (found["duplicated"], found["duplicated_after_answer"]) == (1, 0)
    assert found["unanswered"] == 1


def test_ids_are_paged_and_counted(meta):
    for reference in ("c", "a", "b", "b", ""):
        send(meta, message(reference=reference))
    first = meta.control("GET", "ledger/ids?limit=2")
    second = meta.control("GET", f"ledger/ids?limit=2&after={first['next']}")
    found = [(one["reference"], one["accepted"]) for one in first["ids"] + second["ids"]]
    assert found == [("a", 1), ("b", 2), ("c", 1)]
    assert second["next"] is None
    assert first["ids"][0]["recipient"] == "+919876543210"
    assert first["ids"][0]["answer"] == "clean"
    assert meta.control("GET", "ledger/ids?account=other")["ids"] == []


@pytest.mark.parametrize("share", [0, 1])
def test_share_lasts_until_removed(meta, share):
    plan(meta, {"kind": "server_error", "share": share})
    found = {send(meta, message(reference=str(n))).status for n in range(4)}
    assert found == ({500} if share else {200})
    plan(meta)
    assert send(meta, message()).status == 200


def test_share_survives_a_restart_and_a_count_does_not(meta):
    plan(meta, {"kind": "server_error", "share": 1}, {"kind": "rate_limited", "count": 9})
    assert send(meta, message()).status == 429
    meta.kill()
    meta.start()
    assert send(meta, message()).status == 500


def test_rate_limit_says_when_to_come_back(meta):
    plan(meta, {"kind": "rate_limited", "count": 1, "retry_after": 7})
    reply = send(meta, message())
    assert (reply.status, reply.headers["Retry-After"]) == (429, "7")
    assert summary(meta)["accepted"] == 0


def test_connection_dropped_before_accepting_leaves_nothing(meta):
    plan(meta, {"kind": "drop_before_accept", "count": 1})
    with pytest.raises(CONNECTION_LOST):
        send(meta, message())
    assert summary(meta)["accepted"] == 0


def test_answer_comes_byte_by_byte(meta):
    plan(meta, {"kind": "slow_answer", "count": 1, "delay_ms": 1})
    reply = send(meta, message())
    assert reply.json()["messages"][0]["message_status"] == "accepted"
    assert summary(meta)["unanswered"] == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "unknown"},
        {"kind": "server_error", "share": 2},
        {"kind": "server_error", "count": 0},
        {"kind": "server_error", "often": 1},
    ],
)
def test_bad_plan_is_refused(meta, fault):
    body = {"account": "wa", "faults": [fault]}
    headers = {"Authorization": "Bearer control-secret"}
    assert meta.ask("POST", "/_sandbox/plan", body, headers).status == 400
    assert send(meta, message()).status == 200


def test_accepted_is_on_disk_before_it_is_answered(meta):
    for number in range(20):
        send(meta, message(reference=f"ref-{number}"))
    meta.kill()
    meta.start()
    ids = meta.control("GET", "ledger/ids")["ids"]
    assert {one["reference"] for one in ids} == {f"ref-{number}" for number in range(20)}


def test_callback_of_a_forgotten_message_does_not_name_another(meta, receiver):
    receiver.is_down = True
    send(meta, message(reference="old"))
    meta.control("DELETE", "messages")
    meta.kill()
    meta.start()
    send(meta, message(reference="new"))
    receiver.is_down = False
    receiver.wait(lambda: len(statuses(receiver)) == 3)
    assert {one["biz_opaque_callback_data"] for one in statuses(receiver)} == {"new"}


def test_webhook_address_set_later_gets_what_is_owed(meta, receiver):
    meta.control("PUT", "accounts/wa", ACCOUNT)
    send(meta, message())
    meta.control("PUT", "accounts/wa", {**ACCOUNT, "webhook_url": receiver.url})
    receiver.wait(lambda: len(statuses(receiver)) == 3)


def test_callback_that_cannot_be_made_holds_up_no_other(meta, receiver):
    """A state no vendor knows stands for any fault of a builder."""
    receiver.is_down = True
    send(meta, message())
    meta.kill()
    database = meta.data_dir / "sandbox.sqlite3"
    with_broken_callback(database)
    receiver.is_down = False
    meta.start()
    receiver.wait(lambda: len(statuses(receiver)) == 3)
    receiver.wait(lambda: summary(meta)["owed"] == 1)


def with_broken_callback(database):
    connection = sqlite3.connect(database)
    connection.execute(
        "INSERT INTO callback SELECT account, 1, 1, 1, message_id, 'odd', '', 'not JSON'"
        " FROM callback LIMIT 1"
    )
    connection.commit()
    connection.close()


def test_state_is_reached_whether_or_not_anybody_listens(meta, receiver):
    meta.control("PUT", "accounts/wa", ACCOUNT)
    send(meta, message())
    receiver.wait(lambda: meta.control("GET", "messages")[0]["state"] == "read")
    assert receiver.posts == []


def test_killed_at_any_moment_it_loses_nothing(meta, receiver):
    """What was answered is in the ledger, and all of the ledger is called back to its end."""
    answered = set()

    def keep_sending(worker):
        for number in range(10_000):
            reference = f"{worker}-{number}"
            try:
                if send(meta, message(reference=reference)).status == 200:
                    answered.add(reference)
            except CONNECTION_LOST:
                return

    for round_number in range(4):
        senders = [
            threading.Thread(target=keep_sending, args=(f"{round_number}-{n}",)) for n in range(4)
        ]
        for sender in senders:
            sender.start()
        enough = len(answered) + 40 + 17 * round_number
        receiver.wait(lambda enough=enough: len(answered) >= enough)
        meta.kill()
        for sender in senders:
            sender.join()
        meta.start()

    page = meta.control("GET", "ledger/ids?limit=10000")
    known = {one["reference"] for one in page["ids"]}
    assert page["next"] is None
    assert answered <= known
    receiver.wait(lambda: summary(meta)["owed"] == 0)
    told = {
        one["biz_opaque_callback_data"] for one in statuses(receiver) if one["status"] == "read"
    }
    assert told == known
