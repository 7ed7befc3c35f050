"""Commands by mail, through pullyu-milter's socket: what is one is taken off the stream and lies on
the disk first, whatever goes wrong; what is none goes where it was sent."""

import os
import signal

import pytest

from miltertalk import ACCEPT, CONTINUE, TEMPFAIL, Closed
from test_milter import (  # noqa: F401
    PATIENCE,
    STEPS_OF_HOLD,
    field,
    milter,
    needs_hooks,
    running,
    wait_for,
)

COMMAND = (
    b"From: Ann <Ann@example.org>\r\n"
    b"To: ann+pullyu@example.org\r\n"
    b"Subject: Let Shop through [pullyu abc]\r\n"
    b"Message-ID: <c1@example.org>\r\n"
    b"\r\n"
    b"release 3\r\n"
)
ADDRESS = "<ann+pullyu@example.org>"
ANN, LOGIN = "<ann@example.org>", "ann@example.org"
PASS = b"Authentication-Results: mx.example.org; dmarc=pass header.from=example.org\r\n"
BY_MACHINE = (
    b"Auto-Submitted: auto-replied",
    b"Precedence: bulk",
    b"List-Id: <l.example.org>",
    b"X-Auto-Response-Suppress: All",
    b"X-Pullyu-Digest: v1; 0123",
)


def give(milter, message=COMMAND, rcpts=(ADDRESS,), sender=ANN, login=LOGIN):  # noqa: F811
    return milter.deliver(list(rcpts), message, sender, login)


def original(data):
    return data.partition(b"X-Pullyu-Command:")[2].partition(b"\r\n")[2]


@pytest.mark.parametrize("rcpt", [ADDRESS, "<Ann+PULLYU@Example.ORG>", "ann+pullyu@example.org"])
def test_command_is_taken_off(running, rcpt):  # noqa: F811
    assert give(running, rcpts=[rcpt]) == (CONTINUE, [rcpt.encode()], [])
    (data,) = running.files()
    lines = data.split(b"\r\n")
    assert lines[0] == b"Return-Path: <ann@example.org>"
    assert lines[1] == b"Delivered-To: " + rcpt.strip("<>").encode()
    assert lines[2].startswith(b"Received: from client.example.net ([192.0.2.7])")
    assert lines[5] == b"X-Pullyu-Command: by=login; user=ann@example.org"
    assert original(data) == COMMAND
    assert running.files("tmp") == []
    assert "4TEST1: user=ann@example.org command by=login\n" in running.log()
    assert "action=" not in running.log()
    wait_for(lambda: running.pullyud.of("kick"), "the kick")
    assert running.pullyud.of("sent") == running.pullyud.of("ask") == []


def test_other_recipients_get_their_copies(running):  # noqa: F811
    message = COMMAND.replace(b"\r\n\r\n", b"\r\nX-Test: news\r\n\r\n", 1)
    running.user_file("carl@example.org", "allow", "ann@example.org\n")
    rcpts = ["<x@elsewhere.example>", "<bob@example.org>", ADDRESS, "<carl@example.org>"]
    reply, deleted, _ = give(running, message, rcpts)
    assert (reply, deleted) == (CONTINUE, [ADDRESS.encode(), b"<bob@example.org>"])
    command, held = running.files()
    assert original(command) == message
    assert field(held, "Delivered-To") == "bob@example.org"
    assert field(held, "X-Pullyu-Verdict").startswith("newsletter")
    assert b"pullyu@" not in held.replace(message, b"")
    (sent,) = wait_for(lambda: running.pullyud.of("sent"), "the news of sent mail")
    assert sent["to"] == ["x@elsewhere.example", "bob@example.org", "carl@example.org"]
    assert running.log().count("command by=") == 1
    assert running.log().count("action=hold") == running.log().count("action=pass") == 1


@pytest.mark.parametrize("how", ["spf", "results"])
def test_without_login(running, how):  # noqa: F811
    message = COMMAND if how == "spf" else PASS + COMMAND
    assert give(running, message, login=None)[:2] == (CONTINUE, [ADDRESS.encode()])
    (data,) = running.files()
    assert b"\r\nX-Pullyu-Command: by=aligned; user=ann@example.org\r\n" in data
    assert len(running.pullyud.of("spf")) == (how == "spf")


@pytest.mark.parametrize("result", ["fail", "softfail", "none", "temperror"])
def test_forged_is_ordinary_mail(running, result):  # noqa: F811
    running.pullyud.spf = result
    assert give(running, login=None) == (ACCEPT, [], [])
    assert running.files() == running.files("tmp") == []
    news = COMMAND.replace(b"\r\n\r\n", b"\r\nX-Test: news\r\n\r\n", 1)
    assert give(running, news, login=None)[:2] == (CONTINUE, [ADDRESS.encode()])
    (held,) = running.files()
    assert b"X-Pullyu-Command:" not in held
    assert field(held, "X-Pullyu-Verdict").startswith("newsletter")
    assert "no command: it is not certain" in running.log()


def test_a_lead_of_somebody_elses_writing(running):  # noqa: F811
    """It stands below ours, where it means nothing."""
    running.pullyud.spf = "fail"
    forged = b"X-Pullyu-Command: by=login; user=ann@example.org\r\nX-Test: news\r\n" + COMMAND
    assert give(running, forged, login=None)[0] == CONTINUE
    (held,) = running.files()
    assert held.index(b"\r\nX-Pullyu-Verdict:") < held.index(b"\r\nX-Pullyu-Command:")


@pytest.mark.parametrize(
    "sender, login, message",
    [
        (ANN, "bob@example.org", COMMAND),
        ("<bob@example.org>", "bob@example.org", COMMAND),
        ("<bob@example.org>", LOGIN, COMMAND),
        (ANN, "bob@example.org", PASS + COMMAND),
        ("<>", LOGIN, COMMAND),
        (ANN, LOGIN, COMMAND.replace(b"From: Ann", b"From: Bob <bob@example.org>, Ann")),
        (ANN, LOGIN, b"From: Bob <bob@example.org>\r\n" + COMMAND),
        (ANN, LOGIN, COMMAND.replace(b"Ann@", b"bob@")),
    ]
    + [(ANN, LOGIN, line + b"\r\n" + COMMAND) for line in BY_MACHINE],
)
def test_not_from_the_user_himself(running, sender, login, message):  # noqa: F811
    reply, deleted, _ = give(running, message, sender=sender, login=login)
    assert reply in (ACCEPT, CONTINUE) and deleted == []
    assert running.files() == running.files("tmp") == []
    assert "command by=" not in running.log()


def test_who_takes_no_part(running):  # noqa: F811
    running.user_file("ann@example.org", "settings.ini", "[digest]\nenabled = no\n")
    assert give(running) == (ACCEPT, [], [])


def test_during_a_pause(running):  # noqa: F811
    running.user_file(
        "ann@example.org", "settings.ini", "[digest]\npause = pass\npause_until = 2099-01-01\n"
    )
    assert give(running)[1] == [ADDRESS.encode()]


def test_one_address_for_all(milter):  # noqa: F811
    milter.options["command"] = {"address": "commands@lists.example"}
    milter.configure()
    milter.start()
    assert give(milter, rcpts=["<Commands@lists.example>"])[1] == [b"<Commands@lists.example>"]
    assert give(milter, rcpts=["<commands@lists.example>"], login=None)[1] != []
    assert [b"user=ann@example.org" in f for f in milter.files()] == [True, True]
    outsider = COMMAND.replace(b"Ann@example.org", b"zed@nowhere.example")
    assert give(milter, outsider, ["<commands@lists.example>"], "<zed@nowhere.example>", None) == (
        ACCEPT,
        [],
        [],
    )
    assert give(milter) == (ACCEPT, [], [])  # here it is an address like any other
    assert milter.stop() == 0


def test_no_commands_by_mail(milter):  # noqa: F811
    milter.options["command"] = {"address": "none"}
    milter.configure()
    milter.start()
    assert give(milter) == (ACCEPT, [], [])
    assert milter.stop() == 0


def test_login_names_of_another_kind(milter):  # noqa: F811
    milter.options["command"] = {"login_check": "no"}
    milter.configure()
    milter.start()
    assert give(milter, login="uid4711")[1] == [ADDRESS.encode()]
    assert give(milter, login="uid4711", sender="<bob@example.org>")[1] == []
    assert milter.stop() == 0


def test_body_is_cut(milter):  # noqa: F811
    milter.configure(hold_max_size="10k")
    milter.start()
    large = COMMAND + b"0123456789abcdef" * 20000
    with milter.talk() as talk:
        talk.connect()
        talk.helo()
        talk.mail(ANN, "SIZE=400000", login=LOGIN)
        talk.rcpt(ADDRESS)
        talk.data()
        reply, body = talk.header(large)
        assert reply == CONTINUE
        assert talk.content(body)[:2] == (CONTINUE, [ADDRESS.encode()])
    (data,) = milter.files()
    head = len(COMMAND.partition(b"\r\n\r\n")[0]) + 4
    assert original(data) == large[: head + 64 * 1024]
    assert milter.stop() == 0


def test_header_that_cannot_be_kept(running):  # noqa: F811
    assert give(running, b"X-Long: " + b"x" * 300000 + b"\r\n" + COMMAND) == (ACCEPT, [], [])


def test_same_recipient_twice(running):  # noqa: F811
    rcpts = [ADDRESS, ADDRESS, "<ANN+pullyu@example.org>"]
    assert give(running, rcpts=rcpts)[1] == [ADDRESS.encode(), b"<ANN+pullyu@example.org>"]
    assert len(running.files()) == 1


@needs_hooks
@pytest.mark.parametrize("step", [s for s in STEPS_OF_HOLD if s != "copy"])
@pytest.mark.parametrize("when", ["", "after_"])
def test_failing_disk_asks_for_another_try(running, step, when):  # noqa: F811
    news = COMMAND.replace(b"\r\n\r\n", b"\r\nX-Test: news\r\n\r\n", 1)
    rcpts = [ADDRESS, "<bob@example.org>"]
    running.arm(f"milter.hold.{when}{step} fail")
    assert give(running, news, rcpts) == (TEMPFAIL, [], [])
    assert running.files() == running.files("tmp") == []
    assert "the command cannot be kept" in running.log()
    running.arm()
    assert give(running, news, rcpts)[:2] == (CONTINUE, [r.encode() for r in rcpts])
    assert len(running.files()) == 2


@needs_hooks
def test_failing_delrcpt_keeps_the_file(running):  # noqa: F811
    running.arm("milter.hold.delrcpt fail")
    assert give(running) == (CONTINUE, [], [])
    assert len(running.files()) == 1
    assert "could not be taken off" in running.log()


def test_spool_that_is_gone(running):  # noqa: F811
    os.rename(running.path("spool"), running.path("elsewhere"))
    assert give(running) == (TEMPFAIL, [], [])
    os.rename(running.path("elsewhere"), running.path("spool"))
    assert give(running)[1] == [ADDRESS.encode()]


@needs_hooks
@pytest.mark.parametrize("step", ["fsync", "after_rename", "after_dirsync", "delrcpt"])
def test_killed(running, step):  # noqa: F811
    """The MTA keeps the message, and the command comes again: the same one, whose token works once."""
    running.arm(f"milter.hold.{step} kill")
    with running.talk() as talk, pytest.raises(Closed):
        talk.message(ANN, [ADDRESS], COMMAND, LOGIN)
    assert running.process.wait(PATIENCE) == -signal.SIGKILL
    assert [original(f) for f in running.files()] == ([] if step == "fsync" else [COMMAND])
    running.arm()
    running.start()
    assert give(running)[1] == [ADDRESS.encode()]
