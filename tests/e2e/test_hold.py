"""What passes at once, what waits, and that what waits comes in a digest at its time."""

import email
import email.policy
import os
import re

import pytest

import messages
from harness import ANN, BOB, CAROL, JOERG, QUOTED, as_delivered, assert_nothing_lost
from waiting import wait_for

NEWS = "letter@news.example"
DORA = "dora@friends.example"


@pytest.fixture
def morning(site):
    """A site at seven o'clock; everybody's slot is at eight, UTC."""
    site.clock_to("2026-11-23T07:00:00Z")
    return site


def slot(site):
    site.clock_to("2026-11-23T08:00:01Z")


def decisions(site, user):
    """What the milter logged for a user: [{field: value}]."""
    found = []
    for line in site.pullyu.milter.text().splitlines():
        if f": user={user} " in line:
            found.append(dict(re.findall(r"(\w+)=(\S+)", line)))
    return found


def test_personal_passes_at_once(morning):
    sent = morning.send(messages.personal(), DORA, [ANN])
    morning.wait_inbox(ANN, sent.raw)
    assert morning.pullyu.held() == []
    (decision,) = decisions(morning, ANN)
    assert decision["action"] == "pass" and decision["class"] == "personal"


def test_confirmations_pass_once(morning):
    """A subscription bomb: of one site one request to confirm passes at once, the others wait."""
    sent = [morning.send(messages.personal(
        subject="Please confirm your subscription", sender="Club <confirm@club.example>"), NEWS,
        [ANN]) for _ in range(3)]
    morning.wait_inbox(ANN, sent[0].raw)
    morning.wait_held(ANN, 2)
    assert [(d["class"], d["action"]) for d in decisions(morning, ANN)] == [
        ("security", "pass"), ("newsletter", "hold"), ("newsletter", "hold")]
    for raw in morning.pullyu.held(ANN):
        assert b"X-Pullyu-Verdict: newsletter; score=" in raw
    # Another user, and another site, have their own.
    sent = morning.send(messages.personal(
        BOB, "Please confirm your subscription", "Club <confirm@club.example>"), NEWS, [BOB])
    morning.wait_inbox(BOB, sent.raw)
    sent = morning.send(messages.personal(
        subject="Please confirm your subscription", sender="Fleet <confirm@fleet.example>"), NEWS,
        [ANN])
    morning.wait_inbox(ANN, sent.raw)


@pytest.mark.parametrize("make", [messages.security, messages.bounce, messages.personal])
def test_never_held(morning, make):
    sent = morning.send(make(), "" if make is messages.bounce else DORA, [ANN])
    morning.wait_inbox(ANN, sent.raw)


def test_newsletter_waits_for_the_digest(morning):
    sent = morning.send(messages.newsletter(), NEWS, [ANN])
    morning.wait_held(ANN, 1)
    morning.wait_settled()
    assert morning.inbox(ANN) == []
    # What is held is the message byte for byte, behind our trace fields.
    (held,) = morning.pullyu.held(ANN)
    assert held.endswith(sent.raw)
    lead = held[: -len(sent.raw)].decode()
    assert lead.startswith(f"Return-Path: <{NEWS}>\r\nDelivered-To: {ANN}\r\nReceived: ")
    assert "X-Pullyu-Verdict: newsletter; score=" in lead

    morning.clock_to("2026-11-23T07:59:50Z")
    assert morning.digests(ANN) == []
    slot(morning)
    (digest,) = morning.wait_digests(ANN, 1)
    morning.wait_held(ANN, 0)
    assert_nothing_lost(morning)
    parsed = email.message_from_bytes(digest, policy=email.policy.default)
    assert not parsed.defects
    assert parsed["To"] == ANN
    text = parsed.get_body(("plain",)).get_content()
    for wanted in ("Harbour Letter", "letter@news.example", "The harbour letter, spring issue",
                   "Held because "):
        assert wanted in text
    originals = [p for p in parsed.walk() if p.get_content_type() == "message/rfc822"]
    assert len(originals) == 1
    assert sent.raw.rstrip(b"\r\n") in digest


def test_every_decision_is_logged_with_its_reasons(morning):
    morning.send(messages.newsletter(), NEWS, [ANN, BOB])
    morning.wait_held(BOB, 1)
    for user in (ANN, BOB):
        (decision,) = decisions(morning, user)
        assert decision["class"] == "newsletter" and decision["action"] == "hold"
        assert float(decision["score"]) > 0
        assert decision["reasons"] not in ("", "-")
    queue_id = morning.sent[0].answer.split()[-1]
    assert f": {queue_id}: user={ANN} " in morning.pullyu.milter.text()


def test_mixed_recipients(make_site):
    """One message, three recipients: Ann waits, Bob does not take part, Carol holds no
    newsletters."""
    site = make_site()
    site.prepare()
    site.set_participants(ANN, CAROL)
    site.write_user(CAROL, "settings.ini", "[hold]\nclasses = notification\n")
    site.start()
    sent = site.send(messages.newsletter(), NEWS, [ANN, BOB, CAROL, "stranger@elsewhere.example"][:3])
    site.wait_inbox(BOB, sent.raw)
    site.wait_inbox(CAROL, sent.raw)
    site.wait_held(ANN, 1)
    assert site.inbox(ANN) == [] and len(site.pullyu.held()) == 1
    # Nobody learns of another: Ann's copy names none of the others.
    (held,) = site.pullyu.held(ANN)
    assert b"bob@" not in held[: -len(sent.raw)] and b"carol@" not in held[: -len(sent.raw)]
    assert_nothing_lost(site)


def test_nobody_takes_part(make_site):
    site = make_site()
    site.prepare()
    site.set_participants()
    site.start()
    sent = site.send(messages.newsletter(), NEWS, [ANN, BOB])
    site.wait_inbox(ANN, sent.raw)
    site.wait_inbox(BOB, sent.raw)
    assert site.pullyu.held() == []


def test_a_domain_takes_part_and_one_user_does_not(make_site):
    site = make_site()
    site.prepare()
    site.set_participants("@example.test")
    site.write_user(BOB, "settings.ini", "[digest]\nenabled = no\n")
    site.start()
    sent = site.send(messages.newsletter(), NEWS, [ANN, BOB])
    site.wait_inbox(BOB, sent.raw)
    site.wait_held(ANN, 1)


def test_a_settings_file_of_ones_own_is_enough(make_site):
    site = make_site()
    site.prepare()
    site.set_participants()
    site.settings(ANN)
    site.start()
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)


# The lists.


def authenticated(result, domain="news.example"):
    """What a trusted filter in front of us found out."""
    return ("Authentication-Results",
            f"mx.example.test; spf={result} smtp.mailfrom=letter@{domain}")


@pytest.mark.parametrize(
    "entry", [NEWS, "@news.example", "@.example", "list:harbour.news.example", "LETTER@News.Example"]
)
def test_allow_list_beats_the_rules(morning, entry):
    morning.write_user(ANN, "allow", f"# letters that I want at once\n{entry}\n")
    sent = morning.send(messages.newsletter(extra=[authenticated("pass")]), NEWS, [ANN])
    morning.wait_inbox(ANN, sent.raw)
    assert morning.pullyu.held(ANN) == []


@pytest.mark.parametrize(
    "result, held", [("pass", 0), ("fail", 1), ("none", 0), ("temperror", 0), ("neutral", 0)]
)
def test_allow_list_and_authentication(morning, result, held):
    """In doubt the entry counts; for a forged message it does not."""
    morning.write_user(ANN, "allow", NEWS + "\n")
    sent = morning.send(messages.newsletter(extra=[authenticated(result)]), NEWS, [ANN])
    if held:
        morning.wait_held(ANN, 1)
        assert morning.inbox(ANN) == []
    else:
        morning.wait_inbox(ANN, sent.raw)
        assert morning.pullyu.held(ANN) == []


def test_authentication_by_somebody_we_do_not_trust_counts_for_nothing(make_site):
    site = make_site()
    site.pullyu.options["milter"]["spf"] = "no"
    site.start()
    site.write_user(ANN, "allow", NEWS + "\n")
    forged = ("Authentication-Results", "mx.other.example; spf=fail smtp.mailfrom=" + NEWS)
    sent = site.send(messages.newsletter(extra=[forged]), NEWS, [ANN])
    site.wait_inbox(ANN, sent.raw)  # nobody trusted says anything: in doubt, deliver


def test_hold_list_beats_a_personal_look(morning):
    morning.write_user(ANN, "hold", "@friends.example\n")
    sent = morning.send(messages.personal(), DORA, [ANN, BOB])
    morning.wait_inbox(BOB, sent.raw)
    morning.wait_held(ANN, 1)
    assert decisions(morning, ANN)[0]["action"] == "hold"


@pytest.mark.parametrize("make, sender", [(messages.security, "no-reply@bank.example"),
                                          (messages.bounce, "")])
def test_hold_list_never_holds_what_may_matter(morning, make, sender):
    morning.write_user(ANN, "hold", "@bank.example\n@mx.other.example\n")
    sent = morning.send(make(), sender, [ANN])
    morning.wait_inbox(ANN, sent.raw)
    assert morning.pullyu.held(ANN) == []


def test_a_list_changed_by_the_command_line_counts_at_once(morning):
    morning.send(messages.newsletter(), NEWS, [ANN])
    morning.wait_held(ANN, 1)
    morning.pullyu.call("allow", ANN, NEWS)
    sent = morning.send(messages.newsletter(extra=[authenticated("pass")]), NEWS, [ANN])
    morning.wait_inbox(ANN, sent.raw)
    morning.pullyu.call("forget", ANN, NEWS)
    morning.send(messages.newsletter(extra=[authenticated("pass")]), NEWS, [ANN])
    morning.wait_held(ANN, 2)
    assert_nothing_lost(morning)


def test_an_entry_of_one_class(morning):
    """The newsletter waits and the rest of that sender's mail does not, whatever the classes say."""
    morning.settings(ANN)
    morning.write_user(ANN, "hold", "# the shop\n")
    assert morning.pullyu.call("hold", ANN, f"{NEWS}:Discussion") == (
        f"{NEWS}: discussion: held from now on\n")
    sent = morning.send(messages.newsletter(extra=[authenticated("pass")]), NEWS, [ANN])
    morning.wait_inbox(ANN, sent.raw)
    # Nobody can get through by using the name of such a sender.
    morning.send(messages.newsletter(extra=[authenticated("fail")]), NEWS, [ANN])
    morning.wait_held(ANN, 1)
    morning.pullyu.call("hold", ANN, f"{NEWS}: newsletter")
    morning.send(messages.newsletter(extra=[authenticated("pass")]), NEWS, [ANN])
    morning.wait_held(ANN, 2)
    sent = morning.send(messages.personal(sender=f"Ann <{NEWS}>"), NEWS, [ANN])
    morning.wait_inbox(ANN, sent.raw)
    with open(os.path.join(morning.user_dir(ANN), "hold"), encoding="utf-8") as f:
        assert f.read() == f"# the shop\n{NEWS}: discussion\n{NEWS}: newsletter\n"
    assert "is never held" in morning.pullyu.call("hold", ANN, f"{NEWS}: security", code=65)
    morning.pullyu.call("allow", ANN, f"{NEWS}: newsletter")
    sent = morning.send(messages.newsletter(extra=[authenticated("pass")]), NEWS, [ANN])
    morning.wait_inbox(ANN, sent.raw)
    morning.pullyu.call("forget", ANN, NEWS)
    learned = morning.pullyu.json("learned", ANN)
    assert learned["allow"] == learned["hold"] == []
    assert_nothing_lost(morning)


# Addresses.


@pytest.mark.parametrize(
    "rcpt, user, options",
    [
        ("ann+shop@example.test", ANN, ""),
        ("ANN@Example.TEST", ANN, ""),
        ("Ann+Shop.X@EXAMPLE.test", ANN, ""),
        (QUOTED, QUOTED, ""),
        ('"ann"@example.test', ANN, ""),
        (JOERG, JOERG, "SMTPUTF8"),
        ("JÖRG@example.test", JOERG, "SMTPUTF8"),
    ],
)
def test_ways_to_write_an_address(morning, rcpt, user, options):
    sent = morning.send(messages.newsletter(to=user), NEWS, [rcpt], options=options)
    morning.wait_held(user, 1)
    assert f"Delivered-To: {rcpt}\r\n".encode() in morning.pullyu.held(user)[0]
    morning.wait_settled()
    assert morning.inbox(user) == []
    slot(morning)
    morning.wait_digests(user, 1)
    morning.wait_held(user, 0)
    assert_nothing_lost(morning)
    assert sent.raw.rstrip(b"\r\n") in morning.digests(user)[0]


def test_same_recipient_in_two_ways(morning):
    morning.send(messages.newsletter(), NEWS, [ANN, "Ann@example.test", "ann+a@example.test"])
    morning.wait_settled()
    slot(morning)
    morning.wait_digests(ANN, 1)
    assert_nothing_lost(morning)
    morning.wait_held(ANN, 0)


def test_notify_success_passes(morning):
    """Who asks for a receipt gets one: nobody would send it for a held copy."""
    sent = morning.send(messages.newsletter(), NEWS, [ANN], rcpt_options="NOTIFY=SUCCESS,FAILURE")
    morning.wait_inbox(ANN, sent.raw)
    assert morning.pullyu.held() == []


def test_null_sender_newsletter_still_gets_delivered(morning):
    morning.send(messages.newsletter(), "", [ANN])
    slot(morning)
    assert_nothing_lost(morning)


# Content.


def test_too_large_passes(make_site):
    site = make_site()
    site.pullyu.options["milter"]["hold_max_size"] = "100k"
    site.start()
    body = ("a line of a long letter, again and again\n" * 26)[:1000] + "\n"
    large = site.send(messages.newsletter(body=body * 130), NEWS, [ANN])
    site.wait_inbox(ANN, large.raw)
    assert site.pullyu.held(ANN) == [] and site.pullyu.incoming() == []
    site.send(messages.newsletter(body=body * 60), NEWS, [ANN])
    site.wait_held(ANN, 1)
    assert_nothing_lost(site)


def test_awkward_bytes_are_kept(morning):
    body = (b".\n..\n.leading dot\nFrom the start\n\xff\xfe 8-bit \xc3\xa9\n\tTab \nMAIL FROM:<a@b>\n"
            + b"x" * 990 + b"\n\n\n--=_not-a-boundary\n--\n")
    folded = [("X-Folded", "one\n\ttwo\n   three"), ("X-Empty", ""), ("X-Space", "  two blanks")]
    sent = morning.send(messages.newsletter(body=body, extra=folded), NEWS, [ANN],
                        options="BODY=8BITMIME")
    morning.wait_held(ANN, 1)
    assert morning.pullyu.held(ANN)[0].endswith(sent.raw)
    slot(morning)
    morning.wait_digests(ANN, 1)
    assert_nothing_lost(morning)


def test_a_long_header(morning):
    fields = [(f"X-Long-{i}", "v" * 900) for i in range(66)]  # 60 kB
    sent = morning.send(messages.newsletter(extra=fields), NEWS, [ANN])
    morning.wait_settled()
    slot(morning)
    assert_nothing_lost(morning)
    wait_for(lambda: any(as_delivered(sent.raw).rstrip() in m for m in morning.inbox(ANN)),
             "the message inside its digest", detail=morning.logs)


def test_no_empty_digest(morning):
    slot(morning)
    morning.clock_to("2026-11-24T07:00:00Z")
    morning.send(messages.newsletter(), NEWS, [BOB])
    morning.wait_held(BOB, 1)
    morning.clock_to("2026-11-24T08:00:01Z")
    morning.wait_digests(BOB, 1)
    assert morning.inbox(ANN) == []


def test_a_digest_holds_only_the_users_own(morning):
    for_ann = morning.send(messages.newsletter(subject="for Ann"), NEWS, [ANN])
    for_bob = morning.send(messages.newsletter(subject="for Bob"), NEWS, [BOB])
    morning.wait_held(ANN, 1)
    morning.wait_held(BOB, 1)
    slot(morning)
    (ann,) = morning.wait_digests(ANN, 1)
    (bob,) = morning.wait_digests(BOB, 1)
    assert messages.message_id_of(for_bob.raw).encode() not in ann
    assert messages.message_id_of(for_ann.raw).encode() not in bob
    assert_nothing_lost(morning)


def test_many_at_once(morning):
    """Sixty messages over a dozen sessions at a time."""
    from concurrent.futures import ThreadPoolExecutor

    def one(i):
        make = messages.newsletter if i % 2 else messages.personal
        return morning.send(make(subject=f"number {i}"), NEWS if i % 2 else DORA, [ANN, BOB])

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(one, range(60)))
    morning.wait_held(ANN, 30)
    morning.wait_held(BOB, 30)
    morning.wait_settled()
    assert len(morning.inbox(ANN)) == 30
    slot(morning)
    morning.wait_digests(ANN, 1)
    morning.wait_digests(BOB, 1)
    found = assert_nothing_lost(morning)
    assert all(f.inbox + f.digests == 1 for f in found.values())


def test_our_own_digest_is_never_held(morning):
    """A digest that somebody sends on through the public port comes through."""
    morning.send(messages.newsletter(), NEWS, [ANN])
    morning.wait_held(ANN, 1)
    slot(morning)
    (digest,) = morning.wait_digests(ANN, 1)
    start = digest.index(b"Date: ")
    morning.write_user(ANN, "hold", "digest@example.test\n")
    again = morning.send(digest[start:], "bounces@example.test", [ANN])
    morning.wait_digests(ANN, 2)
    morning.wait_held(ANN, 0)
    # A forged one is a message like any other, and loses the field.
    forged = digest[start:].replace(b"X-Pullyu-Digest: v1; ", b"X-Pullyu-Digest: v1; 00")
    morning.send(forged, "bounces@example.test", [ANN])
    morning.wait_held(ANN, 1)
    morning.sent.clear()
    assert again.answer


def test_notifications_wait_and_receipts_do_not(morning):
    fields = [("From", "Tracker <notify@tracker.example>"), ("To", ANN),
              ("Subject", "[boats] Issue 12: paint the hull (closed)"),
              ("Message-ID", "<issue.12@tracker.example>"), ("Date", "Mon, 23 Nov 2026 06:00:00 +0000"),
              ("List-Id", "boats <boats.tracker.example>"), ("Precedence", "list"),
              ("List-Unsubscribe", "<https://tracker.example/u>"),
              ("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")]
    morning.send(messages.build(fields, "Issue 12 was closed.\n\nUnsubscribe: https://t.example/\n"),
                 "notify@tracker.example", [ANN])
    morning.wait_held(ANN, 1)
