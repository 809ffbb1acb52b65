"""The same key and body do the work once; the same key with another body is refused."""

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connection

from marketing.core import clock, idempotency
from marketing.core.errors import IdempotencyMismatch, NotFound
from marketing.core.ids import lower_bound
from marketing.core.models import IdempotencyRecord, Region
from marketing.core.tenancy import tenant_scope
from tests.concurrency import PATIENCE
from tests.factories.core import make_chain


@pytest.fixture
def run(chain):
    done = []

    def call(key="k1", body=b"{}", operation="POST /things", staff="manager"):
        def work():
            done.append(body)
            return 201, {"number": len(done)}

        return idempotency.run_once(
            actor=chain.actor(getattr(chain, staff)),
            key=key,
            operation=operation,
            body=body,
            work=work,
        )

    call.done = done
    return call


def test_a_repeat_gets_the_first_answer(run):
    assert run() == (201, {"number": 1})
    assert run() == (201, {"number": 1})
    assert len(run.done) == 1


@pytest.mark.parametrize("other", [{"body": b'{"a": 1}'}, {"operation": "POST /others"}])
def test_the_key_with_another_request_is_refused(run, other):
    run()
    with pytest.raises(IdempotencyMismatch):
        run(**other)
    assert len(run.done) == 1


def test_keys_belong_to_their_client(run):
    run(staff="manager")
    assert run(staff="regional") == (201, {"number": 2})


def test_a_failure_leaves_no_record_and_may_be_tried_again(chain):
    actor = chain.actor(chain.manager)

    def fail():
        Region.objects.create(name="Half done")
        raise NotFound

    def call(work):
        return idempotency.run_once(
            actor=actor, key="k", operation="POST /things", body=b"", work=work
        )

    with pytest.raises(NotFound):
        call(fail)
    assert not Region.objects.filter(name="Half done").exists()
    assert not IdempotencyRecord.objects.exists()
    assert call(lambda: (200, "fine")) == (200, "fine")


LONG_ANSWER = {"candidates": [{"name": f"दिवाली ऑफ़र {n}", "saving": "0.00"} for n in range(500)]}


def repeated(actor, answer):
    """What the second call under one key is told, whose work must not be done."""
    for work in (lambda: (201, answer), lambda: pytest.fail("done twice")):
        status, data = idempotency.run_once(
            actor=actor, key="k", operation="POST /things", body=b"", work=work
        )
    assert status == 201
    return data


@pytest.mark.parametrize("answer", [None, "fine", {"number": 1}, LONG_ANSWER])
def test_an_answer_of_any_length_is_given_again_as_it_was(chain, answer):
    assert repeated(chain.actor(chain.manager), answer) == answer


def test_a_long_answer_is_kept_compressed(chain):
    repeated(chain.actor(chain.manager), LONG_ANSWER)
    kept = bytes(IdempotencyRecord.objects.get().response)
    assert len(kept) < len(json.dumps(LONG_ANSWER)) / 5


@pytest.mark.django_db(transaction=True)
def test_whoever_comes_while_the_first_is_at_work_is_told_to_wait():
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        actor = chain.actor(chain.manager)
    is_working, may_end = Event(), Event()

    def first():
        def work():
            is_working.set()
            assert may_end.wait(PATIENCE)
            return 200, "first"

        try:
            with tenant_scope(chain.tenant.pk):
                return idempotency.run_once(
                    actor=actor, key="k", operation="POST", body=b"", work=work
                )
        finally:
            connection.close()

    def second():
        with tenant_scope(chain.tenant.pk):
            return idempotency.run_once(
                actor=actor, key="k", operation="POST", body=b"", work=lambda: (200, "second")
            )

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(first)
        assert is_working.wait(PATIENCE)
        with pytest.raises(idempotency.StillRunning):
            second()
        may_end.set()
        assert answer.result() == (200, "first")
    assert second() == (200, "first")


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_do_the_work_once():
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        actor = chain.actor(chain.manager)
    together = Barrier(8)

    def call(_number):
        def work():
            Region.objects.create(name="Made")
            return 200, "made"

        together.wait()
        try:
            with tenant_scope(chain.tenant.pk):
                return idempotency.run_once(
                    actor=actor, key="k", operation="POST", body=b"", work=work
                )
        except idempotency.StillRunning:
            return "wait"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(call, range(8)))
    assert {str(answer) for answer in answers} <= {"(200, 'made')", "wait"}
    with tenant_scope(chain.tenant.pk):
        assert Region.objects.filter(name="Made").count() == 1


def test_responses_past_their_time_are_forgotten(chain):
    old = lower_bound(clock.now() - dt.timedelta(hours=49))
    young = lower_bound(clock.now() - dt.timedelta(hours=47))
    for key, pk in (("old", old), ("young", young)):
        IdempotencyRecord.objects.create(id=pk, client="c", key=key, request_hash=b"")
    assert idempotency.forget_old() == 1
    assert IdempotencyRecord.objects.get().key == "young"
