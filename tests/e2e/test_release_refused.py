"""An MTA that refuses one message for good, or puts everything off: what becomes of the others."""

import socketserver
import threading

import pytest

import messages
from harness import ANN
from waiting import wait_for

NEWS = "letter@news.example"
POISON = b"the word that the filter does not like"


class Mta(socketserver.ThreadingTCPServer):
    """Takes mail on a loopback port. answer(raw) gives the reply to each message."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Session)
        self.taken, self.refused = [], []
        self.answer = lambda raw: b"250 2.0.0 taken"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def digests(self):
        return [raw for raw in self.taken if b"X-Pullyu-Digest:" in raw.partition(b"\r\n\r\n")[0]]

    def originals(self):
        return [raw for raw in self.taken if raw not in self.digests()]


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 mta.example.test\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper().strip()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.wfile.write(self.message() + b"\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 fine\r\n")

    def message(self):
        raw = b""
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            raw += line
        reply = self.server.answer(raw)
        (self.server.taken if reply.startswith(b"250") else self.server.refused).append(raw)
        return reply


@pytest.fixture
def mta():
    with Mta() as server:
        yield server
        server.shutdown()


@pytest.fixture
def morning(make_site, mta):
    """A site whose digests go to that MTA; what comes in passes the site's own."""
    site = make_site()
    site.pullyu.options["release"]["submit_port"] = mta.port
    site.start()
    site.clock_to("2026-11-23T07:00:00Z")
    return site


def hold(site, *bodies):
    before = len(site.pullyu.held(ANN))
    for body in bodies:
        site.send(messages.newsletter(to=ANN, body=body), NEWS, [ANN])
    site.wait_held(ANN, before + len(bodies))


def put_off(site, mta):
    """A digest of two messages that the MTA puts off, and one message that came later."""
    mta.answer = lambda raw: b"451 4.3.0 not now"
    hold(site, "one\n", "two\n")
    site.clock_to("2026-11-23T08:00:01Z")
    wait_for(lambda: site.pullyu.status(ANN).get("failures", 0) >= 1, "a failure", detail=site.logs)
    hold(site, "three\n")


def test_one_refused_message_does_not_end_the_digests(morning, mta):
    mta.answer = lambda raw: b"554 5.7.1 no" if POISON in raw else b"250 2.0.0 taken"
    hold(morning, "one\n", POISON.decode() + "\n", "three\n")
    morning.clock_to("2026-11-23T08:00:01Z")
    wait_for(lambda: len(mta.originals()) == 2, "the others as originals", detail=morning.logs)
    assert mta.digests() == []
    morning.wait_held(ANN, 1)
    (left,) = morning.pullyu.json("list", ANN)
    assert "the MTA refused 1 more" in morning.pullyu.call("status")
    # The next day, and when max_hold is long over: a digest at the user's time.
    for day, (date, expected) in enumerate([("2026-11-24", 1), ("2026-12-14", 2)]):
        morning.clock_to(f"{date}T07:00:00Z")
        hold(morning, f"day {day}\n")
        morning.clock_to(f"{date}T07:59:00Z")
        assert len(mta.digests()) == expected - 1
        morning.clock_to(f"{date}T08:00:01Z")
        wait_for(lambda n=expected: len(mta.digests()) == n, "a digest", detail=morning.logs)
        morning.wait_held(ANN, 1)
    assert len(mta.originals()) == 2
    # It is reached one by one, and when all is drained.
    morning.pullyu.call("release", ANN, left["id"], code=65)
    assert len(morning.pullyu.held(ANN)) == 1
    mta.answer = lambda raw: b"250 2.0.0 taken"
    morning.pullyu.call("drain")
    assert len(mta.originals()) == 3
    assert morning.pullyu.held(ANN) == []


def test_release_after_a_put_off_delivers_all(morning, mta):
    put_off(morning, mta)
    mta.answer = lambda raw: b"250 2.0.0 taken"
    morning.pullyu.call("release", ANN)
    morning.wait_held(ANN, 0)
    assert len(mta.taken) == len(mta.digests())
    for word in (b"one", b"two", b"three"):
        assert sum(raw.count(b"\r\n" + word + b"\r\n") for raw in mta.taken) == 1


def test_a_put_off_digest_in_the_preview(morning, mta):
    put_off(morning, mta)
    seen = morning.pullyu.run("preview", ANN).stdout
    assert seen.count(b"message/rfc822") == 2
    morning.pullyu.call("preview", "--part", "2", ANN, code=66)


def test_who_leaves_waits_for_no_digest(morning, mta):
    put_off(morning, mta)
    morning.write_user(ANN, "settings.ini", "[digest]\nenabled = no\n")
    assert "takes no part" in morning.pullyu.call("preview", ANN, code=66)
    wait_for(lambda: b"X-Pullyu-Digest:" not in mta.refused[-1], "originals", detail=morning.logs)
    mta.answer = lambda raw: b"250 2.0.0 taken"
    morning.clock_to("2026-11-23T08:30:00Z")
    morning.wait_held(ANN, 0)
    assert mta.digests() == [] and len(mta.originals()) == 3
