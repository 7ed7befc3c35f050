"""Nothing is lost: pullyud killed at each step of taking in and of releasing, the milter killed at
each step of holding, steps that fail, an MTA that is down, a daemon that is down. What comes twice
comes with the same Message-ID."""

import pytest

import messages
import smtpclient
from harness import ANN, BOB, CAROL, assert_nothing_lost
from waiting import wait_for

NEWS = "letter@news.example"
MORNING, SLOT = "2026-11-23T07:00:00Z", "2026-11-23T08:00:01Z"
NEXT_MORNING, NEXT_SLOT = "2026-11-24T07:00:00Z", "2026-11-24T08:00:01Z"


def hold(site, count, user=ANN):
    before = len(site.pullyu.held(user))
    for i in range(count):
        site.send(messages.newsletter(subject=f"letter {before + i}", to=user), NEWS, [user])
    site.wait_held(user, before + count)
    # In the index, too: what a test arms after this is not met by these messages.
    wait_for(lambda: len(site.pullyu.json("list", user)) == before + count, "the index",
             detail=site.logs)


def next_day_is_quiet(site):
    """After all that, the next slot of somebody else comes, and nothing more comes for Ann."""
    before = len(site.inbox(ANN))
    site.clock_to(NEXT_MORNING)
    hold(site, 1, BOB)
    site.clock_to(NEXT_SLOT)
    site.wait_digests(BOB, 1)
    site.wait_settled()
    assert len(site.inbox(ANN)) == before


def check_released(site, digests_at_most):
    site.wait_held(ANN, 0)
    found = assert_nothing_lost(site)
    digests = site.digests(ANN)
    assert 1 <= len(digests) <= digests_at_most
    assert len({messages.message_id_of(d) for d in digests}) == 1, "a repeat has the same Message-ID"
    for (index, rcpt), f in found.items():
        assert f.inbox + len(f.folders) <= 2, f"message {index} to {rcpt}: {f}"
    return found


# Points at which the digest has not been sent yet, and those at which it has: at one point alone,
# between the MTA's 250 and its note in the ledger, is the digest sent again.
RELEASE_POINTS = {
    "release.before_record": 1,
    "release.after_record": 1,
    "release.before_submit": 1,
    "release.after_250": 2,
    "release.after_mark": 1,
    "release.after_remove": 1,
    "release.mid_retire": 1,
    "release.before_done": 1,
    "release.after_done": 1,
    "store.remove.before_unlink": 1,
    "store.remove.after_unlink": 1,
    "store.remove.after_sync": 1,
    "store.db.put": 1,
    "store.db.del": 1,
}


@pytest.mark.parametrize("point", RELEASE_POINTS)
def test_daemon_killed_while_releasing(site, point):
    site.clock_to(MORNING)
    hold(site, 3)
    site.pullyu.arm(f"{point} kill")
    site.clock_to(SLOT)
    site.pullyu.daemon.wait_killed()
    site.pullyu.arm()
    site.pullyu.start_daemon()
    found = check_released(site, digests_at_most=RELEASE_POINTS[point])
    assert all(f.digests >= 1 for f in found.values())
    next_day_is_quiet(site)


@pytest.mark.parametrize("mode", ["folder", "inbox"])
@pytest.mark.parametrize(
    "point", ["release.after_250", "release.after_mark", "release.after_original",
              "release.after_remove", "release.before_done"]
)
def test_daemon_killed_while_resending(site, mode, point):
    site.clock_to(MORNING)
    site.settings(ANN, originals=mode)
    hold(site, 3)
    site.pullyu.arm(f"{point} kill")
    site.clock_to(SLOT)
    site.pullyu.daemon.wait_killed()
    site.pullyu.arm()
    site.pullyu.start_daemon()
    found = check_released(site, digests_at_most=2 if point == "release.after_250" else 1)
    copies = [f.inbox + len(f.folders) for f in found.values()]
    # At most the one original that was under way is sent again.
    assert min(copies) == 1 and sum(copies) <= 4, copies
    next_day_is_quiet(site)


def test_daemon_killed_again_and_again_in_one_release(site):
    """One release that dies at its first step, is resumed, dies at the next, and so on."""
    site.clock_to(MORNING)
    hold(site, 4)
    for point in ("release.before_record", "release.after_record", "release.before_submit",
                  "release.after_250", "release.after_mark", "release.after_remove",
                  "release.mid_retire", "store.remove.after_sync", "release.before_done"):
        site.pullyu.arm(f"{point} kill")
        if not site.pullyu.daemon.running():
            site.pullyu.daemon.start()
        site.clock_to(SLOT)
        site.pullyu.daemon.wait_killed()
    site.pullyu.arm()
    site.pullyu.start_daemon()
    check_released(site, digests_at_most=3)
    next_day_is_quiet(site)


INCOMING_POINTS = [
    "incoming.before_commit",
    "incoming.after_commit",
    "store.commit.before_rename",
    "store.commit.after_rename",
    "store.commit.after_sync_new",
    "store.commit.after_sync_incoming",
    "store.db.put",
    "store.db.before_commit",
    "store.db.after_commit",
]


@pytest.mark.parametrize("point", INCOMING_POINTS)
def test_daemon_killed_while_taking_in(site, point):
    site.clock_to(MORNING)
    hold(site, 1)
    site.pullyu.arm(f"{point} kill")
    for i in range(3):
        site.send(messages.newsletter(subject=f"more {i}"), NEWS, [ANN])
        if i == 0:
            site.pullyu.daemon.wait_killed()
            site.write_user(ANN, "hold", NEWS + "\n")  # without a daemon to ask, this holds
    site.pullyu.arm()
    site.pullyu.start_daemon()
    site.wait_held(ANN, 4)
    assert len(site.pullyu.json("list", ANN)) == 4
    assert "the index was right" in site.pullyu.call("rebuild")
    site.clock_to(SLOT)
    check_released(site, digests_at_most=1)


@pytest.mark.parametrize(
    "point", ["store.commit.before_rename", "store.commit.after_rename", "store.db.put",
              "store.db.before_commit"]
)
def test_taking_in_fails_for_a_while(site, point):
    site.clock_to(MORNING)
    site.pullyu.arm(f"{point} fail")
    site.send(messages.newsletter(), NEWS, [ANN])
    wait_for(lambda: "warning" in site.pullyu.daemon.text(), "pullyud to complain",
             detail=site.logs)
    assert_nothing_lost(site, complete=False)
    site.pullyu.arm()
    site.wait_held(ANN, 1)
    site.clock_to(SLOT)
    check_released(site, digests_at_most=1)


MILTER_POINTS = [
    "milter.hold.open",
    "milter.hold.after_open",
    "milter.hold.write",
    "milter.hold.after_write",
    "milter.hold.copy",
    "milter.hold.fsync",
    "milter.hold.after_fsync",
    "milter.hold.rename",
    "milter.hold.after_rename",
    "milter.hold.dirsync",
    "milter.hold.after_dirsync",
    "milter.hold.delrcpt",
    "milter.hold.after_delrcpt",
]


@pytest.mark.parametrize("point", MILTER_POINTS)
def test_milter_killed_while_holding(site, point):
    """The MTA answers 4xx, the sender tries again: everybody has it once, or twice with the same
    Message-ID."""
    site.clock_to(MORNING)
    site.set_participants(ANN, BOB)
    raw = messages.newsletter()
    site.pullyu.arm(f"{point} kill")
    with pytest.raises(smtpclient.Refused) as refused:
        site.send(raw, NEWS, [ANN, CAROL, BOB])
    assert 400 <= refused.value.code < 500
    site.pullyu.milter.wait_killed()
    site.pullyu.arm()
    site.pullyu.start_milter()
    site.send(raw, NEWS, [ANN, CAROL, BOB])
    site.wait_inbox(CAROL, raw)
    site.wait_settled()
    site.clock_to(SLOT)
    site.wait_digests(ANN, 1)
    site.wait_digests(BOB, 1)
    site.wait_held(ANN, 0)
    found = assert_nothing_lost(site)
    assert {f.inbox for (_, rcpt), f in found.items() if rcpt == CAROL} == {1}
    for user in (ANN, BOB):
        assert site.digests(user)[0].count(messages.message_id_of(raw).encode()) <= 2


@pytest.mark.parametrize("point", [p for p in MILTER_POINTS if "delrcpt" not in p])
def test_holding_fails_and_the_message_passes(site, point):
    """In doubt, deliver: a step that fails (a full disk) lets the message through, to all."""
    site.clock_to(MORNING)
    site.pullyu.arm(f"{point} fail")
    sent = site.send(messages.newsletter(), NEWS, [ANN, BOB])
    site.wait_inbox(ANN, sent.raw)
    site.wait_inbox(BOB, sent.raw)
    site.pullyu.arm()
    site.send(messages.newsletter(), NEWS, [ANN])
    site.clock_to(SLOT)
    site.wait_digests(ANN, 1)
    assert_nothing_lost(site)


def test_taking_off_fails_and_the_message_comes_twice(site):
    site.clock_to(MORNING)
    site.pullyu.arm("milter.hold.delrcpt fail")
    sent = site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_inbox(ANN, sent.raw)
    site.wait_held(ANN, 1)


# Things that are down.


def test_mta_down_at_slot_time(site):
    site.clock_to(MORNING)
    hold(site, 2)
    site.mta.stop()
    site.clock_to(SLOT)
    wait_for(lambda: site.pullyu.status(ANN).get("failures", 0) >= 2, "two attempts",
             detail=site.logs)
    assert len(site.pullyu.held(ANN)) == 2
    site.mta.start()
    # The pause between attempts doubles; an hour later it is over.
    site.clock_to("2026-11-23T09:30:00Z")
    check_released(site, digests_at_most=1)
    next_day_is_quiet(site)


def test_mta_down_and_daemon_restarted(site):
    site.clock_to(MORNING)
    hold(site, 2)
    site.mta.stop()
    site.clock_to(SLOT)
    wait_for(lambda: site.pullyu.status(ANN).get("failures", 0) >= 1, "an attempt",
             detail=site.logs)
    site.pullyu.daemon.stop()
    site.mta.start()
    site.pullyu.start_daemon()
    check_released(site, digests_at_most=1)


def test_worker_dies_while_composing(site):
    """Then the digest comes in its plain form."""
    site.clock_to(MORNING)
    hold(site, 2)
    site.pullyu.arm("worker.compose kill")
    site.clock_to(SLOT)
    site.wait_digests(ANN, 1)
    found = check_released(site, digests_at_most=1)
    assert all(f.digests == 1 for f in found.values())
    assert site.pullyu.daemon.running()


def test_daemon_down_while_mail_arrives(site):
    site.clock_to(MORNING)
    site.write_user(ANN, "hold", NEWS + "\n")
    site.pullyu.daemon.stop()
    held = [site.send(messages.newsletter(subject=f"held {i}"), NEWS, [ANN]) for i in range(3)]
    # Whether Bob knows the sender cannot be asked: in doubt, deliver.
    passed = site.send(messages.newsletter(), NEWS, [BOB])
    personal = site.send(messages.personal(), "dora@friends.example", [ANN])
    site.wait_inbox(BOB, passed.raw)
    site.wait_inbox(ANN, personal.raw)
    assert len(site.pullyu.incoming()) == 3
    assert_nothing_lost(site, held, complete=False)
    site.pullyu.start_daemon()
    site.wait_held(ANN, 3)
    site.clock_to(SLOT)
    site.wait_digests(ANN, 1)
    assert_nothing_lost(site)


def test_milter_down_and_the_sender_waits(site):
    site.clock_to(MORNING)
    site.pullyu.milter.stop()
    with pytest.raises(smtpclient.Refused) as refused:
        site.send(messages.personal(), "dora@friends.example", [ANN])
    assert 400 <= refused.value.code < 500
    site.pullyu.start_milter()
    sent = site.send(messages.personal(), "dora@friends.example", [ANN])
    site.wait_inbox(ANN, sent.raw)


def test_everything_restarted_in_between(site):
    site.clock_to(MORNING)
    hold(site, 2)
    site.pullyu.milter.stop()
    site.pullyu.daemon.stop()
    site.mta.stop()
    site.mta.start()
    site.pullyu.start_daemon()
    site.pullyu.start_milter()
    hold(site, 1)
    site.pullyu.daemon.kill()
    site.pullyu.milter.kill()
    site.pullyu.start_milter()
    site.pullyu.start_daemon()
    assert len(site.pullyu.json("list", ANN)) == 3
    site.clock_to(SLOT)
    check_released(site, digests_at_most=1)


def test_slots_missed_for_two_days_merge(site):
    site.clock_to(MORNING)
    site.settings(ANN, times="08:00 12:00 17:30")
    hold(site, 2)
    site.pullyu.daemon.stop()
    site.write_user(ANN, "hold", NEWS + "\n")
    site.clock_to("2026-11-24T09:00:00Z")
    site.send(messages.newsletter(subject="while it was down"), NEWS, [ANN])
    site.clock_to("2026-11-25T18:00:00Z")
    site.pullyu.arm("daemon.started slow")  # the slot's timer is due before incoming/ was read
    site.pullyu.start_daemon()
    site.wait_digests(ANN, 1)
    found = check_released(site, digests_at_most=1)
    assert len(found) == 3 and all(f.digests == 1 for f in found.values())


def test_the_same_slot_is_not_served_twice(site):
    site.clock_to(MORNING)
    hold(site, 1)
    site.clock_to(SLOT)
    site.wait_digests(ANN, 1)
    site.wait_held(ANN, 0)
    hold(site, 1)  # too late for today
    site.pullyu.daemon.kill()
    site.pullyu.start_daemon()
    assert site.pullyu.status(ANN)["next"] == "2026-11-24T08:00:00Z"
    assert len(site.digests(ANN)) == 1 and len(site.pullyu.held(ANN)) == 1
    site.clock_to(NEXT_SLOT)
    site.wait_digests(ANN, 2)
    assert_nothing_lost(site)
