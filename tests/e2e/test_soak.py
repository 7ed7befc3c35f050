"""A long day at random: mail of every kind, slots, crashes at fault points, restarts, an MTA that
comes and goes, readers who change their minds. At the end everything is drained, and every message
that the MTA took must be with its reader. PULLYU_TEST_SEED repeats a run, PULLYU_TEST_STEPS makes it
longer."""

import os
import random
import time

import pytest

import messages
import smtpclient
from harness import ANN, BOB, CAROL, assert_nothing_lost
from waiting import wait_for

STEPS = int(os.environ.get("PULLYU_TEST_STEPS", "60"))
SEEDS = [int(s) for s in os.environ.get("PULLYU_TEST_SEED", "1 2 3").split()]
USERS = [ANN, BOB, CAROL]
START = 1795417200  # 2026-11-23T07:00:00Z

DAEMON_FAULTS = [
    "release.before_record", "release.after_record", "release.before_submit", "release.after_250",
    "release.after_mark", "release.after_remove", "release.after_original", "release.mid_retire",
    "release.before_done", "incoming.before_commit", "incoming.after_commit",
    "store.commit.after_rename", "store.db.put", "store.db.del", "store.remove.after_unlink",
]
MILTER_FAULTS = [
    "milter.hold.write", "milter.hold.fsync", "milter.hold.after_rename", "milter.hold.dirsync",
    "milter.hold.delrcpt", "milter.hold.after_delrcpt",
]


class Day:
    def __init__(self, site, seed):
        self.site = site
        self.random = random.Random(seed)
        self.now = START
        self.story = []
        self.site.pullyu.set_clock(self.now - time.time())

    def step(self):
        actions = [
            (self.send, 10), (self.send_refused_or_not, 2), (self.later, 5), (self.settings, 2),
            (self.kill_daemon, 1), (self.kill_milter, 1), (self.fault_in_daemon, 3),
            (self.fault_in_milter, 2), (self.restart_mta, 1), (self.release, 1), (self.lists, 1),
        ]
        action = self.random.choices([a for a, _ in actions], [w for _, w in actions])[0]
        self.story.append(action.__name__)
        action()
        self.mend()

    def mend(self):
        """What died is started again, as a service manager would."""
        pullyu = self.site.pullyu
        if not pullyu.milter.running():
            pullyu.arm()
            pullyu.start_milter()
        if not pullyu.daemon.running():
            pullyu.arm()
            pullyu.start_daemon()

    def deliver(self):
        make = self.random.choice([messages.newsletter, messages.newsletter, messages.personal])
        rcpts = self.random.sample(USERS, self.random.randint(1, 3))
        rcpts = [r.replace("@", "+x@") if self.random.random() < 0.2 else r for r in rcpts]
        raw = make(subject=f"message {len(self.site.sent)}", to=rcpts[0])
        self.site.send(raw, self.random.choice(["letter@news.example", "a@b.example"]), rcpts)

    def send(self):
        for _ in range(self.random.randint(1, 4)):
            try:
                self.deliver()
            except smtpclient.Refused as e:
                assert 400 <= e.code < 500, e
                self.mend()

    def send_refused_or_not(self):
        self.site.pullyu.milter.kill()
        self.send()

    def later(self):
        self.now += self.random.choice([60, 3600, 6 * 3600, 26 * 3600])
        self.site.pullyu.set_clock(self.now - time.time())

    def settings(self):
        times = self.random.choice(["08:00", "07:30 12:00 18:00", "Mon-Fri 09:00, Sat Sun 11:00"])
        self.site.settings(self.random.choice(USERS), times=times,
                           timezone=self.random.choice(["UTC", "Asia/Tokyo", "America/New_York"]),
                           originals=self.random.choice(["attach", "folder", "inbox"]))

    def lists(self):
        self.site.write_user(self.random.choice(USERS), self.random.choice(["allow", "hold"]),
                             self.random.choice(["@news.example\n", "", "a@b.example\n"]))

    def kill_daemon(self):
        self.site.pullyu.daemon.kill()
        self.send()

    def kill_milter(self):
        self.site.pullyu.milter.kill()

    def fault_in_daemon(self):
        action = self.random.choice(["kill", "kill", "fail"])
        self.site.pullyu.arm(f"{self.random.choice(DAEMON_FAULTS)} {action}")
        self.send()
        self.now += 24 * 3600
        self.site.pullyu.set_clock(self.now - time.time())
        self.send()
        self.site.pullyu.arm()

    def fault_in_milter(self):
        action = self.random.choice(["kill", "fail"])
        self.site.pullyu.arm(f"{self.random.choice(MILTER_FAULTS)} {action}")
        self.send()
        self.site.pullyu.arm()

    def restart_mta(self):
        self.site.mta.stop()
        self.later()
        self.site.mta.start()

    def release(self):
        self.site.pullyu.run("release", self.random.choice(USERS))

    def check_repeats(self):
        """A message is in digests of one Message-ID only, however often that was sent."""
        for user in USERS:
            digests = self.site.digests(user)
            for index, sent in enumerate(self.site.sent):
                ids = {messages.message_id_of(d) for d in digests
                       if sent.raw.rstrip(b"\r\n") in d}
                assert len(ids) <= 1, f"message {index} came to {user} in {ids}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_long_day(site, seed):
    day = Day(site, seed)
    try:
        for _ in range(STEPS):
            day.step()
        site.pullyu.arm()
        wait_for(lambda: not site.pullyu.incoming(), "incoming/ to be empty", detail=site.logs)
        assert_nothing_lost(site)
        # A release that was put off may be under way; then drain says so.
        wait_for(lambda: site.pullyu.run("drain").returncode == 0 and not site.pullyu.held(),
                 "everything to be drained", pause=1, detail=site.logs)
        found = assert_nothing_lost(site)
        assert all(f.delivered() >= 1 for f in found.values())
        day.check_repeats()
    except BaseException:
        print(f"seed {seed}:", " ".join(day.story))
        raise
