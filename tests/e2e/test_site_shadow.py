"""Shadow mode on a whole site: for a month nobody's mail waits, and the report knows what would have."""

import email.utils

import pytest

import messages
from harness import ANN, BOB, CAROL, assert_nothing_lost
from waiting import wait_for

NEWS = "letter@news.example"
CLUB = "crew@club.example"
DORA = "dora@friends.example"


def send_news(site, rcpts, sender=NEWS):
    name = email.utils.formataddr(("A letter", sender))
    return site.send(messages.newsletter(sender=name), sender, rcpts)


def report(site, *words):
    return site.pullyu.json("report", *words)


def wait_counted(site, number):
    wait_for(lambda: report(site)["messages"] >= number, f"{number} counted", detail=site.logs)
    assert report(site)["messages"] == number


@pytest.fixture
def shadow_site(make_site):
    site = make_site()
    site.pullyu.options["defaults"]["shadow"] = "yes"
    site.start()
    site.clock_to("2026-11-02T07:00:00Z")
    return site


def test_a_month(shadow_site):
    """Everything comes at once and no digest comes; the counts are exact."""
    site = shadow_site
    sent = []
    for day, hour in ((2, 7), (2, 9), (3, 9), (9, 12), (30, 7)):
        site.clock_to(f"2026-11-{day:02}T{hour:02}:00:00Z")
        sent.append(send_news(site, [ANN, BOB]))
        wait_counted(site, 2 * len(sent))  # so that each is counted at its own time
    sent.append(send_news(site, [ANN], CLUB))
    sent.append(site.send(messages.personal(), DORA, [ANN]))
    sent.append(site.send(messages.security(), "no-reply@bank.example", [ANN]))
    for one in sent:
        for user in one.rcpts:
            site.wait_inbox(user, one.raw)
    wait_counted(site, 11)
    assert site.pullyu.held() == [] and site.pullyu.incoming() == []
    site.clock_to("2026-12-01T08:00:10Z")
    site.pullyu.status()
    assert site.digests(ANN) == [] and site.digests(BOB) == []
    assert_nothing_lost(site)

    got = report(site)
    assert (got["users"], got["messages"], got["unreadable"]) == (2, 11, 0)
    assert got["since"].startswith("2026-11-02T07:00") and got["last"].startswith("2026-11-30T07:0")
    assert got["classes"] == {"newsletter": 11}
    assert [(s["sender"], s["messages"]) for s in got["senders"]] == [(NEWS, 10), (CLUB, 1)]
    # The slot is eight o'clock: five days' letters, each in a digest of its own; the club's came in
    # that of the 30th.
    assert got["digests"] == 10 and got["saved"] == 1
    assert got["hours"] == pytest.approx(64 / 3600)
    assert max(r["messages"] for r in got["rules"]) == 11
    assert report(site, ANN)["messages"] == 6 and report(site, BOB)["messages"] == 5
    assert report(site, CAROL)["messages"] == 0
    assert report(site, "@example.test")["messages"] == 11


def test_switched_on_while_mail_is_held(site):
    """What is held comes with its digest; what comes then passes; and for the others nothing changes."""
    site.clock_to("2026-11-23T07:00:00Z")
    send_news(site, [ANN, BOB])
    site.wait_held(ANN, 1)
    site.write_user(ANN, "settings.ini", "[hold]\nshadow = yes\n")
    sent = send_news(site, [ANN, BOB])
    site.wait_inbox(ANN, sent.raw)
    site.wait_held(BOB, 2)
    site.wait_held(ANN, 1)
    site.clock_to("2026-11-23T08:00:01Z")
    site.wait_digests(ANN, 1)
    site.wait_digests(BOB, 1)
    site.wait_held(ANN, 0)
    assert_nothing_lost(site)
    wait_counted(site, 1)
    assert report(site)["senders"][0]["sender"] == NEWS


def test_explain_tells_what_then_happens(site):
    """The same words before and after: held until the slot that then brings it, or passes."""
    site.clock_to("2026-11-23T07:00:00Z")
    raw = messages.newsletter()
    for shadow in (False, True):
        site.write_user(ANN, "settings.ini",
                        f"[hold]\nshadow = {'yes' if shadow else 'no'}\n")
        told = site.pullyu.run("explain", "--json", ANN, "-", data=raw)
        assert told.returncode == 0, told.stderr
        assert (b'"action": "pass"' in told.stdout) == shadow
        assert b'"utc": "2026-11-23T08:00:00Z"' in told.stdout
        assert b'"known": "no"' in told.stdout
        sent = site.send(messages.newsletter(), NEWS, [ANN])
        if shadow:
            site.wait_inbox(ANN, sent.raw)
        else:
            site.wait_held(ANN, 1)
    site.clock_to("2026-11-23T08:00:01Z")
    site.wait_digests(ANN, 1)
    assert_nothing_lost(site)
