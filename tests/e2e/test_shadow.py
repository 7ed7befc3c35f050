"""Shadow mode, from the milter's socket to `pullyu report`: nothing is taken off, and what would have
been held is counted, but never at the cost of mail."""

import os

import pytest

from miltertalk import ACCEPT, CONTINUE
from test_milter import NEWS, PERSONAL, wait_for
from test_milter import milter, running  # noqa: F401  fixtures

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
