"""SMTP: the mails as they are written, and what a real server's replies mean."""

import asyncio
import dataclasses
import threading

import pytest

from marketing.delivery.providers.smtp import client, pool
from marketing.delivery.providers.smtp import session as sessions
from marketing.delivery.rules import ResultClass
from tests.delivery.providers.mailbox import (
    ACCOUNT,
    MESSAGE_ID,
    deliver,
    deliver_together,
    envelope,
    free_port,
    read,
    text_of,
)


def test_a_mail_arrives_as_it_was_written(serve):
    mailbox, account = serve(sender={"return_path": "bounces@example.com"})
    (result,) = deliver(account, envelope())
    assert (result.outcome, result.reference) == (
        ResultClass.ACCEPTED,
        f"<{MESSAGE_ID.hex}.647d0d8923787cfa@example.com>",
    )
    (taken,) = mailbox.mails
    assert (taken.mail_from, taken.rcpt_tos) == ("bounces@example.com", ["asha@example.com"])
    assert text_of(read(taken.content).get_body(("plain",))) == "Hi Asha\n.\nBye"


def test_mails_share_a_session_until_it_has_carried_its_share(serve, monkeypatch):
    monkeypatch.setattr(sessions, "MAILS_A_SESSION", 3)
    mailbox, account = serve()
    results = deliver(account, *(envelope(number=number) for number in range(7)))
    assert {result.outcome for result in results} == {ResultClass.ACCEPTED}
    assert (len(mailbox.mails), len(mailbox.sessions)) == (7, 3)


def test_a_kept_session_that_the_server_ends_is_replaced(serve):
    mailbox, account = serve()

    async def run():
        first = await client.deliver(account, [envelope()])
        mailbox.drops = "rcpt once"
        second = await client.deliver(account, [envelope(number=1)])
        await client.close()
        return first + second

    assert [result.outcome for result in asyncio.run(run())] == [ResultClass.ACCEPTED] * 2
    assert len(mailbox.mails) == 2
    assert mailbox.drops == ""


def test_many_at_once_take_a_few_sessions(serve):
    mailbox, account = serve()

    async def run():
        envelopes = [envelope(number=number) for number in range(40)]
        results = await asyncio.gather(*(client.deliver(account, [each]) for each in envelopes))
        await client.close()
        return [result.outcome for (result,) in results]

    assert asyncio.run(run()) == [ResultClass.ACCEPTED] * 40
    assert len({mail.content for mail in mailbox.mails}) == 40
    assert len(mailbox.sessions) <= pool.SESSIONS


@pytest.mark.parametrize(
    ("stage", "reply", "expected", "suppress"),
    [
        ("rcpt", "550 5.1.1 no such user", ResultClass.FAIL_RECIPIENT, "hard_bounce"),
        ("rcpt", "550 5.7.1 not from you", ResultClass.FAIL_RECIPIENT, ""),
        ("rcpt", "551 not here", ResultClass.FAIL_RECIPIENT, ""),
        ("rcpt", "553 5.1.3 bad address", ResultClass.FAIL_RECIPIENT, "hard_bounce"),
        ("rcpt", "450 4.2.1 greylisted", ResultClass.RETRY, ""),
        ("rcpt", "421 4.3.2 shutting down", ResultClass.RETRY, ""),
        ("rcpt", "530 5.7.0 log in first", ResultClass.FAIL_ACCOUNT, ""),
        ("mail", "553 5.7.1 not your address", ResultClass.FAIL_ACCOUNT, ""),
        ("mail", "451 4.3.0 later", ResultClass.RETRY, ""),
        ("data", "552 5.3.4 too big", ResultClass.FAIL_CONTENT, ""),
        ("data", "554 5.7.1 spam", ResultClass.FAIL_CONTENT, ""),
        ("data", "550 5.7.1 spam", ResultClass.FAIL_CONTENT, ""),
        ("data", "550 5.1.1 no such user", ResultClass.FAIL_RECIPIENT, "hard_bounce"),
        ("data", "451 4.3.0 later", ResultClass.RETRY, ""),
    ],
)
def test_replies(serve, stage, reply, expected, suppress):
    mailbox, account = serve()
    setattr(mailbox, f"{stage}_reply", reply)
    (result,) = deliver(account, envelope())
    assert (result.outcome, result.suppress) == (expected, suppress)
    assert result.code.startswith(reply[:3])
    assert result.slows == reply.startswith("421")
    assert not mailbox.mails


def test_a_refused_mail_does_not_spoil_the_next(serve):
    mailbox, account = serve()

    async def run():
        mailbox.rcpt_reply = "550 5.1.1 no such user"
        refused = await client.deliver(account, [envelope()])
        mailbox.rcpt_reply = "250 OK"
        taken = await client.deliver(account, [envelope(number=1)])
        await client.close()
        return refused + taken

    outcomes = [result.outcome for result in asyncio.run(run())]
    assert outcomes == [ResultClass.FAIL_RECIPIENT, ResultClass.ACCEPTED]
    assert len(mailbox.sessions) == 1


def test_a_connection_lost_before_the_mail_is_tried_again(serve):
    mailbox, account = serve()
    mailbox.drops = "rcpt"
    (result,) = deliver(account, envelope())
    assert result.outcome is ResultClass.RETRY


def test_a_connection_lost_after_the_mail_is_unknown(serve):
    mailbox, account = serve()
    mailbox.drops = "data"
    (result,) = deliver(account, envelope())
    assert (result.outcome, result.code) == (ResultClass.UNKNOWN, "no_answer")
    assert len(mailbox.mails) == 1


def test_a_mail_that_waited_behind_a_lost_one_goes_elsewhere(serve, monkeypatch):
    monkeypatch.setattr(pool, "SESSIONS", 1)
    mailbox, account = serve()
    mailbox.drops = "data once"
    first, *others = deliver_together(account, *(envelope(number=number) for number in range(4)))
    assert first.outcome is ResultClass.UNKNOWN
    assert [result.outcome for result in others] == [ResultClass.ACCEPTED] * 3
    assert len({mail.content for mail in mailbox.mails}) == len(mailbox.mails) == 4


def test_each_hears_of_her_own_mail(serve, monkeypatch):
    monkeypatch.setattr(pool, "SESSIONS", 2)
    mailbox, account = serve()
    refused = {"asha2@example.com", "asha3@example.com", "asha7@example.com"}

    async def handle(server, session, its, address, options):
        if address in refused:
            return "550 5.1.1 no such user"
        its.rcpt_tos.append(address)
        return "250 OK"

    mailbox.handle_RCPT = handle
    people = [f"asha{number}@example.com" for number in range(10)]
    results = deliver_together(
        account, *(envelope(address=each, number=n) for n, each in enumerate(people))
    )
    taken = dict(zip(people, results, strict=True))
    assert {each for each in people if taken[each].outcome is ResultClass.FAIL_RECIPIENT} == refused
    assert {mail.rcpt_tos[0] for mail in mailbox.mails} == set(people) - refused
    for mail in mailbox.mails:
        (address,) = mail.rcpt_tos
        assert read(mail.content)["Message-ID"] == taken[address].reference


@pytest.mark.parametrize("is_read", [False, True])
def test_a_mail_whose_time_is_over(serve, is_read):
    mailbox, account = serve()

    async def run():
        begun, hold = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        async def handle(server, session, its, *more):
            loop.call_soon_threadsafe(begun.set)
            await asyncio.to_thread(hold.wait)
            return "451 too late"

        setattr(mailbox, "handle_DATA" if is_read else "handle_RCPT", handle)
        mail = client._handover(account, envelope(), "asha@example.com")
        pool.pool_of(account).add(mail)
        await begun.wait()
        pool.pool_of(account).expire(mail)
        hold.set()
        await client.close()
        return await mail.done

    result = asyncio.run(run())
    expected = ResultClass.UNKNOWN if is_read else ResultClass.RETRY
    assert (result.outcome, result.detail) == (expected, "TimeoutError")


def test_a_server_that_listens_though_nobody_will_read_gets_no_mail():
    """Some say yes to DATA after they refused the only recipient."""

    async def run():
        heard = []

        async def talk(reader, writer):
            writer.write(b"220 hi\r\n")
            replies = {b"EHLO": b"250-me\r\n250 PIPELINING\r\n", b"MAIL": b"250 OK\r\n"}
            replies |= {b"RCPT": b"550 no\r\n", b"DATA": b"354 go on\r\n", b".\r\n": b"554 no\r\n"}
            while b"QUIT" not in heard and (line := await reader.readline()):
                heard.append(line[:4].strip())
                writer.write(replies.get(line[:4] if line != b".\r\n" else line, b"250 OK\r\n"))
            writer.close()
            ended.set()

        ended = asyncio.Event()
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = str(server.sockets[0].getsockname()[1])
        account = dataclasses.replace(ACCOUNT, sender=ACCOUNT.sender | {"port": port})
        results = [await client.deliver(account, [envelope(number=n)]) for n in range(2)]
        await client.close()
        await ended.wait()
        server.close()
        return [result.outcome for (result,) in results], heard

    outcomes, heard = asyncio.run(run())
    assert outcomes == [ResultClass.FAIL_RECIPIENT] * 2
    mail = [b"MAIL", b"RCPT", b"DATA", b"."]
    assert heard == [b"EHLO", *mail, *mail, b"QUIT"]


def test_a_server_that_is_away_is_tried_again():
    away = dataclasses.replace(ACCOUNT, sender=ACCOUNT.sender | {"port": str(free_port())})
    (result,) = deliver(away, envelope())
    assert (result.outcome, result.code) == (ResultClass.RETRY, "unreachable")


def test_an_address_that_cannot_be_written_is_not_sent(serve):
    mailbox, account = serve()
    (result,) = deliver(account, envelope(address="asha@example.com>\r\nDATA"))
    assert (result.outcome, result.suppress) == (ResultClass.FAIL_RECIPIENT, "invalid")
    assert not mailbox.sessions
