"""Whom the user has written to: bulk-looking mail from them passes, and so do replies to what the
user sent. Only mail that the user sent with a password teaches anything."""

import messages
from harness import ANN, BOB, assert_nothing_lost
from waiting import wait_for

NEWS = "letter@news.example"


def write(site, user, to, extra=(), message_id=None):
    raw = messages.personal(to=to, sender=user, subject="a question", extra=extra,
                            message_id=message_id)
    before = site.pullyu.json("metrics")
    sent = site.send(raw, user, [to], auth=user)
    wait_for(lambda: site.pullyu.json("metrics") != before, "pullyud to remember", detail=site.logs)
    return sent


def test_who_was_written_to_is_known(site):
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)
    write(site, ANN, NEWS)
    sent = site.send(messages.newsletter(), NEWS, [ANN, BOB])
    site.wait_inbox(ANN, sent.raw)
    site.wait_held(BOB, 1)  # Bob has written to nobody
    assert len(site.pullyu.held(ANN)) == 1
    assert_nothing_lost(site)


def test_known_survives_a_crash(site):
    write(site, ANN, NEWS)
    site.pullyu.daemon.kill()
    site.pullyu.start_daemon()
    sent = site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_inbox(ANN, sent.raw)


def test_a_reply_passes(site):
    """From somebody unknown, looking like bulk mail, but in answer to what Ann sent."""
    write(site, ANN, "office@club.example", message_id="<question.1@example.test>")
    answer = [("In-Reply-To", "<question.1@example.test>")]
    sent = site.send(messages.newsletter(extra=answer), NEWS, [ANN, BOB])
    site.wait_inbox(ANN, sent.raw)
    other = [("In-Reply-To", "<question.2@example.test>")]
    site.send(messages.newsletter(extra=other), NEWS, [ANN])
    site.wait_held(ANN, 1)
    assert_nothing_lost(site)


def test_nobody_can_teach_without_a_password(site):
    forged = messages.personal(to=BOB, sender=ANN, message_id="<forged.1@example.test>")
    sent = site.send(forged, ANN, [BOB])
    site.wait_inbox(BOB, sent.raw)
    answer = [("In-Reply-To", "<forged.1@example.test>")]
    site.send(messages.newsletter(extra=answer, sender=BOB), NEWS, [ANN])
    site.wait_held(ANN, 1)


def test_hold_list_beats_known(site):
    write(site, ANN, NEWS)
    site.write_user(ANN, "hold", NEWS + "\n")
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)


def test_what_was_learned_is_seen_and_forgotten(site):
    site.write_user(ANN, "hold", "# mine\n@social.example\norders@shop.example: newsletter\n")
    write(site, ANN, NEWS)
    learned = site.pullyu.json("learned", ANN)
    assert [k["address"] for k in learned["known"]] == [NEWS]
    assert learned["known"][0]["when"].endswith("Z")
    assert learned["allow"] == [] and not learned["cut"] and "problem" not in learned
    assert learned["hold"] == ["@social.example", "orders@shop.example: newsletter"]
    assert NEWS in site.pullyu.call("learned", ANN)
    assert site.pullyu.call("forget", ANN, NEWS) == f"{NEWS}: forgotten\n"
    assert site.pullyu.call("forget", ANN, NEWS) == f"{NEWS}: was on no list\n"
    assert site.pullyu.json("learned", ANN)["known"] == []
    assert site.pullyu.json("learned", BOB)["known"] == []
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)
    # Whoever is a correspondent stays one when classes are forgotten.
    write(site, ANN, NEWS)
    site.pullyu.call("forget", ANN, f"{NEWS}: newsletter")
    assert len(site.pullyu.json("learned", ANN)["known"]) == 1
    site.write_user(ANN, "hold", "@social.example\nno entry\n")
    learned = site.pullyu.json("learned", ANN)
    assert "hold:2" in learned["problem"] and len(learned["hold"]) == 2
    site.pullyu.call("learned", "no user", code=65)


def test_known_is_forgotten_in_time(make_site):
    site = make_site()
    site.pullyu.options["known"] = {"expire": "30d"}
    site.start()
    site.clock_to("2026-11-23T07:00:00Z")
    write(site, ANN, NEWS)
    site.clock_to("2026-12-30T07:00:00Z")
    site.pullyu.daemon.stop()
    site.pullyu.start_daemon()
    sent = site.send(messages.newsletter(), NEWS, [ANN])
    # Forgotten at the latest a minute after the start; until then it may count.
    assert sent.answer
    assert_nothing_lost(site)
