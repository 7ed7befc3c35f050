"""pullyu-milter behind a real Postfix, pullyud a stand-in: that what is held is what the MTA would
have delivered, and that whom the milter takes off is off."""

import os
import signal
import subprocess
import threading
import time

import pytest

import messages
from fakepullyud import Pullyud
from harness import ANN, BOB, JOERG, QUOTED
from waiting import wait_for

RULES = """\
[test-news]
class = newsletter
weight = 50
field = x-test
is = news
"""
HEAD = (
    b"From: News <news@shop.example>\r\n"
    b"To: Ann <ann@example.test>\r\n"
    b"Message-ID: <m1@shop.example>\r\n"
    b"Date: Sat, 22 Nov 2025 08:00:00 +0000\r\n"
    b"Subject: an offer\r\n"
)
NEWS, OTHER = b"X-Test: news\r\n", b"X-Test: none\r\n"
SENDER = "bounce@shop.example"


@pytest.fixture
def site(make_site):
    site = make_site()
    os.makedirs(site.pullyu.rules)
    with open(os.path.join(site.pullyu.rules, "test.ini"), "w", encoding="ascii") as f:
        f.write(RULES)
    site.prepare()
    site.imap.start()
    with Pullyud(site.pullyu.control) as site.pullyud:
        site.pullyu.start_milter()
        site.mta.start()
        yield site


def held_now(site, raw, rcpts, **options):
    """Sends it; returns the files that it left in incoming."""
    before = len(site.pullyu.incoming())
    site.send(raw, SENDER, rcpts, **options)
    return site.pullyu.incoming()[before:]


def settled(site):
    """The MTA's queue alone: nobody empties incoming here."""
    wait_for(lambda: not site.mta.queued(), "the queue to be empty", detail=site.logs)


def original(data):
    return data[data.index(b"From: News") :]


def delivered(site, user, count):
    return wait_for(
        lambda: (mails := site.inbox(user)) and len(mails) == count and mails,
        f"{count} messages in {user}'s inbox",
        detail=site.logs,
    )


SHAPES = [
    ("plain", b"", b"text\r\n"),
    ("no newline at the end", b"", b"text"),
    ("no body", b"", b""),
    ("8-bit and NUL", b"X-8bit: \xe4\xff\r\n", bytes(range(14, 256)) * 30 + b"a\0b\r\n"),
    ("dots", b"", b".\r\n..\r\n.x\r\n"),
    ("large", b"", b"0123456789abcdef\r\n" * 20000),
    ("blanks", b"X-A:none\r\nX-B:  two \r\nX-C:\r\nX-D:\ttab\r\n", b"text\r\n"),
    ("folds", b"X-Fold: one\r\n two\r\n\tthree \r\n\t four\r\n", b"text\r\n"),
    ("a field of 59 kB", b"X-L: " + b"\r\n ".join([b"y" * 996] * 59) + b"\r\n", b"text\r\n"),
    ("90 kB", b"".join(b"X-%d: %s\r\n" % (i, b"z" * 890) for i in range(100)), b"text\r\n"),
]


@pytest.mark.parametrize("fields, body", [s[1:] for s in SHAPES], ids=[s[0] for s in SHAPES])
def test_held_byte_for_byte(site, fields, body):
    raw = HEAD + NEWS + fields + b"\r\n" + body
    (held,) = held_now(site, raw, [ANN], options="BODY=8BITMIME")
    want = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
    assert original(held) == want


@pytest.mark.parametrize(
    "fields",
    [
        b"X-Nul: a\0b\r\n",
        b"X-Nul: a\0b\r\n\tfold\r\n",
        b"X-Nul: one\r\n\ttw\0o\r\n\tthree\r\n",
        b"X-L: " + b"\r\n ".join([b"y" * 900] * 100) + b"\r\n",
        b"X-Odd : blank before the colon\r\n",
    ],
    ids=["NUL", "NUL before a fold", "NUL in a fold", "90 kB", "blank"],
)
def test_what_postfix_changes_is_the_same_in_both(site, fields):
    """A NUL ends a header line, a field ends after 60,000 bytes: Postfix does that before it shows
    the message to milters, so that the held copy lacks nothing that the inbox would have got."""
    (held,) = held_now(site, HEAD + NEWS + fields + b"\r\ntext\r\n", [ANN])
    site.send(HEAD + OTHER + fields + b"\r\ntext\r\n", SENDER, [BOB])
    (mail,) = delivered(site, BOB, 1)
    assert original(held).replace(NEWS, OTHER) == original(mail)


@pytest.mark.parametrize(
    "rcpt",
    ["Ann@Example.TEST", "ANN+Shop@example.test", '"ann"@example.test', '"a\\nn"@example.test',
     "ann@example.test.", QUOTED, JOERG],
)  # fmt: skip
def test_taken_off(site, rcpt):
    options = "SMTPUTF8" if rcpt == JOERG else ""
    (held,) = held_now(site, HEAD + NEWS + b"\r\ntext\r\n", [rcpt], options=options)
    assert f"\r\nDelivered-To: {rcpt}\r\n".encode() in held
    settled(site)
    assert [user for user in (ANN, QUOTED, JOERG) if site.inbox(user)] == []


def test_one_of_several(site):
    site.write_user(BOB, "settings.ini", "[digest]\nenabled = no\n")
    held = held_now(site, HEAD + NEWS + b"\r\ntext\r\n", [ANN, BOB, ANN, "ann+x@example.test"])
    assert len(held) == 2
    delivered(site, BOB, 1)
    settled(site)
    assert site.inbox(ANN) == []


def test_report_of_success_is_kept(site):
    raw = HEAD + NEWS + b"\r\ntext\r\n"
    assert held_now(site, raw, [ANN], rcpt_options="NOTIFY=SUCCESS") == []
    delivered(site, ANN, 1)
    assert len(held_now(site, raw, [ANN], rcpt_options="NOTIFY=FAILURE,DELAY")) == 1
    # A source route is not what Postfix would find again.
    assert held_now(site, raw, ["@relay.example:ann@example.test"]) == []
    delivered(site, ANN, 2)


def test_many_held_messages_do_not_slow_the_mta(site):
    """Removing every recipient must not run into in_flow_delay, as SMFIS_DISCARD does."""
    start = time.monotonic()
    for i in range(150):
        site.send(HEAD + NEWS + b"\r\n%d\r\n" % i, SENDER, [ANN])
    assert len(site.pullyu.incoming()) == 150
    assert time.monotonic() - start < 75
    settled(site)
    assert site.inbox(ANN) == []


def test_smtp_source(site):
    """Postfix's own load generator; nothing may be lost or doubled."""
    command = ["smtp-source", "-c", "-s", "10", "-m", "200", "-l", "5000", "-f", SENDER, "-t", ANN,
               f"127.0.0.1:{site.ports['public']}"]  # fmt: skip
    subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL)
    delivered(site, ANN, 200)


def test_authenticated_mail_is_told(site):
    raw = messages.personal(to="dora@elsewhere.example", sender="Ann <ann@example.test>")
    site.send(raw, ANN, ["dora@elsewhere.example"], auth=ANN)
    (sent,) = wait_for(lambda: site.pullyud.of("sent"), "the news of sent mail")
    assert sent["user"] == ANN and sent["to"] == ["dora@elsewhere.example"]


COMMANDS = "ann+pullyu@example.test"
COMMAND = (
    b"From: Ann <ann@example.test>\r\n"
    b"To: ann+pullyu@example.test\r\n"
    b"Message-ID: <c1@example.test>\r\n"
    b"Date: Sat, 22 Nov 2025 08:00:00 +0000\r\n"
    b"Subject: Send it [pullyu abc]\r\n"
    b"\r\n"
    b"text\r\n"
)


def test_command_by_login(site):
    """No alias, no transport: the message ends at the milter, and others get theirs."""
    site.send(COMMAND, ANN, [COMMANDS, BOB], auth=ANN)
    (data,) = site.pullyu.incoming()
    assert b"\r\nX-Pullyu-Command: by=login; user=ann@example.test\r\n" in data
    assert data.endswith(b"\r\n\r\ntext\r\n")
    delivered(site, BOB, 1)
    settled(site)
    assert site.inbox(ANN) == []


def test_command_by_spf_or_not_at_all(site):
    options = {"client": "192.0.2.9", "helo": "mail.example.test"}
    site.send(COMMAND, ANN, [COMMANDS], **options)
    (data,) = site.pullyu.incoming()
    assert b"\r\nX-Pullyu-Command: by=aligned; user=ann@example.test\r\n" in data
    site.pullyud.spf = "fail"
    site.send(COMMAND, ANN, [COMMANDS], **options)  # somebody else
    site.send(COMMAND, BOB, [COMMANDS], auth=BOB)
    # Ordinary mail: this Dovecot files it under the extension.
    wait_for(
        lambda: len(site.imap.fetch(ANN, "pullyu")) == 2, "both in Ann's folder", detail=site.logs
    )
    assert len(site.pullyu.incoming()) == 1


def test_client_of_spf(site):
    site.write_user(ANN, "allow", "news@shop.example\n")
    site.pullyud.spf = "fail"
    raw = HEAD + NEWS + b"\r\ntext\r\n"
    assert len(held_now(site, raw, [ANN], client="192.0.2.9", helo="mail.shop.example")) == 1
    (spf,) = site.pullyud.of("spf")
    assert spf["ip"] == "192.0.2.9" and spf["helo"] == "mail.shop.example"
    site.pullyud.spf = "pass"
    assert held_now(site, raw, [ANN], client="192.0.2.10") == []
    assert site.pullyud.of("spf")[-1]["ip"] == "192.0.2.10"


def test_stop_and_start_under_load(site):
    """Whoever got his 250 finds his message held; the others were told to try again."""
    accepted, refused = [], []

    def client(number):
        for i in range(40):
            name = f"{number}-{i}".encode()
            try:
                site.send(HEAD + NEWS + b"X-Nr: %s\r\n\r\ntext\r\n" % name, SENDER, [ANN])
                accepted.append(name)
            except Exception:  # any 4xx, or a closed connection
                refused.append(name)
                time.sleep(0.1)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        time.sleep(1)
        assert site.pullyu.milter.stop() == 0
        site.pullyu.start_milter()
    site.pullyu.milter.signal(signal.SIGUSR1)
    for thread in threads:
        thread.join()
    held = b"".join(site.pullyu.incoming())
    assert [name for name in accepted if b"X-Nr: %s\r\n" % name not in held] == []
    settled(site)
    assert site.inbox(ANN) == []
    assert accepted
