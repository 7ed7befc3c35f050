"""Commands by mail, as a reader uses them: a digest arrives over IMAP, its link's mail is sent after
logging in, and what it asked for happens; and as somebody abuses them."""

import fcntl
import os
import re
import signal
import time

import pytest

import commanding
import messages
import mta
from commanding import answers, by_words, links_of, reply, say, subject_of, text_of, wait_answers
from harness import ANN, BOB, assert_nothing_lost
from programs import replace
from waiting import wait_for

NEWS = "letter@news.example"
SHOP = "offers@shop.example"
COMMAND = "ann+pullyu@example.test"
MORNING, SLOT = "2026-11-23T07:00:00Z", "2026-11-23T08:00:01Z"


def digest_for(site, user=ANN, count=1, sender=NEWS):
    """A digest of that many newsletters, and the messages themselves."""
    site.clock_to(MORNING)
    site.wait_held(user, 0)
    sent = [
        site.send(
            messages.newsletter(to=user, subject=f"letter {i}", sender=f"Letter <{sender}>"),
            sender, [user])
        for i in range(count)
    ]
    site.wait_held(user, count)
    before = len(site.digests(user))
    site.clock_to(SLOT)
    digest = site.wait_digests(user, before + 1)[-1]
    site.wait_held(user, 0)
    site.wait_settled()
    return digest, sent


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(word) for word in f.read().split()]


def list_of(site, user, name):
    try:
        with open(os.path.join(site.user_dir(user), name), encoding="utf-8") as f:
            return f.read().split("\n")[:-1]
    except FileNotFoundError:
        return []


def test_a_digest_is_answered_by_its_links(site):
    """The way of the issue: the original arrives, the sender passes next time."""
    digest, [sent] = digest_for(site)
    [send] = by_words(digest, "send me")[:1]
    say(site, ANN, send)
    answer = wait_answers(site, ANN, 1)
    site.wait_inbox(ANN, sent.raw)  # byte for byte
    [allow] = by_words(digest, "through")
    say(site, ANN, allow)
    answer = wait_answers(site, ANN, 2)
    assert NEWS in text_of(answer)
    assert list_of(site, ANN, "allow") == [NEWS]
    again = site.send(messages.newsletter(subject="the next"), NEWS, [ANN])
    site.wait_inbox(ANN, again.raw)
    # And the road back: the answer's undo.
    [undo] = links_of(answer)[:1]
    say(site, ANN, undo)
    wait_answers(site, ANN, 3)
    assert list_of(site, ANN, "allow") == []
    site.send(messages.newsletter(subject="the one after"), NEWS, [ANN])
    site.wait_held(ANN, 1)
    assert not site.imap.fetch(ANN, "pullyu"), "a command is off the message stream"
    assert_nothing_lost(site, [sent, again])


def test_hold_everything_and_help(site):
    digest, _ = digest_for(site)
    [hold] = by_words(digest, "hold")[:1]
    say(site, ANN, hold)
    wait_answers(site, ANN, 1)
    assert list_of(site, ANN, "hold") == [NEWS]
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)
    [everything] = by_words(digest, "everything")
    before = len(site.digests(ANN))
    say(site, ANN, everything)
    wait_answers(site, ANN, 2)
    site.wait_digests(ANN, before + 1)
    site.wait_held(ANN, 0)
    [help_link] = by_words(digest, "help")
    say(site, ANN, help_link)
    text = text_of(wait_answers(site, ANN, 3))
    assert "release" in text and "pause until" in text
    say(site, ANN, help_link)  # may be asked for again
    wait_answers(site, ANN, 4)


def test_times_by_a_form(site):
    digest, _ = digest_for(site)
    site.settings(ANN, times="08:00", timezone="UTC")
    [times] = by_words(digest, "times")
    assert "times = 08:00" in times.body and "timezone = UTC" in times.body
    say(site, ANN, times, body=times.body.replace("times = 08:00", "times = Mon-Fri 09:15"))
    answer = wait_answers(site, ANN, 1)
    assert "09:15" in text_of(answer)
    assert site.pullyu.json("next", ANN, "-n", "1")[0]["local"].startswith("2026-11-23T09:15")
    with open(os.path.join(site.user_dir(ANN), "settings.ini"), encoding="utf-8") as f:
        assert f.read() == "[digest]\ntimes = Mon-Fri 09:15\ntimezone = UTC\noriginals = attach\n"
    [undo] = links_of(answer)[:1]
    say(site, ANN, undo)
    wait_answers(site, ANN, 2)
    assert site.pullyu.json("next", ANN, "-n", "1")[0]["local"].startswith("2026-11-24T08:00")


@pytest.mark.parametrize(
    "language, words",
    [
        ("en", ("release 1 2", "allow 1", "hold 1", "pause until 2026-12-24")),
        ("nl", ("vrijgeven 1 2", "doorlaten 1", "vasthouden 1", "pauze tot 2026-12-24")),
        ("de", ("freigeben 1 2", "durchlassen 1", "zurückhalten 1", "Pause bis 2026-12-24")),
        ("fr", ("libérer 1 2", "autoriser 1", "retenir 1", "pause jusqu'au 2026-12-24")),
    ],
)
def test_plain_words(site, language, words):
    """A reply to the digest, in each of its languages."""
    site.settings(ANN, language=language)
    site.clock_to(MORNING)
    first = site.send(messages.newsletter(subject="one"), NEWS, [ANN])
    second = site.send(messages.newsletter(subject="two", sender=f"Shop <{SHOP}>"), SHOP, [ANN])
    site.wait_held(ANN, 2)
    site.clock_to(SLOT)
    [digest] = site.wait_digests(ANN, 1)
    reply(site, ANN, digest, words[0])
    wait_answers(site, ANN, 1)
    site.wait_inbox(ANN, first.raw)
    site.wait_inbox(ANN, second.raw)
    reply(site, ANN, digest, words[1])
    wait_answers(site, ANN, 2)
    [allowed] = list_of(site, ANN, "allow")
    assert allowed in (NEWS, SHOP)
    reply(site, ANN, digest, words[2])
    wait_answers(site, ANN, 3)
    assert list_of(site, ANN, "hold") == [allowed] and list_of(site, ANN, "allow") == []
    reply(site, ANN, digest, words[3])
    wait_answers(site, ANN, 4)
    assert site.pullyu.json("next", ANN, "-n", "1")[0]["local"].startswith("2026-12-24")
    assert_nothing_lost(site, [first, second])


def test_pause_and_resume(site):
    digest, _ = digest_for(site)
    reply(site, ANN, digest, "pause until 2026-12-24")
    answer = wait_answers(site, ANN, 1)
    assert "waited for 7 days" in re.sub(r"\s+", " ", text_of(answer))
    undo = links_of(answer)[0]
    assert site.pullyu.json("next", ANN, "-n", "1")[0]["local"].startswith("2026-12-24")
    reply(site, ANN, digest, "resume")
    wait_answers(site, ANN, 2)
    assert site.pullyu.json("next", ANN, "-n", "1")[0]["local"].startswith("2026-11-24")
    # Changed since: what the undo would put back is no longer what is missing.
    say(site, ANN, undo)
    wait_answers(site, ANN, 3)
    assert site.pullyu.json("next", ANN, "-n", "1")[0]["local"].startswith("2026-11-24")


def test_release_of_what_is_still_held(site):
    """Number and link name a message wherever it is: inside a digest that came, or still held."""
    site.settings(ANN, originals="folder")
    digest, [sent] = digest_for(site)
    site.wait_inbox(ANN, sent.raw, folder="Digest")
    site.settings(ANN, originals="attach")
    digest, [sent] = digest_for(site)
    reply(site, ANN, digest, "release all")  # nothing is held
    wait_answers(site, ANN, 1)
    later = site.send(messages.newsletter(subject="later"), NEWS, [ANN])
    site.wait_held(ANN, 1)
    reply(site, ANN, digest, "release all")
    wait_answers(site, ANN, 2)
    site.wait_held(ANN, 0)
    assert_nothing_lost(site, [sent, later])


def test_authenticated_without_a_login(make_site):
    """From the user's own domain, which SPF vouches for: a reply works, forged mail does not."""
    site = make_site()
    path = os.path.join(site.root, "zone")
    replace(path, "example.test|TXT|v=spf1 ip4:192.0.2.0/24 -all\n")
    for program in (site.pullyu.daemon, site.pullyu.milter):
        program.environment["PULLYU_TEST_SPF_ZONE"] = path
    site.start()
    digest, _ = digest_for(site)
    [allow] = by_words(digest, "through")
    forged = allow.mail(ANN)
    site.send(forged, ANN, [COMMAND], client="198.51.100.9")
    reply(site, ANN, digest, "allow 1", auth=False, client="198.51.100.9")
    wait_for(lambda: len(site.imap.fetch(ANN, "pullyu")) == 2, "the forged mail", detail=site.logs)
    assert list_of(site, ANN, "allow") == [] and answers(site, ANN) == []
    reply(site, ANN, digest, "allow 1", auth=False, client="192.0.2.9")
    wait_answers(site, ANN, 1)
    assert list_of(site, ANN, "allow") == [NEWS]
    # Without a reply to a digest of ours, plain words are nothing.
    raw = messages.build(messages._common(ANN, COMMAND, "hello"), f"hold {NEWS}\n")
    site.send(raw, ANN, [COMMAND], client="192.0.2.9")
    wait_answers(site, ANN, 2)
    assert list_of(site, ANN, "allow") == [NEWS]


def test_plain_words_that_are_no_reply(site):
    """A newsletter's mailto link for unsubscribing can say them in Ann's name: they only ask."""
    for words in ("allow @evil.example", "hold boss@corp.example", "times none", "release all",
                  "pause until 2026-12-24"):
        raw = messages.build(messages._common(ANN, COMMAND, "unsubscribe"), words + "\n")
        site.send(raw, ANN, [COMMAND], auth=ANN)
    commanding.wait_quiet(site)
    assert list_of(site, ANN, "allow") == list_of(site, ANN, "hold") == []
    assert not os.path.exists(os.path.join(site.user_dir(ANN), "settings.ini"))
    assert len(answers(site, ANN)) == 3  # and says so, a few times an hour
    raw = messages.build(messages._common(ANN, COMMAND, "x"), "lists\n")
    site.send(raw, ANN, [COMMAND], auth=ANN)
    wait_answers(site, ANN, 4)


def test_undo_leaves_later_decisions_alone(site):
    digest, _ = digest_for(site)
    [allow] = by_words(digest, "through")
    [hold] = by_words(digest, "hold")[:1]
    say(site, ANN, allow)
    undo = links_of(wait_answers(site, ANN, 1))[0]
    say(site, ANN, hold)
    wait_answers(site, ANN, 2)
    say(site, ANN, undo)
    wait_answers(site, ANN, 3)
    assert list_of(site, ANN, "hold") == [NEWS] and list_of(site, ANN, "allow") == []


def test_what_was_not_done_can_be_tried_again(site):
    """A fault of ours, or a slip of the pen, does not use up the link."""
    digest, _ = digest_for(site)
    site.settings(ANN)
    [allow] = by_words(digest, "through")
    directory = os.open(site.user_dir(ANN), os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    say(site, ANN, allow)
    wait_answers(site, ANN, 1)
    os.close(directory)
    assert list_of(site, ANN, "allow") == []
    say(site, ANN, allow)
    wait_answers(site, ANN, 2)
    assert list_of(site, ANN, "allow") == [NEWS]
    [times] = by_words(digest, "times")
    say(site, ANN, times, body="times = 09:00\ntimezone = Europe/Amsterdamn\n")
    wait_answers(site, ANN, 3)
    say(site, ANN, times, body="times = 09:00\ntimezone = Europe/Amsterdam\n")
    wait_answers(site, ANN, 4)
    assert site.pullyu.json("next", ANN, "-n", "1")[0]["local"] == "2026-11-24T09:00:00+01:00"


def test_an_original_that_is_put_off(make_site, monkeypatch):
    """The MTA says 451 to one of two: the other comes once, and nobody else's command waits."""
    site = make_site()
    access = os.path.join(site.root, "access")
    monkeypatch.setattr(mta, "MASTER_CF", mta.MASTER_CF.replace(
        "    -o syslog_name=postfix/release\n",
        "    -o syslog_name=postfix/release\n"
        f"    -o {{{{ smtpd_sender_restrictions = check_sender_access texthash:{access} }}}}\n"))
    replace(access, f"{SHOP} 451 4.7.0 later\n")
    site.start()
    site.clock_to(MORNING)
    first = site.send(messages.newsletter(subject="one"), NEWS, [ANN])
    second = site.send(messages.newsletter(subject="two", sender=f"Shop <{SHOP}>"), SHOP, [ANN])
    site.wait_held(ANN, 2)
    site.clock_to(SLOT)
    digest = site.wait_digests(ANN, 1)[-1]
    site.wait_held(ANN, 0)
    reply(site, ANN, digest, "release 1 2")
    wait_for(lambda: site.pullyu.daemon.text().count("451 4.7.0") >= 3, "three attempts",
             detail=site.logs)
    raw = messages.build(messages._common(BOB, "bob+pullyu@example.test", "x"), "help\n")
    site.send(raw, BOB, ["bob+pullyu@example.test"], auth=BOB)
    wait_answers(site, BOB, 1)
    assert answers(site, ANN) == []
    replace(access, "nobody@nowhere.example OK\n")
    site.mta.reload()
    wait_answers(site, ANN, 1)
    site.wait_inbox(ANN, second.raw)
    site.wait_settled()
    assert sum(raw.endswith(first.raw) for raw in site.inbox(ANN)) == 1
    assert sum(raw.endswith(second.raw) for raw in site.inbox(ANN)) == 1


def test_workers_that_are_late(site):
    """The process that makes workers is stopped for longer than a command's text may take to read:
    the command is read later, not misread."""
    digest, _ = digest_for(site)
    [forker] = children_of(site.pullyu.daemon.pid)
    os.kill(forker, signal.SIGSTOP)
    try:
        reply(site, ANN, digest, "allow 1")
        wait_for(lambda: "the worker died" in site.pullyu.daemon.text(), "a worker given up",
                 detail=site.logs)
    finally:
        os.kill(forker, signal.SIGCONT)
    wait_for(lambda: list_of(site, ANN, "allow") == [NEWS], "the command", detail=site.logs)
    wait_answers(site, ANN, 1)


def test_without_keys_links_wait(site):
    digest, _ = digest_for(site)
    [allow] = by_words(digest, "through")
    keys = site.pullyu.options["command"]["keys"]
    site.pullyu.daemon.stop()
    os.chmod(keys, 0o666)
    site.pullyu.start_daemon()
    say(site, ANN, allow)
    wait_for(lambda: "no keys" in site.pullyu.daemon.text(), "the wait", detail=site.logs)
    assert answers(site, ANN) == [] and site.pullyu.commands()
    os.chmod(keys, 0o640)
    site.pullyu.daemon.signal(signal.SIGHUP)
    wait_answers(site, ANN, 1)
    assert list_of(site, ANN, "allow") == [NEWS]


def test_killed_while_sending(site):
    """What was sent before is not sent again."""
    digest, sent = digest_for(site, count=3)
    site.pullyu.arm("command.sent kill")
    reply(site, ANN, digest, "release 1")
    site.pullyu.daemon.wait_killed()
    site.pullyu.arm()
    site.pullyu.start_daemon()
    wait_answers(site, ANN, 1)
    for message in sent:
        site.wait_inbox(ANN, message.raw)
    site.wait_settled()
    copies = [sum(raw.endswith(m.raw) for raw in site.inbox(ANN)) for m in sent]
    assert sum(copies) <= 4, f"killed behind the first of them: one may come twice: {copies}"

# ---- abuse ----


def test_a_token_works_once_and_for_one(site):
    digest, _ = digest_for(site)
    [allow] = by_words(digest, "through")
    [hold] = by_words(digest, "hold")[:1]
    # Bob, to whom Ann forwarded her digest: he writes to Ann's address and to his own.
    site.send(allow.mail(BOB), BOB, [COMMAND], auth=BOB)
    wait_for(lambda: site.imap.fetch(ANN, "pullyu"), "Bob's mail, as any mail", detail=site.logs)
    site.send(allow.mail(BOB), BOB, ["bob+pullyu@example.test"], auth=BOB)
    wait_answers(site, BOB, 1)
    # Bob as Ann: his login is not hers.
    site.send(allow.mail(ANN), ANN, [COMMAND], auth=BOB)
    wait_for(lambda: len(site.imap.fetch(ANN, "pullyu")) == 2, "Bob as Ann", detail=site.logs)
    # From the world, as Ann.
    site.send(allow.mail(ANN), ANN, [COMMAND], client="198.51.100.9")
    wait_for(lambda: len(site.imap.fetch(ANN, "pullyu")) == 3, "forged", detail=site.logs)
    assert list_of(site, ANN, "allow") == list_of(site, BOB, "allow") == []
    assert answers(site, ANN) == []
    # Ann herself, and then again.
    say(site, ANN, allow)
    wait_answers(site, ANN, 1)
    assert list_of(site, ANN, "allow") == [NEWS]
    site.pullyu.call("forget", ANN, NEWS)
    say(site, ANN, allow)
    wait_answers(site, ANN, 2)
    assert list_of(site, ANN, "allow") == []
    # One letter of it altered.
    token = hold.token
    flipped = ("B" if token[40] != "B" else "C").join((token[:40], token[41:]))
    say(site, ANN, hold, subject=hold.subject.replace(token, flipped))
    wait_answers(site, ANN, 3)
    assert list_of(site, ANN, "hold") == []
    # Too late.
    site.clock_to("2026-12-25T12:00:00Z")
    say(site, ANN, hold)
    commanding.wait_quiet(site)
    assert list_of(site, ANN, "hold") == []


@pytest.mark.parametrize(
    "field, value",
    [
        ("List-Id", "<friends.lists.example>"),
        ("Precedence", "list"),
        ("Auto-Submitted", "auto-replied"),
    ],
)
def test_not_from_a_list_or_a_machine(site, field, value):
    digest, _ = digest_for(site)
    [allow] = by_words(digest, "through")
    say(site, ANN, allow, extra=[(field, value)])
    site.wait_settled()
    commanding.wait_quiet(site)
    assert list_of(site, ANN, "allow") == [] and answers(site, ANN) == []


def test_the_null_sender(site):
    digest, _ = digest_for(site)
    [allow] = by_words(digest, "through")
    site.send(allow.mail(ANN), "", [COMMAND], auth=ANN)
    site.wait_settled()
    assert list_of(site, ANN, "allow") == [] and answers(site, ANN) == []


def test_two_programs_that_answer_each_other(site):
    """A vacation responder that knows no rules: it answers each answer, with the answer's text below."""
    digest, _ = digest_for(site)
    reply(site, ANN, digest, "I am on holiday until Monday.")
    for _ in range(8):
        commanding.wait_quiet(site)
        newest = answers(site, ANN)[-1]
        assert b"\nauto-submitted: auto-replied" in newest.lower()
        assert re.search(rb"(?im)^return-path: <>", newest)
        reply(site, ANN, newest, "I am on holiday until Monday.")
    commanding.wait_quiet(site)
    assert len(answers(site, ANN)) <= 3


def test_a_thousand_commands(site):
    """Of one user, in a minute: bounded work, one answer to what is too much, mail flows on."""
    digest, _ = digest_for(site)
    start = time.monotonic()
    reference = [("In-Reply-To", messages.message_id_of(digest))]
    for i in range(1000):
        raw = messages.build(
            messages._common(ANN, COMMAND, "x") + reference, f"allow a{i}@shop.example\n")
        site.send(raw, ANN, [COMMAND], auth=ANN)
        if time.monotonic() - start > 240:
            break  # a slow machine: what was sent is enough
    sent = site.send(messages.personal(), "dora@friends.example", [ANN])
    site.wait_inbox(ANN, sent.raw)
    wait_for(lambda: not site.pullyu.commands() and not site.pullyu.incoming(), "all of them",
             deadline=300, detail=site.logs)
    assert len(list_of(site, ANN, "allow")) == 120
    site.wait_settled()
    assert len(answers(site, ANN)) == 121


def test_entries_and_settings_that_are_wrong(site):
    digest, _ = digest_for(site)
    site.settings(ANN)
    with open(os.path.join(site.user_dir(ANN), "settings.ini"), "rb") as f:
        before = f.read()
    wrong = [
        "allow a\x01b@shop.example",
        "allow a\u202eb@@shop.example",
        "allow @",
        "hold 99",
        "pause until yesterday 7",
        "times 8 o'clock 99",
    ]
    for words in wrong:
        reply(site, ANN, digest, words)
    [times] = by_words(digest, "times")
    form = (
        "times = 25:00\ntimezone = Mars/Olympus\nexceptions = tomorrow\ntimezone_until = x\n"
        "pause_until = 2026-02-31\npause = maybe\noriginals = nowhere\nlanguage = 1234567890\n"
        "classes = personal, security\n"
    )
    say(site, ANN, times, body=form)
    for line in form.splitlines():
        # Each alone, by a link of a digest of its own: a token works once.
        reply(site, ANN, digest, f"times\n{line}")
    commanding.wait_quiet(site)
    with open(os.path.join(site.user_dir(ANN), "settings.ini"), "rb") as f:
        assert f.read() == before
    assert list_of(site, ANN, "allow") == list_of(site, ANN, "hold") == []
    assert 1 <= len(answers(site, ANN)) <= 3, "help, a few times an hour"
    assert "08:00" in site.pullyu.json("next", ANN, "-n", "1")[0]["local"]


# ---- crashes ----


@pytest.mark.parametrize(
    "point", ["command.taken", "command.carried_out", "command.noted", "command.answered"]
)
def test_killed(site, point):
    """At each step: the command is carried out, and answered at least once, with one Message-ID."""
    digest, [sent] = digest_for(site)
    [allow] = by_words(digest, "through")
    site.pullyu.arm(f"{point} kill")
    say(site, ANN, allow)
    site.pullyu.daemon.wait_killed()
    site.pullyu.arm()
    site.pullyu.start_daemon()
    wait_answers(site, ANN, 1)
    commanding.wait_quiet(site)
    assert list_of(site, ANN, "allow") == [NEWS]
    found = answers(site, ANN)
    assert all(links_of(answer) for answer in found), "the way back is there"
    assert len({messages.message_id_of(a) for a in found}) == 1
    # The token is used, crash or not.
    site.pullyu.call("forget", ANN, NEWS)
    say(site, ANN, allow)
    commanding.wait_quiet(site)
    assert list_of(site, ANN, "allow") == []
    assert_nothing_lost(site, [sent])


def test_pullyud_away(site):
    """The milter takes the command; it is carried out when pullyud is back."""
    digest, _ = digest_for(site)
    [allow] = by_words(digest, "through")
    site.pullyu.daemon.stop()
    say(site, ANN, allow)
    assert list_of(site, ANN, "allow") == []
    site.pullyu.start_daemon()
    wait_answers(site, ANN, 1)
    assert list_of(site, ANN, "allow") == [NEWS]


def slot_of_day(site, day, count, sender=NEWS):
    """The digest of a day of December 2026 or later, as 2026-12-01, with that many newsletters."""
    site.clock_to(f"{day}T07:00:00Z")
    for i in range(count):
        site.send(messages.newsletter(subject=f"{day} {i}", sender=f"Letter <{sender}>"), sender, [ANN])
    site.wait_held(ANN, count)
    before = len(site.digests(ANN))
    site.clock_to(f"{day}T08:00:01Z")
    return site.wait_digests(ANN, before + 1)[-1]


def test_what_is_never_released_is_asked_about_once_a_quarter(site):
    def asks(raw):
        return "8 weeks" in text_of(raw)

    assert not asks(slot_of_day(site, "2026-12-01", 4))
    assert not asks(slot_of_day(site, "2027-01-20", 1))
    assert asks(slot_of_day(site, "2027-01-27", 1))
    assert not asks(slot_of_day(site, "2027-01-28", 1))
    digest = slot_of_day(site, "2027-04-25", 1)
    assert not asks(digest)
    reply(site, ANN, digest, "release 1")
    wait_answers(site, ANN, 1)
    assert not asks(slot_of_day(site, "2027-05-01", 1)), "one was released six days ago"
    assert asks(slot_of_day(site, "2027-06-25", 1))


def test_no_originals_are_kept_for_ever(site):
    digest, [sent] = digest_for(site)
    [send] = by_words(digest, "send me")[:1]
    kept = os.path.join(site.pullyu.spool, "kept")
    assert sum(len(files) for _, _, files in os.walk(kept)) == 1
    site.clock_to("2026-12-15T12:00:00Z")
    wait_for(lambda: sum(len(files) for _, _, files in os.walk(kept)) == 0, "the end of a kept original",
             deadline=150, detail=site.logs)
    say(site, ANN, send)
    wait_answers(site, ANN, 1)
    site.wait_settled()
    assert sum(sent.raw.endswith(m) for m in site.inbox(ANN)) == 0
