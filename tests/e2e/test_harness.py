"""The harness itself: Postfix and Dovecot without Pullyu, so that a failure of the other tests is
Pullyu's."""

import os
import shutil
import subprocess
import sys

import pytest

import messages
import ports
import smtpclient
from harness import ANN, BOB, CAROL, JOERG, QUOTED, assert_nothing_lost
from waiting import Timeout, wait_for


def test_every_user_gets_mail(plain_site):
    rcpts = [ANN, BOB, CAROL, QUOTED]
    plain_site.send(messages.personal(), "dora@friends.example", rcpts)
    plain_site.send(
        messages.personal(to=JOERG, subject="Grüße"), "dora@friends.example", [JOERG],
        options="SMTPUTF8",
    )
    found = assert_nothing_lost(plain_site)
    assert {f.inbox for f in found.values()} == {1}
    assert len(found) == 5


def test_extension_goes_to_the_folder(plain_site):
    sent = plain_site.send(messages.personal(), "dora@friends.example", ["ann+Digest@example.test"])
    plain_site.wait_inbox(ANN, sent.raw, folder="Digest")
    assert plain_site.inbox(ANN) == []


def test_submission_wants_a_password(plain_site):
    raw = messages.personal(to="someone@elsewhere.example", sender="Ann <ann@example.test>")
    with pytest.raises(smtpclient.Refused):
        smtpclient.send(plain_site.ports["submit"], raw, ANN, ["someone@elsewhere.example"])
    with pytest.raises(smtpclient.Refused):
        smtpclient.send(plain_site.ports["submit"], raw, ANN, [BOB], auth=(ANN, "wrong"))
    sent = plain_site.send(raw, ANN, [BOB], auth=ANN)
    plain_site.wait_inbox(BOB, sent.raw)


def test_the_world_may_not_relay(plain_site):
    with pytest.raises(smtpclient.Refused):
        smtpclient.send(
            plain_site.ports["public"], messages.personal(), "x@y.example", ["a@elsewhere.example"]
        )


def test_odd_bytes_arrive_as_they_were(plain_site):
    body = b".\n..\n.dot\n \xff\xfe 8-bit\nMAIL FROM:<x@y.example>\n" + b"x" * 900 + b"\n"
    raw = messages.build([("From", "d@friends.example"), ("Message-ID", "<odd@d.example>")], body)
    sent = plain_site.send(raw, "d@friends.example", [ANN], options="BODY=8BITMIME")
    plain_site.wait_inbox(ANN, sent.raw)


def test_a_lost_message_is_noticed(plain_site):
    sent = plain_site.send(messages.personal(), "dora@friends.example", [ANN])
    plain_site.wait_inbox(ANN, sent.raw)
    assert plain_site.imap.flag(ANN, "INBOX", lambda _: True, "\\Deleted", expunge=True) == 1
    with pytest.raises(AssertionError, match="LOST"):
        assert_nothing_lost(plain_site)


def test_restart_keeps_ports_and_mail(plain_site):
    sent = plain_site.send(messages.personal(), "dora@friends.example", [ANN])
    plain_site.wait_settled()
    plain_site.mta.stop()
    assert not any(ports.listening(plain_site.ports[n]) for n in ("public", "submit", "release"))
    plain_site.mta.start()
    plain_site.send(messages.personal(), "dora@friends.example", [ANN])
    assert_nothing_lost(plain_site)
    plain_site.wait_inbox(ANN, sent.raw)


def test_ports_in_use_are_not_handed_out():
    a, b = ports.allocate(), ports.allocate()
    assert a.number != b.number
    assert not ports.listening(a.number)
    a.release()
    b.release()


def test_waiting_in_vain_says_for_what():
    with pytest.raises(Timeout, match="for the moon"):
        wait_for(lambda: False, "the moon", deadline=0.1)


def test_nothing_is_left_behind(mail_site_possible):
    from harness import Site

    with Site(pullyu=False) as site:
        root = site.root
        numbers = list(site.ports.values())
    assert not os.path.exists(root)
    assert not any(ports.listening(number) for number in numbers)


def test_nothing_outlives_a_killed_run(mail_site_possible):
    """Not even SIGKILL to the test run leaves a process behind."""
    code = (
        "import sys, time; sys.path.insert(0, %r); import harness\n"
        "site = harness.Site(pullyu=False); site.start()\n"
        "print(site.root, *site.ports.values(), flush=True); time.sleep(600)\n"
    ) % os.path.dirname(__file__)
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    root, *numbers = run.stdout.readline().split()
    assert all(ports.listening(int(number)) for number in numbers)
    run.kill()
    run.wait()
    run.stdout.close()
    wait_for(lambda: not any(ports.listening(int(n)) for n in numbers), "everything to end")
    shutil.rmtree(root, ignore_errors=True)
