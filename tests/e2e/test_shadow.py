"""Shadow mode, from the milter's socket to `pullyu report`: nothing is taken off, and what would have
been held is counted, but never at the cost of mail."""

import contextlib
import json
import os
import subprocess

import pytest

from miltertalk import ACCEPT, CONTINUE
from test_milter import BUILD, NEWS, PATIENCE, PERSONAL, PULLYUD, wait_for
from test_milter import milter, running  # fixtures

PULLYU = os.path.join(BUILD, "src/cli/pullyu")
SHADOW = "[hold]\nshadow = yes\n"
ANN, DAN = "ann@example.org", "dan@example.org"


@pytest.fixture
def shadow(running):
    running.user_file(ANN, "settings.ini", SHADOW)
    return running


def counted(milter, number):
    wait_for(lambda: len(milter.pullyud.of("shadow")) >= number, f"{number} notes")
    assert len(milter.pullyud.of("shadow")) == number
    return milter.pullyud.of("shadow")


def test_nothing_is_taken_off(shadow):
    assert shadow.deliver([f"<{ANN}>"]) == (ACCEPT, [], [])
    (note,) = counted(shadow, 1)
    assert note.pop("received") > 0
    margin = note.pop("margin")
    assert 0 < margin <= note["score"]
    assert note == {"op": "shadow", "user": ANN, "class": "newsletter", "score": 50,
                    "sender": "news@shop.example", "reasons": ["test-news"]}
    assert shadow.files() == [] and shadow.files("tmp") == []
    assert "action=pass reasons=test-news why=shadow: would be held: class newsletter is held" in (
        shadow.log())
    # The question whether she knows the sender is asked as always.
    assert [ask["users"] for ask in shadow.pullyud.of("ask")] == [[ANN]]


def test_what_passes_is_not_counted(shadow):
    shadow.pullyud.known[ANN] = True
    assert shadow.deliver([f"<{ANN}>"]) == (ACCEPT, [], [])
    assert shadow.deliver([f"<{ANN}>"], PERSONAL) == (ACCEPT, [], [])
    assert shadow.deliver(["<zoe@nobody.example>"]) == (ACCEPT, [], [])
    assert shadow.deliver([f"<{DAN}>"]) == (CONTINUE, [f"<{DAN}>".encode()], [])
    assert counted(shadow, 0) == []


def test_beside_somebody_who_is_not(shadow):
    shadow.user_file(ANN, "hold", "@shop.example\n")
    reply = shadow.deliver([f"<{ANN}>", f"<{DAN}>"])
    assert reply == (CONTINUE, [f"<{DAN}>".encode()], [])
    assert len(shadow.files()) == 1
    (note,) = counted(shadow, 1)
    # The list is why, not the rules: how near those were says nothing.
    assert note["reasons"] == ["hold-list"] and "margin" not in note


def test_a_whole_domain(running):
    running.options["users"]["shadow_domains"] = "other.example, example.org"
    running.configure()
    running.wait_log("reloaded")
    assert running.deliver([f"<{ANN}>", f"<{DAN}>"]) == (ACCEPT, [], [])
    assert {note["user"] for note in counted(running, 2)} == {ANN, DAN}


def test_the_whole_site_but_one(running):
    running.options["defaults"] = {"shadow": "yes"}
    running.user_file(DAN, "settings.ini", "[hold]\nshadow = no\n")
    running.configure()
    running.wait_log("reloaded")
    reply = running.deliver([f"<{ANN}>", f"<{DAN}>"])
    assert reply == (CONTINUE, [f"<{DAN}>".encode()], [])
    assert [note["user"] for note in counted(running, 1)] == [ANN]


def test_pullyud_absent(milter):
    """Without an answer nothing would be held, but for what needs none; nobody waits to tell it."""
    milter.pullyud.close()
    milter.pullyud = None
    milter.user_file(ANN, "settings.ini", SHADOW)
    milter.user_file(ANN, "hold", "@shop.example\n")
    milter.start()
    for _ in range(5):
        assert milter.deliver([f"<{ANN}>"]) == (ACCEPT, [], [])
    milter.wait_log("pullyud cannot be told")
    milter.start_pullyud()
    milter.deliver([f"<{ANN}>"])
    wait_for(lambda: milter.pullyud.of("shadow"), "a note")
    assert len(milter.pullyud.of("shadow")) < 6  # the others were dropped
    assert milter.stop() == 0


def test_pullyud_silent(shadow):
    """Notes pile up to a bound and are dropped; mail and its news of sent mail go on."""
    shadow.user_file(ANN, "hold", "@shop.example\n")
    shadow.pullyud.silent = True
    with shadow.talk() as talk:
        for number in range(1100):
            if number == 0:
                talk.connect()
                talk.helo()
            talk.mail("<bounce@shop.example>")
            talk.rcpt(f"<{ANN}>")
            talk.data()
            assert talk.header(NEWS)[0] == ACCEPT
    shadow.pullyud.silent = False
    shadow.deliver(["<x@y.example>"], PERSONAL, sender=f"<{ANN}>", login="ann")
    wait_for(lambda: shadow.pullyud.of("sent"), "the news of sent mail")
    assert shadow.files() == []
    assert shadow.stop() == 0


def test_switched_on_and_off(running):
    """At once, and what is held already stays where it is."""
    running.deliver([f"<{ANN}>"])
    running.user_file(ANN, "settings.ini", SHADOW)
    assert running.deliver([f"<{ANN}>"]) == (ACCEPT, [], [])
    assert len(running.files()) == 1
    os.remove(running.path("users/example.org/ann/settings.ini"))
    assert running.deliver([f"<{ANN}>"]) == (CONTINUE, [f"<{ANN}>".encode()], [])
    assert len(running.files()) == 2


# ---- with pullyud itself ----


class Counted:
    """The milter, pullyud and the command line."""

    def __init__(self, milter):
        self.milter = milter
        self.daemon = None
        self.start_daemon()

    def start_daemon(self):
        env = self.milter.environment(self.milter.path("fault-pullyud"))
        with open(self.milter.path("log"), "ab") as log:
            self.daemon = subprocess.Popen(
                [PULLYUD, "-c", self.milter.path("pullyu.conf")], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=env)
        wait_for(lambda: self.cli("status").returncode == 0, "pullyud")

    def stop_daemon(self):
        self.daemon.terminate()
        assert self.daemon.wait(PATIENCE) == 0, self.milter.log()

    def cli(self, *words):
        return subprocess.run([PULLYU, "--config", self.milter.path("pullyu.conf"), *words],
                              capture_output=True, timeout=PATIENCE, check=False)

    def report(self, *words):
        done = self.cli("report", "--json", *words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def send(self, user, sender, times=1):
        """As many messages; waits until all are counted."""
        before = self.report()["messages"]
        message = NEWS.replace(b"news@shop.example", sender.encode())
        with self.milter.talk() as talk:
            talk.connect()
            talk.helo()
            for _ in range(times):
                talk.mail(f"<bounce@{sender.split('@')[1]}>")
                talk.rcpt(f"<{user}>")
                talk.data()
                assert talk.header(message)[0] == ACCEPT
        wait_for(lambda: self.report()["messages"] == before + times, "the count")


@pytest.fixture
def counted_by_pullyud(milter):
    milter.pullyud.close()
    milter.pullyud = None
    milter.options["defaults"] = {"shadow": "yes"}
    milter.participants("@example.org", "@example.net")
    milter.configure()
    counts = Counted(milter)
    milter.start()
    yield counts
    assert milter.stop() == 0
    with contextlib.suppress(ProcessLookupError):
        counts.stop_daemon()


def test_counts_are_exact(counted_by_pullyud):
    counts = counted_by_pullyud
    counts.send(ANN, "news@shop.example", 30)
    counts.send(ANN, "club@sail.example", 3)
    counts.send(DAN, "news@shop.example", 5)
    counts.send("joe@example.net", "letter@harbour.example", 2)
    counts.milter.user_file(ANN, "hold", "@list.example\n")
    counts.send(ANN, "x@list.example", 1)
    report = counts.report()
    assert (report["users"], report["messages"], report["unreadable"]) == (3, 41, 0)
    assert report["classes"] == {"newsletter": 41}
    assert [(s["sender"], s["messages"]) for s in report["senders"]] == [
        ("news@shop.example", 35), ("club@sail.example", 3),
        ("letter@harbour.example", 2), ("x@list.example", 1)]
    assert [(r["rule"], r["messages"], r["why"]) for r in report["rules"]] == [
        ("test-news", 40, "the test says so"), ("hold-list", 1, "the user's hold list")]
    assert {s["sender"] for s in report["nearest"]} == {
        "news@shop.example", "club@sail.example", "letter@harbour.example"}
    # A digest a user and slot: at most one more each if the test runs over a slot.
    assert 3 <= report["digests"] <= 6
    assert report["saved"] == 41 - report["digests"]
    assert report["hours"] == pytest.approx(report["saved"] * 64 / 3600)
    assert report["since"] <= report["last"]
    assert counts.report("@example.org")["messages"] == 39
    assert counts.report("@Example.NET")["messages"] == 2
    assert counts.report(DAN)["messages"] == 5
    assert counts.report("zoe@example.org")["messages"] == 0
    assert counts.report("@nobody.example")["users"] == 0
    assert counts.cli("report", "dan").returncode == 65
    assert counts.cli("report", "@").returncode == 65
    assert b"41 messages would have been held" in counts.cli("report").stdout
    metrics = json.loads(counts.cli("metrics", "--json").stdout)
    assert metrics["shadowed_total"] == 41 and metrics["held"] == 0


def test_counts_survive(counted_by_pullyud):
    """A stop writes what is in memory; a crash loses what ten seconds brought, and nothing else."""
    counts = counted_by_pullyud
    counts.send(ANN, "news@shop.example", 2)
    counts.stop_daemon()
    counts.start_daemon()
    assert counts.report()["messages"] == 2
    counts.send(ANN, "news@shop.example", 1)
    counts.daemon.kill()
    counts.daemon.wait(PATIENCE)
    counts.start_daemon()
    assert counts.report()["messages"] == 3  # a report writes, too


def test_begin_anew(counted_by_pullyud):
    counts = counted_by_pullyud
    counts.send(ANN, "news@shop.example", 2)
    counts.send(DAN, "news@shop.example", 1)
    assert counts.report("--reset", ANN)["messages"] == 2
    assert counts.report(ANN)["messages"] == 0
    assert counts.report("--reset")["messages"] == 1
    assert counts.report()["messages"] == 0
    counts.send(ANN, "club@sail.example", 1)
    assert [s["sender"] for s in counts.report()["senders"]] == ["club@sail.example"]


def test_requests_that_make_no_sense(counted_by_pullyud):
    counts = counted_by_pullyud
    good = {"op": "shadow", "user": ANN, "class": "newsletter", "score": 5, "margin": 1,
            "sender": "a@b.example", "received": 1, "reasons": ["x"]}
    for changes, rc in (
        ({}, "ok"), ({"user": "ann"}, "perm"), ({"user": 3}, "perm"), ({"class": "junk"}, "perm"),
        ({"class": None}, "perm"), ({"sender": "nobody"}, "ok"), ({"sender": []}, "ok"),
        ({"margin": "x"}, "ok"), ({"margin": -3}, "ok"), ({"received": 1 << 62}, "ok"),
        ({"received": "x"}, "ok"), ({"reasons": "x"}, "ok"),
        ({"reasons": ["y" * 65, 1, None, "", "a", "b", "c", "d"]}, "ok"),
    ):
        assert call(counts.milter.control, {**good, **changes})["rc"] == rc, changes
    report = counts.report()
    assert report["messages"] == 9
    assert report["since"] > "2001" and report["last"] < "2200"
    assert {r["rule"] for r in report["rules"]} == {"x", "a", "b", "c"}
    assert {s["sender"] for s in report["senders"]} == {"a@b.example", ""}


def call(path, request):
    import socket

    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE)
        s.connect(path)
        s.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(s.makefile().readline())
