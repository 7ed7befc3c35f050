"""The moved clock: weekdays, a spring gap, an autumn overlap, changed settings. Bob's slot at the
same instants is the control: once his digest is there, pullyud has looked at Ann, too."""

import pytest

import messages
from harness import ANN, BOB, assert_nothing_lost
from waiting import wait_for

NEWS = "letter@news.example"


def hold(site, user):
    site.send(messages.newsletter(to=user), NEWS, [user])
    wait_for(lambda: site.pullyu.status(user).get("held", 0) >= 1, f"a held message of {user}",
             detail=site.logs)


class Days:
    """Moves the clock from instant to instant. Bob has a slot at each minute that is looked at."""

    def __init__(self, site, times, timezone):
        self.site = site
        self.bobs = self.anns = 0
        site.settings(ANN, times=times, timezone=timezone)

    def look(self, before, at, fires):
        """Whether Ann's digest comes between these two instants (UTC)."""
        site = self.site
        site.clock_to(before)
        site.settings(BOB, times=at[11:16], timezone="UTC")
        if not site.pullyu.held(ANN):
            hold(site, ANN)
        hold(site, BOB)
        site.wait_settled()
        assert len(site.digests(ANN)) == self.anns, f"a digest before {at}"
        site.clock_to(at)
        self.bobs += 1
        site.wait_digests(BOB, self.bobs)
        self.anns += fires
        if fires:
            site.wait_digests(ANN, self.anns)
            site.wait_held(ANN, 0)
        assert not site.pullyu.status(ANN).get("under_way"), f"a release at {at}"
        assert len(site.digests(ANN)) == self.anns, f"digest at {at}, want {fires}"


def test_weekday_list(site):
    days = Days(site, "Mon-Fri 08:00 17:30, Sat Sun 10:00", "Europe/Amsterdam")
    # Friday, 27 November 2026; Amsterdam is an hour ahead of UTC.
    days.look("2026-11-27T06:00:00Z", "2026-11-27T07:00:01Z", True)
    days.look("2026-11-27T16:00:00Z", "2026-11-27T16:30:01Z", True)
    days.look("2026-11-28T06:00:00Z", "2026-11-28T07:00:01Z", False)  # Saturday 08:00
    days.look("2026-11-28T08:00:00Z", "2026-11-28T09:00:01Z", True)  # Saturday 10:00
    days.look("2026-11-29T16:00:00Z", "2026-11-29T16:30:01Z", False)  # Sunday 17:30
    days.look("2026-11-30T06:00:00Z", "2026-11-30T07:00:01Z", True)  # Monday
    assert_nothing_lost(site)


def test_spring_gap(site):
    """02:30 does not exist on 28 March 2027 in Amsterdam: the slot comes when the gap ends, once."""
    days = Days(site, "02:15 02:30", "Europe/Amsterdam")
    days.look("2027-03-27T01:10:00Z", "2027-03-27T01:30:01Z", True)
    days.look("2027-03-28T00:30:00Z", "2027-03-28T00:59:01Z", False)
    days.look("2027-03-28T00:59:10Z", "2027-03-28T01:00:01Z", True)  # 03:00 summer time
    days.look("2027-03-28T01:10:00Z", "2027-03-28T01:30:01Z", False)
    days.look("2027-03-28T23:50:00Z", "2027-03-29T00:30:01Z", True)  # the next day's 02:30
    assert_nothing_lost(site)


def test_autumn_overlap(site):
    """02:30 comes twice on 25 October 2026 in Amsterdam: the digest comes at the first."""
    days = Days(site, "02:30", "Europe/Amsterdam")
    days.look("2026-10-25T00:00:00Z", "2026-10-25T00:30:01Z", True)
    days.look("2026-10-25T01:00:00Z", "2026-10-25T01:30:01Z", False)
    days.look("2026-10-26T01:00:00Z", "2026-10-26T01:30:01Z", True)
    assert_nothing_lost(site)


def test_a_zone_with_half_an_hour(site):
    days = Days(site, "08:00", "Asia/Kolkata")
    days.look("2026-11-23T02:00:00Z", "2026-11-23T02:29:01Z", False)
    days.look("2026-11-23T02:29:10Z", "2026-11-23T02:30:01Z", True)


def test_new_times_count_without_a_restart(site):
    site.clock_to("2026-11-23T07:00:00Z")
    site.settings(ANN, times="20:00")
    hold(site, ANN)
    assert site.pullyu.status(ANN)["next"] == "2026-11-23T20:00:00Z"
    site.settings(ANN, times="09:15")
    wait_for(lambda: site.pullyu.status(ANN)["next"] == "2026-11-23T09:15:00Z", "the new time",
             detail=site.logs)
    site.clock_to("2026-11-23T09:15:01Z")
    site.wait_digests(ANN, 1)
    assert_nothing_lost(site)


def test_a_clock_that_goes_backwards(site):
    """A clock that is set back repeats no digest and holds nothing back."""
    site.clock_to("2026-11-23T07:00:00Z")
    hold(site, ANN)
    site.clock_to("2026-11-23T08:00:01Z")
    site.wait_digests(ANN, 1)
    site.clock_to("2026-11-22T07:00:00Z")
    hold(site, ANN)
    site.clock_to("2026-11-24T08:00:01Z")
    site.wait_digests(ANN, 2)
    site.wait_held(ANN, 0)
    found = assert_nothing_lost(site)
    assert {f.digests for f in found.values()} == {1}


@pytest.mark.parametrize("user", [ANN])
def test_next_agrees_with_the_daemon(site, user):
    site.clock_to("2026-11-27T16:00:00Z")
    site.settings(user, times="Mon-Fri 08:00 17:30, Sat Sun 10:00", timezone="Europe/Amsterdam")
    hold(site, user)
    slots = site.pullyu.json("next", user, "--from", "2026-11-27T16:00:00Z", "-n", "3")
    assert [s["local"] for s in slots] == [
        "2026-11-27T17:30:00+01:00", "2026-11-28T10:00:00+01:00", "2026-11-29T10:00:00+01:00"]
    assert site.pullyu.status(user)["next"] == slots[0]["utc"]
