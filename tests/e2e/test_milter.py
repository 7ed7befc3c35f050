"""pullyu-milter through its socket: who is held, what lies on the disk then, and that nothing is
lost whatever goes wrong. The MTA is miltertalk.py, pullyud a thread here."""

import contextlib
import email
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time

import pytest

from fakepullyud import Pullyud
from miltertalk import (
    ACCEPT,
    ACTIONS,
    ANSWERED,
    CHGHDRS,
    CONTINUE,
    DELRCPT,
    LEADSPC,
    STEPS,
    Closed,
    Talk,
)

BUILD = os.path.abspath(
    os.environ.get("PULLYU_BUILDDIR") or os.environ.get("PULLYU_BUILD") or os.getcwd()
)
HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(BUILD, "src/milter/pullyu-milter")
PATIENCE = 60

RULES = """\
[test-news]
class = newsletter
weight = 50
field = x-test
is = news
why = the test says so

[test-code]
class = security
weight = 50
field = x-test
is = code
"""

NEWS = (
    b"From: Shop <news@shop.example>\r\n"
    b"To: Ann <ann@example.org>\r\n"
    b"Subject: an offer\r\n"
    b"Message-ID: <n1@shop.example>\r\n"
    b"X-Test: news\r\n"
    b"\r\n"
    b"Buy things.\r\n"
)
PERSONAL = NEWS.replace(b"X-Test: news\r\n", b"")


def config_h(text):
    with open(os.path.join(BUILD, "config.h"), encoding="ascii") as f:
        return text in f.read()


def makefile(text):
    with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as f:
        return text in f.read()


HOOKS = config_h("#define PULLYU_TEST_HOOKS 1")
SANITIZED = makefile("-fsanitize=")
needs_hooks = pytest.mark.skipif(not HOOKS, reason="configured without --enable-test-hooks")


def wait_for(condition, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"waited {seconds} s for {what}, in vain"
        time.sleep(0.02)


def write(path, text):
    """Renamed into place: a reader sees the old text or the new."""
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(path + ".new", path)


class Milter:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="pullyu-milter-")
        self.socket = self.path("milter.sock")
        self.control = self.path("control.sock")
        self.fault = self.path("fault")
        self.options = {
            "paths": {
                "spool": self.path("spool"),
                "db": self.path("db"),
                "rules": self.path("rules.d"),
                "control": self.control,
                "key": self.path("key"),
            },
            "users": {
                "settings_dir": self.path("users/%d/%u"),
                "participants": self.path("participants"),
            },
            "milter": {
                "socket": f"unix:{self.socket}",
                "socket_mode": "0600",
                "ask_timeout": "20s",  # a busy machine is not what is tried here
                "authserv_ids": "mx.example.org",
            },
            "log": {"to": "stderr", "level": "info"},
        }
        os.mkdir(self.path("rules.d"))
        write(self.path("rules.d/test.ini"), RULES)
        self.participants("@example.org")
        self.configure()
        self.process = None
        self.pullyud = None

    def path(self, name):
        return os.path.join(self.dir, name)

    def participants(self, *entries):
        write(self.path("participants"), "".join(e + "\n" for e in entries))

    def configure(self, **milter):
        self.options["milter"].update(milter)
        write(
            self.path("pullyu.conf"),
            "".join(
                f"[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items())
                for section, keys in self.options.items()
            ),
        )

    def user_file(self, user, name, text):
        local, domain = user.split("@")
        directory = self.path(f"users/{domain}/{local}")
        os.makedirs(directory, exist_ok=True)
        write(os.path.join(directory, name), text)

    def command(self, *words):
        return [PROGRAM, "-c", self.path("pullyu.conf"), *words]

    @staticmethod
    def environment(fault):
        return dict(
            os.environ,
            PULLYU_TEST_FAULT=fault,
            LC_ALL="C.UTF-8",
            TSAN_OPTIONS=f"suppressions={os.path.join(HERE, 'tsan.supp')}",
            G_SLICE="always-malloc",  # GLib's own allocator looks like races to TSan
        )

    def start(self):
        env = self.environment(self.fault)
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(
                self.command("-f"), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env
            )
        wait_for(self.answers, "the milter's socket")
        return self

    def answers(self):
        assert self.process.poll() is None, f"the milter ended\n{self.log()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            return s.connect_ex(self.socket) == 0

    def start_pullyud(self):
        self.pullyud = Pullyud(self.control)
        return self.pullyud

    def arm(self, *faults):
        write(self.fault, "".join(f"{fault}\n" for fault in faults))

    def stop(self):
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def finish(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        if self.pullyud is not None:
            self.pullyud.close()
        log = self.log()
        shutil.rmtree(self.dir)
        bad = re.search(
            r"(?m)^.*(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|: runtime error: |GLib-?\w*-"
            r"(CRITICAL|WARNING)).*(\n.*){,40}",
            log,
        )
        assert not bad, bad.group(0)

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.path("log"), encoding="utf-8", errors="replace") as f:
                return f.read()
        return ""

    def wait_log(self, text, times=1):
        wait_for(lambda: self.log().count(text) >= times, f"{text!r} in the log")

    def files(self, part="incoming"):
        directory = os.path.join(self.path("spool"), part)
        found = []
        for name in sorted(os.listdir(directory)):
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                with open(os.path.join(directory, name), "rb") as f:
                    found.append(f.read())
        return found

    def talk(self, **kwargs):
        return Talk(self.socket, **kwargs)

    def deliver(self, rcpts, message=NEWS, sender="<bounce@shop.example>", login=None):
        with self.talk() as talk:
            return talk.message(sender, rcpts, message, login)


@pytest.fixture
def milter():
    m = Milter()
    try:
        m.start_pullyud()
        yield m
    finally:
        m.finish()


@pytest.fixture
def running(milter):
    milter.start()
    yield milter
    if milter.process.poll() is None:
        assert milter.stop() == 0, milter.log()


def original(data):
    """A held file without our trace fields."""
    lead, sep, rest = data.partition(b"X-Pullyu-Verdict:")
    assert sep
    while True:
        _, _, rest = rest.partition(b"\r\n")
        if rest[:1] not in (b" ", b"\t"):
            return rest


def field(data, name):
    return email.message_from_bytes(data)[name]


# ---- who is held ----


def test_negotiation(running):
    with running.talk() as talk:
        assert talk.actions & (DELRCPT | CHGHDRS) == DELRCPT | CHGHDRS
        assert talk.steps & LEADSPC
        assert "{client_addr}" in talk.macros_wanted[0]
        assert "{auth_authen}" in talk.macros_wanted[2]
    for actions, steps in ((ACTIONS & ~DELRCPT, STEPS), (ACTIONS, STEPS & ~LEADSPC)):
        with pytest.raises(Closed):
            running.talk(actions=actions, steps=steps)
    running.wait_log("the MTA cannot do what is needed", 2)


def test_old_mta_gets_its_replies(running):
    """An MTA that knows nothing of silent steps is answered at each."""
    with running.talk(steps=ANSWERED) as talk:
        assert talk.steps & ~ANSWERED == 0
        assert talk.connect() == CONTINUE
        assert talk.helo() == CONTINUE
        assert talk.mail("<x@y.example>") == CONTINUE
        assert talk.rcpt("<ann@example.org>") == CONTINUE
        assert talk.data() == CONTINUE
        assert talk.field("X-Test", " news") == CONTINUE
        assert talk.end_header() == CONTINUE
        assert talk.body(b"text\r\n") == CONTINUE
        assert talk.end() == (CONTINUE, [b"<ann@example.org>"], [])


def test_personal_passes_at_end_of_header(running):
    assert running.deliver(["<ann@example.org>"], PERSONAL) == (ACCEPT, [], [])
    assert running.files() == []
    assert running.files("tmp") == []
    assert re.search(
        r"4TEST1: user=ann@example.org class=personal score=\S+ action=pass", running.log()
    )
    assert running.pullyud.asked == []


def test_newsletter_is_held(running):
    reply = running.deliver(["<Ann+Shop@Example.ORG>"])
    assert reply == (CONTINUE, [b"<Ann+Shop@Example.ORG>"], [])
    (held,) = running.files()
    assert original(held) == NEWS
    assert held.startswith(
        b"Return-Path: <bounce@shop.example>\r\nDelivered-To: Ann+Shop@Example.ORG\r\n"
    )
    received = field(held, "Received")
    assert "client.example.net" in received and "[192.0.2.7]" in received
    assert "with pullyu id 4TEST1" in received
    assert field(held, "X-Pullyu-Verdict").startswith("newsletter; score=")
    assert "test-news" in field(held, "X-Pullyu-Verdict")
    assert running.files("tmp") == []
    (name,) = os.listdir(running.path("spool/incoming"))
    assert re.fullmatch(r"\d{10}\.M\d{6}P\d+Q\d+\.[-A-Za-z0-9._]+", name)
    line = re.search(r".*user=ann@example.org .*", running.log()).group(0)
    assert "4TEST1: " in line and "class=newsletter" in line and "action=hold" in line
    assert "reasons=test-news" in line
    wait_for(lambda: running.pullyud.of("kick"), "the kick")
    (ask,) = running.pullyud.of("ask")
    assert ask["users"] == ["ann@example.org"]
    assert "news@shop.example" in ask["senders"] and "bounce@shop.example" in ask["senders"]


def test_mixed_recipients(running):
    running.user_file("bob@example.org", "allow", "news@shop.example\n")
    running.user_file("dan@example.org", "settings.ini", "[digest]\nenabled = no\n")
    running.pullyud.known["eve@example.org"] = True
    reply, deleted, _ = running.deliver(
        [
            "<ann@example.org>",
            "<bob@example.org>",
            "<outsider@elsewhere.example>",
            "<dan@example.org>",
            "<eve@example.org>",
            "<Ann+two@example.org>",
            ("<fay@example.org>", "NOTIFY=success,Delay", "ORCPT=rfc822;fay@example.org"),
            ("<gil@example.org>", "NOTIFY=FAILURE"),
            "no address at all",
        ]
    )
    assert reply == CONTINUE
    assert deleted == [b"<ann@example.org>", b"<Ann+two@example.org>", b"<gil@example.org>"]
    held = running.files()
    assert [field(h, "Delivered-To") for h in held] == [
        "ann@example.org",
        "Ann+two@example.org",
        "gil@example.org",
    ]
    assert {original(h) for h in held} == {NEWS}
    for h, other in zip(held, held[1:] + held[:1]):  # nobody learns of another
        assert field(other, "Delivered-To").encode() not in h.replace(NEWS, b"")
    actions = dict(re.findall(r"user=(\S+) .*action=(\w+)", running.log()))
    assert actions["bob@example.org"] == "pass"
    assert actions["eve@example.org"] == "pass"
    assert actions["fay@example.org"] == "pass"
    assert actions["gil@example.org"] == "hold"
    assert "outsider" not in running.log()
    (ask,) = running.pullyud.of("ask")
    assert set(ask["users"]) >= {"ann@example.org", "eve@example.org", "gil@example.org"}
    assert "fay@example.org" not in ask["users"]


def test_one_line_a_recipient(running):
    running.deliver(["<ann@example.org>", "<bob@example.org>"])
    running.deliver(["<ann@example.org>"], PERSONAL)
    assert len(re.findall(r"user=ann@example.org ", running.log())) == 2
    assert len(re.findall(r"user=bob@example.org ", running.log())) == 1


@pytest.mark.parametrize(
    "rcpt",
    [
        "<ANN@EXAMPLE.org>",
        "<jörg@example.org>",
        '<"ann smith"@example.org>',
        '<"a\\"b"@example.org>',
        "<ann@bücher.example>",
        "ann@example.org",
    ],
)
def test_exact_bytes_are_taken_off(milter, rcpt):
    milter.participants("@example.org", "@bücher.example")
    milter.start()
    _, deleted, _ = milter.deliver([rcpt])
    assert deleted == [rcpt.encode()]
    (held,) = milter.files()
    line = f"Delivered-To: {rcpt.strip('<>')}\r\n".encode()
    assert line in held
    assert original(held) == NEWS


def test_source_route_passes(running):
    """The MTA drops the route and would not find these bytes again."""
    assert running.deliver(["<@relay.example:ann@example.org>"]) == (ACCEPT, [], [])


def test_control_bytes_never_reach_the_lead(running):
    assert running.deliver(["<ann@example.org\x0bx>"])[1] == []
    assert running.deliver(['<"a\rb"@example.org>'])[1] == []
    assert running.deliver(["<ann@example.org>"], sender="<a\x01b@c.example>") == (ACCEPT, [], [])
    assert running.files() == []
    with running.talk() as talk:
        talk.connect(name="evil\r\nX-Name: 1")
        talk.helo("evil\r\nX-Helo: 1\x00")
        talk.mail("<>")
        talk.rcpt("<ann@example.org>", queue_id="Q\r\nX-Id: 1")
        talk.data()
        _, body = talk.header(NEWS)
        assert talk.content(body)[1] == [b"<ann@example.org>"]
    (held,) = running.files()
    lead = held[: -len(NEWS)]
    assert b"X-Name" not in lead and b"\nX-Helo" not in lead and b"\nX-Id" not in lead
    assert field(held, "Return-Path") == "<>"


def test_same_recipient_twice(running):
    """The MTA takes all copies of an address off at once, so a report asked for one counts."""
    _, deleted, _ = running.deliver(["<ann@example.org>", "<ann@example.org>"])
    assert deleted == [b"<ann@example.org>"]
    assert len(running.files()) == 1
    _, deleted, _ = running.deliver(
        ["<ann@example.org>", ("<ann@example.org>", "NOTIFY=SUCCESS")]
    )
    assert deleted == []


def test_too_many_recipients(running):
    rcpts = [f"<u{i}@example.org>" for i in range(1005)]
    _, deleted, _ = running.deliver(rcpts)
    assert deleted == [r.encode() for r in rcpts[:1000]]
    assert len(running.files()) == 1000


# ---- bytes ----


def test_bytes_survive(running):
    head = (
        b"From:news@shop.example\r\n"
        b"Subject: \xe4\xf6\xfc  two  blanks \r\n"
        b"X-Test: news\r\n"
        b"X-Fold:\r\n \tfirst\r\n\t second \r\n"
        b"X-Empty:\r\n"
        b"X-Tab:\tvalue\r\n"
    )
    body = bytes(range(256)) * 300 + b"\n.\r\nbare\rcr\0\0" + b"x" * 70000 + b"no newline"
    message = head + b"\r\n" + body
    _, deleted, _ = running.deliver(["<ann@example.org>", "<bob@example.org>"], message)
    assert len(deleted) == 2
    for held in running.files():
        assert original(held) == message


def test_large_headers(running):
    long_field = b"X-Long: " + b"\r\n ".join(b"y" * 900 for _ in range(100)) + b"\r\n"
    assert 60_000 < len(long_field) < 100_000
    message = NEWS.replace(b"\r\n\r\n", b"\r\n" + long_field + b"\r\n", 1)
    assert len(running.deliver(["<ann@example.org>"], message)[1]) == 1
    many = b"".join(b"X-Field-%d: %s\r\n" % (i, b"z" * 600) for i in range(110))
    message2 = NEWS.replace(b"\r\n\r\n", b"\r\n" + many + b"\r\n", 1)
    assert len(running.deliver(["<ann@example.org>"], message2)[1]) == 1
    assert [original(h) for h in running.files()] == [message, message2]


def test_header_that_cannot_be_kept(running):
    many = b"".join(b"X-Field-%d: %s\r\n" % (i, b"z" * 900) for i in range(400))
    message = NEWS.replace(b"\r\n\r\n", b"\r\n" + many + b"\r\n", 1)
    assert running.deliver(["<ann@example.org>"], message) == (ACCEPT, [], [])
    assert "the header is too long to be kept" in running.log()


def test_oversize(milter):
    milter.configure(hold_max_size="100k")
    milter.start()
    with milter.talk() as talk:
        talk.connect()
        talk.helo()
        talk.mail("<b@shop.example>", "SIZE=200000", "BODY=8BITMIME")
        talk.rcpt("<ann@example.org>")
        talk.data()
        reply, _ = talk.header(NEWS)
        assert reply == ACCEPT
    # Not announced: seen when it comes. The last piece comes with the end of the message.
    big = NEWS + b"x" * 150_000
    assert milter.deliver(["<ann@example.org>"], big) == (CONTINUE, [], [])
    fits = NEWS + b"x" * 90_000
    assert milter.deliver(["<ann@example.org>"], fits)[1] == [b"<ann@example.org>"]
    assert [original(h) for h in milter.files()] == [fits]
    assert milter.files("tmp") == []
    assert milter.log().count("larger than hold_max_size") == 2


def test_header_only(running):
    message = b"X-Test: news\r\n\r\n"
    assert running.deliver(["<ann@example.org>"], message)[1] == [b"<ann@example.org>"]
    (held,) = running.files()
    assert original(held) == message


def test_no_header_at_all(running):
    assert running.deliver(["<ann@example.org>"], b"\r\n\r\ntext") == (ACCEPT, [], [])


# ---- several messages, aborts ----


def test_many_messages_in_a_session(running):
    with running.talk() as talk:
        talk.connect()
        talk.helo()
        for i in range(5):
            talk.mail("<b@shop.example>")
            talk.rcpt("<ann@example.org>", queue_id=f"Q{i}")
            talk.macros("T", i=f"Q{i}")
            talk.step("T")
            for name, value in ((b"X-Test", b" news"), (b"Subject", b" %d" % i)):
                talk.field(name, value)
            assert talk.end_header(f"Q{i}") == CONTINUE
            assert talk.end(b"body\r\n", f"Q{i}")[1] == [b"<ann@example.org>"]
            talk.mail("<b@shop.example>")
            talk.rcpt("<bob@example.org>")
            talk.abort()
        talk.quit()
    assert [field(h, "Subject") for h in running.files()] == [str(i) for i in range(5)]
    assert re.findall(r"(Q\d): user=ann", running.log()) == [f"Q{i}" for i in range(5)]


@pytest.mark.parametrize("how", ["abort", "close", "quit"])
@pytest.mark.parametrize("when", ["rcpt", "header", "eoh", "body"])
def test_abort_in_the_middle(running, how, when):
    with running.talk() as talk:
        talk.connect()
        talk.helo()
        talk.mail("<b@shop.example>")
        talk.rcpt("<ann@example.org>")
        if when != "rcpt":
            talk.data()
            talk.field("X-Test", " news")
        if when in ("eoh", "body"):
            assert talk.end_header() == CONTINUE
            assert len(running.files("tmp")) == 1
        if when == "body":
            assert talk.body(b"x" * 60000) == CONTINUE
        if how == "abort":
            talk.abort()
        elif how == "quit":
            talk.quit()
        if how == "abort":
            wait_for(lambda: not running.files("tmp"), "the temporary file to go")
            talk.mail("<b@shop.example>")
            talk.rcpt("<bob@example.org>")
            talk.data()
            talk.field("X-Test", " news")
            assert talk.end_header() == CONTINUE
            assert talk.end(b"x")[1] == [b"<bob@example.org>"]
    wait_for(lambda: not running.files("tmp"), "the temporary file to go")
    assert [field(h, "Delivered-To") for h in running.files()] == (
        ["bob@example.org"] if how == "abort" else []
    )


# ---- questions to pullyud ----


def test_pullyud_absent(milter):
    milter.pullyud.close()
    milter.pullyud = None
    milter.user_file("bob@example.org", "hold", "@shop.example\n")
    milter.start()
    start = time.monotonic()
    # bob's hold list needs no question answered; ann's newsletter does.
    assert milter.deliver(["<ann@example.org>", "<bob@example.org>"])[1] == [b"<bob@example.org>"]
    assert time.monotonic() - start < 2
    assert len(milter.files()) == 1


def test_pullyud_silent(milter):
    milter.configure(ask_timeout="500ms")
    milter.pullyud.silent = True
    milter.start()
    start = time.monotonic()
    assert milter.deliver(["<ann@example.org>"]) == (ACCEPT, [], [])
    assert 0.4 < time.monotonic() - start < 3
    # It is left alone for a while after that.
    start = time.monotonic()
    for _ in range(5):
        assert milter.deliver(["<ann@example.org>"]) == (ACCEPT, [], [])
    assert time.monotonic() - start < 0.4 + (2 if SANITIZED else 0)
    assert len(milter.pullyud.of("ask")) == 1
    milter.pullyud.silent = False
    wait_for(lambda: milter.deliver(["<ann@example.org>"])[0] == CONTINUE, "it to ask again", 20)


def test_reply_to_own_message(running):
    running.pullyud.known["ann@example.org"] = True
    message = NEWS.replace(b"X-Test", b"In-Reply-To: <mine@example.org>\r\nX-Test")
    assert running.deliver(["<ann@example.org>"], message) == (ACCEPT, [], [])
    (ask,) = running.pullyud.of("ask")
    assert ask["refs"] == ["<mine@example.org>"]


def test_allow_list_and_spf(running):
    running.user_file("ann@example.org", "allow", "@shop.example\n")
    assert running.deliver(["<ann@example.org>"]) == (ACCEPT, [], [])
    (spf,) = running.pullyud.of("spf")
    assert (spf["ip"], spf["helo"]) == ("192.0.2.7", "client.example.net")
    assert spf["from"] == "bounce@shop.example"
    running.pullyud.spf = "fail"
    assert running.deliver(["<ann@example.org>"])[1] == [b"<ann@example.org>"]
    running.pullyud.spf = "temperror"
    assert running.deliver(["<ann@example.org>"]) == (ACCEPT, [], [])


def test_trusted_authentication_results(running):
    running.user_file("ann@example.org", "allow", "@shop.example\n")
    running.pullyud.spf = "fail"
    result = b"Authentication-Results: %s; dmarc=%s header.from=shop.example\r\n"
    trusted = result % (b"mx.example.org", b"pass") + NEWS
    assert running.deliver(["<ann@example.org>"], trusted) == (ACCEPT, [], [])
    assert running.pullyud.of("spf") == []
    failed = result % (b"mx.example.org", b"fail") + NEWS
    assert running.deliver(["<ann@example.org>"], failed)[1] == [b"<ann@example.org>"]
    assert running.pullyud.of("spf") == []
    foreign = result % (b"mx.evil.example", b"pass") + NEWS
    assert running.deliver(["<ann@example.org>"], foreign)[1] == [b"<ann@example.org>"]
    assert len(running.pullyud.of("spf")) == 1


def test_authenticated_client(running):
    """No question about forgery, and pullyud learns whom the user wrote to."""
    running.user_file("ann@example.org", "allow", "bob@example.org\n")
    message = NEWS.replace(b"news@shop.example", b"bob@example.org")
    assert running.deliver(
        ["<ann@example.org>", "<Carl@Elsewhere.example>"],
        message,
        sender="<Bob@example.org>",
        login="bob",
    ) == (ACCEPT, [], [])
    assert running.pullyud.of("spf") == []
    (sent,) = wait_for(lambda: running.pullyud.of("sent"), "the news of sent mail")
    assert sent["user"] == "bob@example.org"
    assert sent["to"] == ["ann@example.org", "carl@elsewhere.example"]
    assert sent["id"] == "<n1@shop.example>"


def test_authenticated_outsiders_are_not_remembered(running):
    running.deliver(["<x@y.example>"], PERSONAL, sender="<zed@nowhere.example>", login="zed")
    running.deliver(["<x@y.example>"], PERSONAL, sender="<ann@example.org>")
    running.deliver(["<x@y.example>"], PERSONAL, sender="<ann@example.org>", login="ann")
    (sent,) = wait_for(lambda: running.pullyud.of("sent"), "the news of sent mail")
    assert sent["user"] == "ann@example.org"


def test_sent_survives_an_outage(milter):
    milter.pullyud.close()
    milter.pullyud = None
    milter.start()
    for rcpt in ("<x@y.example>", "<z@y.example>"):
        milter.deliver([rcpt], PERSONAL, sender="<ann@example.org>", login="ann")
    milter.wait_log("pullyud cannot be told")
    milter.start_pullyud()
    sent = wait_for(
        lambda: len(milter.pullyud.of("sent")) == 2 and milter.pullyud.of("sent"), "both notes"
    )
    assert [note["to"] for note in sent] == [["x@y.example"], ["z@y.example"]]
    milter.wait_log("pullyud answers again")
    assert milter.log().count("pullyud cannot be told") == 1
    assert milter.stop() == 0


def test_sent_is_dropped_at_stop(milter):
    milter.pullyud.close()
    milter.pullyud = None
    milter.start()
    milter.deliver(["<x@y.example>"], PERSONAL, sender="<ann@example.org>", login="ann")
    milter.wait_log("pullyud cannot be told")
    start = time.monotonic()
    assert milter.stop() == 0
    assert time.monotonic() - start < 5
    assert "pullyud was not told of 1 messages" in milter.log()


def test_sent_whose_message_id_is_not_utf8(running):
    message = PERSONAL.replace(b"<n1@", b"<n\xff1@")
    running.deliver(["<x@y.example>"], message, sender="<ann@example.org>", login="ann")
    (sent,) = wait_for(lambda: running.pullyud.of("sent"), "the news of sent mail")
    assert sent["to"] == ["x@y.example"]


# ---- with pullyud itself ----

PULLYUD = os.path.join(BUILD, "src/daemon/pullyud")


@pytest.fixture
def both(milter):
    """The milter with the real pullyud instead of the stand-in."""
    milter.pullyud.close()
    milter.pullyud = None
    env = milter.environment(milter.path("fault-pullyud"))
    with open(milter.path("log"), "ab") as log:
        daemon = subprocess.Popen(
            [PULLYUD, "-c", milter.path("pullyu.conf")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=env,
        )
    try:
        wait_for(lambda: os.path.exists(milter.control), "pullyud's socket")
        milter.start()
        yield milter
        assert milter.stop() == 0
    finally:
        daemon.terminate()
        daemon.wait(PATIENCE)


def test_files_are_taken_at_the_kick(both):
    assert len(both.deliver(["<ann@example.org>"])[1]) == 1
    folder = both.path("spool/users/example.org/ann/new")
    wait_for(lambda: os.path.isdir(folder) and os.listdir(folder), "the message in the folder")
    assert both.files() == []


def test_correspondents_pass(both):
    news = ["<ann@example.org>", "<bob@example.org>"]
    assert len(both.deliver(news)[1]) == 2
    mail = PERSONAL.replace(b"<n1@shop.example>", b"<mine@example.org>")
    both.deliver(["<News@Shop.example>"], mail, sender="<Ann+x@example.org>", login="ann")
    wait_for(
        lambda: both.deliver(news)[1] == [b"<bob@example.org>"], "ann's correspondent to be known"
    )
    answer = NEWS.replace(b"news@shop", b"other@shop").replace(
        b"X-Test", b"References: <mine@example.org>\r\nX-Test"
    )
    other = "<bounce@other.example>"
    assert both.deliver(news, answer, sender=other)[1] == [b"<bob@example.org>"]
    # A reference too long for any database is nobody's.
    answer = answer.replace(b"<mine@", b"<" + b"x" * 4000 + b"@")
    assert len(both.deliver(news, answer, sender=other)[1]) == 2


@needs_hooks
def test_failing_database_lets_mail_pass(both):
    write(both.path("fault-pullyud"), "store.db.get fail\n")
    assert both.deliver(["<ann@example.org>"]) == (ACCEPT, [], [])
    assert "who is known" in both.log()


# ---- digests of our own ----


def guard_for(key, message_id):
    import hashlib
    import hmac

    return b"v1; " + hmac.new(key, message_id, hashlib.sha256).hexdigest().encode()


def write_key(path):
    key = bytes(range(32))
    with open(path, "wb") as f:
        f.write(key)
    os.chmod(path, 0o640)
    return key


def test_own_digest_is_never_held(milter):
    key = write_key(milter.path("key"))
    milter.start()
    guard = b"X-Pullyu-Digest: " + guard_for(key, b"<n1@shop.example>") + b"\r\n"
    assert milter.deliver(["<ann@example.org>"], guard + NEWS) == (ACCEPT, [], [])
    assert "action=pass reasons=- why=a digest of our own" in milter.log()
    other = guard + NEWS.replace(b"<n1@", b"<n2@")
    reply, deleted, fields = milter.deliver(["<ann@example.org>"], other)
    assert (reply, deleted) == (CONTINUE, [b"<ann@example.org>"])
    assert fields == [(1, b"X-Pullyu-Digest")]


def test_what_pullyud_sends_again_is_never_held(milter):
    """An original goes out unchanged, so pullyud is known by the name in its EHLO."""
    import hashlib
    import hmac

    name = hmac.new(write_key(milter.path("key")), b"EHLO", hashlib.sha256).hexdigest()[:24]
    milter.start()
    for helo, want in ((f"pullyu-{name}.invalid", ACCEPT), ("pullyu-0.invalid", CONTINUE)):
        with milter.talk() as talk:
            talk.connect()
            talk.helo(helo)
            talk.mail("<b@shop.example>")
            talk.rcpt("<ann@example.org>")
            talk.data()
            assert talk.header(NEWS)[0] == want
    assert "action=pass reasons=- why=re-sent by us" in milter.log()


def test_without_a_key_a_digest_passes(running):
    message = b"X-Pullyu-Digest: v1; 00\r\n" + NEWS
    assert running.deliver(["<ann@example.org>"], message) == (ACCEPT, [], [])


def test_foreign_guards_are_removed_without_a_hold(milter):
    write_key(milter.path("key"))
    milter.start()
    forged = b"X-Pullyu-Digest: v1; 00\r\nx-pullyu-digest: yes\r\n" + PERSONAL + b"x" * 200_000
    reply, deleted, fields = milter.deliver(["<ann@example.org>"], forged)
    assert (reply, deleted) == (CONTINUE, [])
    assert fields == [(2, b"X-Pullyu-Digest"), (1, b"X-Pullyu-Digest")]
    assert milter.files() == []


# ---- reload ----


def test_reload_without_dropping_a_session(running):
    with running.talk(steps=ANSWERED) as talk:
        talk.envelope("<b@shop.example>", ["<ann@example.org>"])
        # This message began under the old rules and ends under them.
        write(running.path("rules.d/test.ini"), RULES.replace("is = news", "is = other"))
        running.wait_log("reloaded")
        reply, body = talk.header(NEWS)
        assert reply == CONTINUE
        assert talk.content(body)[1] == [b"<ann@example.org>"]
        talk.mail("<b@shop.example>")
        talk.rcpt("<ann@example.org>")
        talk.data()
        assert talk.header(NEWS)[0] == ACCEPT
        running.participants("@elsewhere.example")
        running.wait_log("reloaded", 2)
        running.process.send_signal(signal.SIGUSR1)
        running.wait_log("reloaded", 3)
        running.process.send_signal(signal.SIGHUP)
        running.wait_log("reloaded", 4)
        talk.mail("<b@shop.example>")
        talk.rcpt("<ann@elsewhere.example>")
        talk.data()
        talk.field("X-Test", " other")
        assert talk.end_header() == CONTINUE
        assert talk.end(b"")[1] == [b"<ann@elsewhere.example>"]


def test_paths_shared_with_pullyud_stay(running):
    old = running.options["paths"]["spool"]
    running.options["paths"].update(
        spool=running.path("other"), control=running.path("c2"), key=running.path("key2")
    )
    running.configure()
    running.wait_log("reloaded /")
    for name in ("spool", "control", "key"):
        assert f"[paths] {name} = " in running.log()
    assert running.log().count("takes effect at a restart of both programs") == 3
    assert len(running.deliver(["<ann@example.org>"])[1]) == 1
    assert len(running.files()) == 1 and old == running.path("spool")
    assert not os.path.exists(running.path("other"))
    wait_for(lambda: running.pullyud.of("kick"), "the kick at the old socket")
    time.sleep(3)
    assert running.log().count("reloaded /") == 1, "it is read once"


def test_bad_rules_do_not_take_effect(running):
    write(running.path("rules.d/test.ini"), RULES + "[broken]\nclass = nonsense\n")
    running.wait_log("not reloaded, the old configuration stays in force")
    assert "test.ini" in running.log() and "nonsense" in running.log()
    assert len(running.deliver(["<ann@example.org>"])[1]) == 1
    time.sleep(3)
    assert running.log().count("not reloaded") == 1, "a mistake is told once"
    write(running.path("rules.d/test.ini"), RULES)
    running.wait_log("reloaded /")
    # The same for pullyu.conf, and a mistake in a directory that only the new one names.
    shutil.copytree(running.path("rules.d"), running.path("rules.new"))
    write(running.path("rules.new/test.ini"), "[broken]\nclass = nonsense\n")
    running.options["paths"]["rules"] = running.path("rules.new")
    running.configure()
    running.wait_log("not reloaded", 2)
    write(running.path("rules.new/test.ini"), RULES)
    running.wait_log("reloaded /", 2)


def test_users_files_take_effect_at_once(running):
    assert len(running.deliver(["<ann@example.org>"])[1]) == 1
    running.user_file("ann@example.org", "settings.ini", "[hold]\nclasses = notification\n")
    assert running.deliver(["<ann@example.org>"]) == (ACCEPT, [], [])
    running.user_file("ann@example.org", "settings.ini", "[hold]\nclasses = newsletter\n")
    assert len(running.deliver(["<ann@example.org>"])[1]) == 1


# ---- start and stop ----


def test_configuration_check(milter):
    good = subprocess.run(milter.command("-t"), capture_output=True, text=True, check=False)
    assert good.returncode == 0 and "no mistake found" in good.stdout, good.stderr
    write(milter.path("rules.d/bad.ini"), "[broken]\nclass = nonsense\n")
    bad = subprocess.run(milter.command("-t"), capture_output=True, text=True, check=False)
    assert bad.returncode == 78 and "bad.ini" in bad.stderr
    started = subprocess.run(milter.command(), capture_output=True, text=True, check=False)
    assert started.returncode == 78
    usage = subprocess.run([PROGRAM, "-x"], capture_output=True, text=True, check=False)
    assert usage.returncode == 64 and "usage:" in usage.stderr


def test_socket_is_ours_alone(milter):
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(milter.socket)
    milter.start()
    assert stat.S_IMODE(os.stat(milter.socket).st_mode) == 0o600
    second = subprocess.run(milter.command(), capture_output=True, text=True, check=False)
    assert second.returncode != 0 and "somebody listens there already" in second.stderr
    assert milter.deliver(["<ann@example.org>"], PERSONAL)[0] == ACCEPT
    assert milter.stop() == 0
    assert not os.path.exists(milter.socket)
    with open(milter.socket, "w", encoding="ascii") as f:
        f.write("precious")
    second = subprocess.run(milter.command(), capture_output=True, text=True, check=False)
    assert second.returncode != 0 and "not a socket" in second.stderr
    assert os.path.getsize(milter.socket) == 8


def test_stop_waits_for_messages_in_flight(running):
    with running.talk() as idle, running.talk() as talk:
        idle.connect()
        talk.envelope("<b@shop.example>", ["<ann@example.org>", "<bob@example.org>"])
        reply, body = talk.header(NEWS)
        assert reply == CONTINUE
        for number in [signal.SIGHUP] + [signal.SIGTERM, signal.SIGINT] * 20:
            running.process.send_signal(number)  # none of them may reach libmilter
        running.wait_log("stopping; 1 messages in flight")
        with pytest.raises(OSError):
            running.talk()
        time.sleep(1)
        assert talk.body(b"first\r\n" * 100) == CONTINUE
        reply, deleted, _ = talk.content(body)
        assert (reply, len(deleted)) == (CONTINUE, 2)
        assert running.process.wait(PATIENCE) == 0
    assert len(running.files()) == 2
    assert running.files("tmp") == []


def test_stop_without_messages_is_quick(running):
    with running.talk() as talk:
        talk.connect()
        start = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - start < 4


def test_stop_does_not_wait_for_ever(running):
    with running.talk(steps=ANSWERED) as talk:
        talk.envelope("<b@shop.example>", ["<ann@example.org>"])
        assert running.stop() == 0
    assert "1 messages in flight" in running.log()


def test_old_temporary_files_are_removed(milter):
    os.makedirs(milter.path("spool/tmp"))
    for name, age in (("old", 3 * 86400), ("young", 3600)):
        path = milter.path(f"spool/tmp/{name}")
        with open(path, "w", encoding="ascii") as f:
            f.write("x")
        os.utime(path, (time.time() - age,) * 2)
    milter.start()
    milter.wait_log("removed 1 old files")
    assert os.listdir(milter.path("spool/tmp")) == ["young"]


# ---- failures ----

STEPS_OF_HOLD = ["open", "write", "copy", "fsync", "rename", "dirsync"]


@needs_hooks
@pytest.mark.parametrize("step", STEPS_OF_HOLD)
@pytest.mark.parametrize("when", ["", "after_"])
def test_failing_disk_lets_everything_pass(running, step, when):
    running.arm(f"milter.hold.{when}{step} fail")
    reply, deleted, _ = running.deliver(["<ann@example.org>", "<bob@example.org>"])
    assert (reply in (ACCEPT, CONTINUE), deleted) == (True, [])
    assert running.files() == [] and running.files("tmp") == []
    assert len(re.findall(r"action=pass .*why=cannot hold: .*No space left", running.log())) == 2
    assert "action=hold" not in running.log()
    running.arm()
    assert len(running.deliver(["<ann@example.org>", "<bob@example.org>"])[1]) == 2


@needs_hooks
@pytest.mark.parametrize("step", STEPS_OF_HOLD + ["delrcpt"])
@pytest.mark.parametrize("when", ["", "after_"])
def test_killed_at_each_step(running, step, when):
    """The MTA keeps the message when the milter dies before the end; so no copy may be missing from
    the disk of whom it was told to take off, and no file in incoming may be a part."""
    running.arm(f"milter.hold.{when}{step} kill")
    with running.talk() as talk:
        with pytest.raises(Closed):
            talk.message("<b@shop.example>", ["<ann@example.org>", "<bob@example.org>"], NEWS)
    assert running.process.wait(PATIENCE) == -signal.SIGKILL
    held = running.files()
    assert all(original(h) == NEWS for h in held)
    if step in ("delrcpt", "dirsync") or (step, when) == ("rename", "after_"):
        assert len(held) == (1 if step == "rename" else 2)
    else:
        assert held == []
    running.arm()
    running.start()
    assert len(running.deliver(["<ann@example.org>", "<bob@example.org>"])[1]) == 2, running.log()


@needs_hooks
def test_failing_delrcpt_keeps_the_file(running):
    running.arm("milter.hold.delrcpt fail")
    assert running.deliver(["<ann@example.org>"]) == (CONTINUE, [], [])
    assert len(running.files()) == 1
    assert "it may come twice" in running.log()


def test_unwritable_spool(running):
    shutil.rmtree(running.path("spool/tmp"))
    assert running.deliver(["<ann@example.org>"]) == (ACCEPT, [], [])
    assert "cannot hold" in running.log()
    os.mkdir(running.path("spool/tmp"))
    assert len(running.deliver(["<ann@example.org>"])[1]) == 1


# ---- many at once ----


def concurrently(milter, count, message):
    """count sessions, all of them open at the same time with half a message."""
    barrier = threading.Barrier(count + 1)
    results, errors = [], []

    def session(i):
        try:
            with milter.talk(timeout=300) as talk:
                talk.envelope("<b@shop.example>", [f"<u{i}@example.org>", "<ann@example.org>"])
                reply, body = talk.header(message)
                assert reply == CONTINUE, reply
                assert talk.body(body) == CONTINUE
                barrier.wait(300)
                barrier.wait(300)
                results.append((i, talk.end(b"end\r\n")))
        except BaseException as e:  # pylint: disable=broad-except
            errors.append(e)
            barrier.abort()

    threads = [threading.Thread(target=session, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    with contextlib.suppress(threading.BrokenBarrierError):
        barrier.wait(300)
    rss = memory(milter.process.pid)
    with contextlib.suppress(threading.BrokenBarrierError):
        barrier.wait(300)
    for thread in threads:
        thread.join()
    assert not errors, errors[0]
    return results, max(rss, memory(milter.process.pid))


def memory(pid):
    """Peak resident memory, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmHWM:\s+(\d+) kB", f.read()).group(1)) * 1024


def test_concurrent_sessions(running):
    count = 400
    filler = b"".join(b"X-Field-%d: %s\r\n" % (i, b"z" * 500) for i in range(20))
    message = NEWS.replace(b"\r\n\r\n", b"\r\n" + filler + b"\r\n", 1) + b"text\r\n" * 2000
    results, rss = concurrently(running, count, message)
    assert len(results) == count
    for i, (reply, deleted, _) in results:
        assert (reply, deleted) == (CONTINUE, [b"<u%d@example.org>" % i, b"<ann@example.org>"])
    held = running.files()
    assert len(held) == 2 * count
    assert {original(h) for h in held} == {message + b"end\r\n"}
    assert len({field(h, "Delivered-To") for h in held}) == count + 1
    if SANITIZED:
        pytest.skip(f"worked; memory is not judged with sanitizers ({rss >> 20} MB)")
    assert rss < 200 * 1024 * 1024


def test_nothing_leaks(running):
    """Leaks show in the sanitizers' report at the end, or here in memory."""
    for _ in range(30):
        running.deliver(["<ann@example.org>", "<bob@example.org>"])
    before = memory(running.process.pid)
    for _ in range(300):
        running.deliver(["<ann@example.org>", "<bob@example.org>"])
        running.deliver(["<ann@example.org>"], PERSONAL)
    if not SANITIZED:
        assert memory(running.process.pid) - before < 4 * 1024 * 1024
