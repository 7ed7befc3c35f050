"""pullyu explain and pullyu report, against a daemon played by test_cli.py."""

import hashlib
import hmac
import json
import os
import re

import pytest

from test_cli import (CONFIG, DATAERR, HOSTILE, NOINPUT, NOUSER, OK, PROTOCOL, RULES, USAGE,
                      Daemon, assert_harmless)
from test_cli import site  # a fixture

ANN = "ann@example.org"
NEWS = """\
Return-Path: <bounce@mail.news.example>
From: Harbour Letter <letter@news.example>
To: ann@example.org
Subject: The harbour letter, spring issue
Message-ID: <1@news.example>
List-Id: The harbour letter <harbour.news.example>
List-Unsubscribe: <https://news.example/u/1>, <mailto:leave@news.example>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Precedence: bulk

The harbour letter
"""
PERSONAL = "From: Dora <dora@friends.example>\nTo: ann@example.org\nSubject: lunch?\n\nHi\n"
NOBODY = {"known": {}}
NOT_WRITTEN = f"{ANN} has not written to letter@news.example or bounce@mail.news.example"


def daemon_of(site, *replies):
    if os.path.exists(site.socket):
        os.remove(site.socket)
    return Daemon(site, *replies)


def explain(site, message=NEWS, user=ANN, expect=OK):
    path = site.write("m.eml", message)
    got = json.loads(site.run("explain", "--json", user, path, expect=expect)[0])
    text, _ = site.run("explain", user, path)
    assert_harmless(text)
    return got, text.splitlines()


def ask(site, reply, message=NEWS):
    """The explanation, and what the daemon was asked."""
    with daemon_of(site, reply, reply) as daemon:
        got, lines = explain(site, message)
    return got, lines, daemon.requests


def configure(site, section, text):
    with open(site.config, encoding="utf-8") as f:
        old = f.read()
    site.write("pullyu.conf", old.replace(f"[{section}]\n", f"[{section}]\n{text}\n")
               if f"[{section}]" in old else f"{old}[{section}]\n{text}\n")


def user_file(site, name, text):
    site.write(f"users/example.org/ann/{name}", text)


def next_slot(site):
    return json.loads(site.run("next", ANN, "-n", "1", "--json")[0])[0]


def test_held(site):
    before = next_slot(site)
    got, lines, requests = ask(site, NOBODY)
    assert got["action"] == "hold" and got["class"] == "newsletter" and not got["shadow"]
    assert got["because"] == [
        "class newsletter is held", "no list says otherwise", NOT_WRITTEN]
    assert got["until"] in (before, next_slot(site))
    assert got["known"] == "no" and got["authenticated"] is None and got["takes_part"]
    assert got["user"] == ANN
    assert re.fullmatch(
        r"held as newsletter until \w{3} \d{4}-\d\d-\d\d \d\d:\d\d \(Europe/Amsterdam\)", lines[0])
    assert lines[0].split()[5] == got["until"]["local"][:10]
    assert lines[0].split()[6] == got["until"]["local"][11:16]
    assert lines[1] == f"because class newsletter is held; no list says otherwise; {NOT_WRITTEN}"
    assert requests == [{"op": "ask", "users": [ANN], "refs": [],
                         "senders": ["letter@news.example", "bounce@mail.news.example"]}] * 2


def test_verdict_is_that_of_classify(site):
    """The same words and figures, from the same code; but the user is known."""
    got, lines, _ = ask(site, NOBODY)
    path = os.path.join(site.directory, "m.eml")
    verdict = json.loads(site.run("classify", "--format", "json", path)[0])
    assert got["verdict"] == {k: v for k, v in verdict.items() if k not in ("path", "action")}
    assert re.fullmatch(r"verdict: newsletter \d+\.\d( \(runner-up \w+ \d+\.\d\))?; "
                        r"another class is \d+\.\d away", lines[2])
    assert lines[3:] == site.run("classify", path)[0].splitlines()[1:]
    assert 0 < verdict["margin"] <= verdict["score"]


def test_envelope_sender(site):
    """From stands for it where there is no Return-Path."""
    _, _, requests = ask(site, NOBODY, NEWS.partition("\n")[2])
    assert requests[0]["senders"] == ["letter@news.example"]
    got, _, _ = ask(site, NOBODY, NEWS.replace("From: Harbour Letter <letter@news.example>\n", ""))
    assert got["because"][-1] == f"{ANN} has not written to bounce@mail.news.example"
    _, lines, _ = ask(site, NOBODY, NEWS.split("From:")[0].replace("bounce@mail.news.example", "")
                      + NEWS.partition("Harbour Letter <letter@news.example>\n")[2])
    assert lines[0].startswith(("held as", "passes: "))


def test_standard_input(site):
    path = site.write("m.eml", NEWS)
    with daemon_of(site, NOBODY, NOBODY), open(path, "rb") as file:
        for options in ({"input": NEWS.encode()}, {"stdin": file}):
            out, err = site.run("explain", ANN, "-", **options)
            assert out.startswith("held as newsletter") and err == ""
    out, _ = site.run("classify", "--format", "tsv", "-", input=NEWS.encode())
    assert out.startswith("-\tnewsletter\t")


@pytest.mark.parametrize("how, clause", [
    ("correspondent", f"{ANN} has written to letter@news.example or bounce@mail.news.example"),
    ("reply", f"it answers a message of {ANN}")])
def test_known(site, how, clause):
    got, lines, requests = ask(site, {"known": {ANN: how}},
                               NEWS.replace("\n\n", "\nIn-Reply-To: <a@b.example>\n\n", 1))
    assert got["action"] == "pass" and got["known"] == how and got["until"] is None
    assert got["because"] == ["correspondent, or a reply to the user", clause]
    assert lines[0] == f"passes: correspondent, or a reply to the user; {clause}"
    assert requests[0]["refs"] == ["<a@b.example>"]


def test_reply_to_nothing_of_hers(site):
    got, _, _ = ask(site, NOBODY, NEWS.replace("\n\n", "\nIn-Reply-To: <a@b.example>\n\n", 1))
    assert got["because"][-1] == f"{NOT_WRITTEN}, nor sent what this answers"


@pytest.mark.parametrize("reply", [None, {"rc": "temp", "text": "no \x1bluck"}, {}, b"rubbish\n"])
def test_nobody_can_be_asked(site, reply):
    """In doubt it passes; from a no-reply address it is held, as the milter does it."""
    quiet = NEWS.replace("letter@news.example", "no-reply@news.example")
    for message, action in ((NEWS, "pass"), (quiet, "hold")):
        if reply is None:
            got, _ = explain(site, message)
            assert site.socket in got["because"][-1]
        else:
            got, _, _ = ask(site, reply, message)
        assert (got["action"], got["known"]) == (action, "unknown")
    assert got["because"][0] == "class newsletter is held; no correspondent: a no-reply sender"


# ---- lists ----

RESULTS = "Authentication-Results: mx.example.org; "


@pytest.mark.parametrize("results, authenticated, clause", [
    (RESULTS + "dmarc=pass header.from=news.example", "pass",
     "authenticated for news.example by dmarc"),
    (RESULTS + "dkim=pass header.d=news.example", "pass", "authenticated for news.example by dkim"),
    (RESULTS + "spf=pass smtp.mailfrom=mail.news.example", "pass",
     "authenticated for news.example by spf"),
    (RESULTS + "spf=softfail smtp.mailfrom=mail.news.example", "doubt",
     "neither authenticated for news.example nor known to be forged: in doubt it counts"),
    ("X-Nothing: here", "unknown",
     "the file does not tell whether it is authenticated for news.example: in doubt it counts; "
     "pullyu-milter would check SPF"),
    ("Authentication-Results: mx.evil.example; dmarc=pass header.from=news.example", "unknown",
     "the file does not tell whether it is authenticated for news.example: in doubt it counts; "
     "pullyu-milter would check SPF"),
])
def test_allow_list(site, results, authenticated, clause):
    configure(site, "milter", "authserv_ids = mx.example.org")
    user_file(site, "allow", "@news.example\n")
    got, lines = explain(site, f"{results}\n{NEWS}")
    assert got["action"] == "pass" and got["authenticated"] == authenticated
    assert got["because"] == ["allow list: @news.example", clause]
    assert lines[0] == f"passes: allow list: @news.example; {clause}"


def test_allow_list_without_spf(site):
    configure(site, "milter", "spf = no")
    user_file(site, "allow", "letter@news.example\n")
    assert explain(site)[0]["because"][-1] == (
        "the file does not tell whether it is authenticated for news.example: in doubt it counts")


@pytest.mark.parametrize("reply, action", [(NOBODY, "hold"),
                                           ({"known": {ANN: "correspondent"}}, "pass")])
def test_allow_list_and_a_forgery(site, reply, action):
    configure(site, "milter", "authserv_ids = mx.example.org")
    user_file(site, "allow", "@news.example\n")
    got, _, _ = ask(site, reply, f"{RESULTS}dmarc=fail header.from=news.example\n{NEWS}")
    assert got["action"] == action and got["authenticated"] == "fail"
    assert got["because"][0].endswith("allow list: @news.example does not count: not authenticated")
    assert got["because"][1] == "not authenticated for news.example: dmarc failed"
    assert len(got["because"]) == 3


def test_allowed_list(site):
    """A list's own envelope vouches for what its members write."""
    configure(site, "milter", "authserv_ids = mx.example.org")
    user_file(site, "allow", "list:harbour.news.example\n")
    got, _ = explain(site, f"{RESULTS}dmarc=fail header.from=news.example; "
                           f"spf=pass smtp.mailfrom=mail.news.example\n{NEWS}")
    assert got["action"] == "pass" and got["authenticated"] == "pass"
    assert got["because"][1].startswith("authenticated for its sender's domain by ")
    got, _, _ = ask(site, NOBODY, f"{RESULTS}dmarc=fail header.from=news.example\n{NEWS}")
    assert got["action"] == "hold"
    got, _ = explain(site)
    assert got["authenticated"] == "unknown"


def test_hold_list(site):
    user_file(site, "hold", "@friends.example\n")
    got, lines = explain(site, PERSONAL)  # and nobody is asked
    assert got["action"] == "hold" and got["class"] == "personal" and got["known"] is None
    assert got["because"] == ["hold list: @friends.example"]
    assert lines[0].startswith("held as personal until ")


def test_entries_for_some_classes(site):
    user_file(site, "hold", "@news.example: notification\n")
    got, lines = explain(site)
    assert lines[0].startswith("passes: hold list: @news.example: notification: not class newsletter; ")
    assert got["authenticated"] == "unknown"
    user_file(site, "hold", "@news.example: newsletter\n")
    assert explain(site)[1][0].startswith("held as newsletter until ")
    user_file(site, "hold", "")
    user_file(site, "allow", "@news.example: transactional\n")
    got, _, _ = ask(site, NOBODY)
    assert got["because"][:2] == ["class newsletter is held", "no list says otherwise"]


# ---- what passes ----


def test_personal(site):
    got, lines = explain(site, PERSONAL)
    assert got["because"] == ["class personal is not held"]
    assert lines[0] == "passes: class personal is not held"
    assert lines[1].startswith("verdict: personal 0.0")


def test_once(site):
    got, lines = explain(site, PERSONAL.replace("lunch?", "Please confirm your subscription"))
    assert got["because"] == ["class security is never held",
                              "of this sender a second such message within an hour goes as newsletter"]
    assert got["verdict"]["once"]


def test_who_takes_no_part(site):
    got, lines = explain(site, user="bob@example.org")
    assert not got["takes_part"] and got["action"] == "pass"
    assert lines[0].startswith("passes: bob@example.org takes no part: there is no settings.ini")
    user_file(site, "settings.ini", "[digest]\nenabled = no\n")
    assert explain(site)[1][0] == f"passes: {ANN} takes no part: enabled = no"


def test_bad_settings(site):
    user_file(site, "settings.ini", "[digest]\ntimes = never\n")
    got, lines = explain(site)
    assert got["action"] == "pass"
    assert got["because"][0].startswith("in doubt: settings.ini:2")
    assert got["because"][1] == "a pullyu-milter that has seen a good version of it goes on with that"


def test_pause(site):
    user_file(site, "settings.ini", "[digest]\npause_until = 2099-01-01\npause = pass\n")
    assert explain(site)[1][0] == "passes: a pause: nothing is held before 2099-01-01"
    user_file(site, "settings.ini", "[digest]\npause_until = 2099-01-01\npause = hold\n")
    got, lines, _ = ask(site, NOBODY)
    assert got["action"] == "hold"
    assert lines[0].endswith("; no digest comes before max_hold ends)")


def test_on_demand(site):
    user_file(site, "settings.ini", "[digest]\ntimes = none\n")
    _, lines, _ = ask(site, NOBODY)
    assert lines[0].endswith("(Europe/Amsterdam; no digest comes before max_hold ends)")


@pytest.mark.parametrize("how", ["settings", "domain", "site"])
def test_shadow(site, how):
    if how == "settings":
        user_file(site, "settings.ini", "[hold]\nshadow = yes\n")
    elif how == "domain":
        configure(site, "users", "shadow_domains = example.org")
    else:
        configure(site, "defaults", "shadow = yes")
    got, lines, _ = ask(site, NOBODY)
    assert got["action"] == "pass" and got["shadow"] and got["until"]
    assert lines[0].startswith("passes: shadow mode; without it, held as newsletter until ")
    assert lines[1].startswith("because class newsletter is held; ")
    got, _ = explain(site, PERSONAL)
    assert not got["shadow"]
    assert site.run("check", ANN)[0].endswith("takes part, in shadow mode\n")


def test_too_large(site):
    configure(site, "milter", "hold_max_size = 100k")
    large = NEWS + "x" * 103_000
    assert explain(site, large)[1][0] == "passes: larger than hold_max_size"
    for message, passes in ((large + "x" * 300_000, True), (NEWS, False)):
        with daemon_of(site, NOBODY):
            out, _ = site.run("explain", ANN, "-", input=message.encode())
        assert (out.splitlines()[0] == "passes: larger than hold_max_size") == passes


def test_digest_of_our_own(site):
    key = b"k" * 32
    configure(site, "paths", f"key = {site.directory}/key")
    guard = "v1; " + hmac.new(key, b"<1@news.example>", hashlib.sha256).hexdigest()
    message = f"X-Pullyu-Digest: {guard}\n{NEWS}"
    assert explain(site, message)[0]["because"][0].startswith(
        "it may be a digest of our own, but there is no key to tell: ")
    site.write("key", key)
    assert explain(site, message)[1][0] == "passes: a digest of our own"
    got, _, _ = ask(site, NOBODY, message.replace("<1@news", "<2@news"))
    assert got["action"] == "hold"


def test_not_classified(site):
    os.mkdir(os.path.join(site.directory, "rules"))
    site.write("rules/10-x.ini", "[slow]\nclass = newsletter\nweight = 5\nfield = subject\n"
                                 "match = (?:(?:a+)+)+\\d$\n")
    with open(site.config, encoding="utf-8") as f:
        text = f.read()
    site.write("pullyu.conf", text.replace(RULES, os.path.join(site.directory, "rules")))
    got, lines = explain(site, "Subject: " + "a" * 4000 + "\n\n")
    assert got["action"] == "pass" and got["verdict"] is None
    assert got["because"][0].startswith("not classified: ")
    assert len(lines) == 1


# ---- what is wrong ----


def test_mistakes(site):
    path = site.write("m.eml", NEWS)
    site.run("explain", "ann", path, expect=NOUSER)
    site.run("explain", b"\xff@", path, expect=NOUSER)
    out, err = site.run("explain", ANN, "/nonexistent", expect=NOINPUT)
    assert out == "" and "/nonexistent" in err
    site.run("explain", ANN, site.directory, expect=NOINPUT)
    site.run("explain", ANN, expect=USAGE)
    site.run("explain", ANN, path, path, expect=USAGE)
    site.run("explain", "--reset", ANN, path, expect=USAGE)
    site.write("participants", "a b c\n")
    site.run("explain", ANN, path, expect=CONFIG)
    site.write("participants", f"{ANN}\n")
    with open(site.config, encoding="utf-8") as f:
        text = f.read()
    site.write("pullyu.conf", text.replace(RULES, "/nonexistent"))
    site.run("explain", ANN, path, expect=CONFIG)
    site.write("pullyu.conf", "[paths]\ncontrol = relative\n")
    site.run("explain", ANN, path, expect=CONFIG)


@pytest.mark.parametrize("message", [
    b"", b"\n", b"no header at all", b"\0" * 1000, b"From: \xff\xfe <x@\xff>\n\n",
    b"From: " + b"x" * 300_000, NEWS.replace("Harbour", HOSTILE.replace("\r\n", "")).encode(),
    b"".join(b"Authentication-Results: mx.example.org; x\n" for _ in range(1000))],
    ids="empty blank text nul bytes long controls many".split())
def test_hostile(site, message):
    user_file(site, "allow", "list:x\n@news.example\n")
    with daemon_of(site, NOBODY, NOBODY):
        explain(site, message)


# ---- report ----

REPORT = {
    "since": "2026-11-01T06:00:00Z", "last": "2026-11-28T07:00:00Z", "users": 3, "unreadable": 0,
    "messages": 1234, "digests": 62, "saved": 1172, "seconds_each": 64, "hours": 1172 * 64 / 3600,
    "classes": {"newsletter": 1200, "notification": 34},
    "senders": [
        {"sender": "letter@news.example", "messages": 1200, "class": "newsletter", "margin": 12.25,
         "last": "2026-11-28T07:00:00Z"},
        {"sender": f"{HOSTILE}@x.example", "messages": 34, "class": "notification", "margin": None,
         "last": None}],
    "nearest": [{"sender": "club@sail.example", "messages": 3, "class": "newsletter", "margin": 0.04,
                 "last": "2026-11-28T07:00:00Z"}],
    "rules": [{"rule": "one-click", "messages": 1100, "why": "it offers to unsubscribe"},
              {"rule": "gone", "messages": 2, "why": ""}],
}


def test_report(site):
    with daemon_of(site, REPORT, REPORT) as daemon:
        out, err = site.run("report")
        assert json.loads(site.run("report", "--json")[0]) == REPORT
    assert daemon.requests == [{"op": "report"}] * 2 and err == ""
    assert_harmless(out)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[:6] == [
        "shadow mode since 2026-11-01T06:00:00Z, 3 users, last message 2026-11-28T07:00:00Z",
        "1234 messages would have been held", "", "MESSAGES CLASS", "1200 newsletter",
        "34 notification"]
    assert lines[7:10] == ["Look at these first: senders nearest to passing:",
                           "MESSAGES MARGIN CLASS SENDER", "3 0.0 newsletter club@sail.example"]
    assert "1200 12.2 newsletter letter@news.example" in lines
    assert any(line.startswith("34 - notification a?]0;x?b") for line in lines)
    assert "1100 one-click it offers to unsubscribe" in lines and "2 gone -" in lines
    assert lines[-2:] == ["interruptions saved: 1234 messages - 62 digests = 1172",
                          "time saved: 1172 x 64 s to get back to work = 20.8 hours"]


@pytest.mark.parametrize("words, request_", [
    ([ANN], {"user": ANN}), (["@Example.org"], {"domain": "Example.org"}),
    (["--reset"], {"reset": True}), ([ANN, "--reset"], {"user": ANN, "reset": True})])
def test_report_asks_for(site, words, request_):
    with daemon_of(site, REPORT) as daemon:
        out, _ = site.run("report", *words)
    assert daemon.requests == [{"op": "report", **request_}]
    assert out.endswith("the counts begin anew\n") == ("reset" in request_)


def test_report_of_nothing(site):
    empty = {"messages": 0, "classes": {}, "senders": [], "nearest": [], "rules": [], "users": 0,
             "unreadable": 2}
    with daemon_of(site, empty):
        out, err = site.run("report", ANN)
    assert out == "shadow mode has counted nothing\n"
    assert err == "pullyu: of 2 users the counts make no sense; see the log of pullyud\n"


def test_report_of_strange_types(site):
    with daemon_of(site, {}, {"messages": "x", "classes": {}}, {"messages": 1, "classes": []}):
        for _ in range(3):
            assert site.run("report", expect=PROTOCOL)[0] == ""
    strange = {"messages": 1, "classes": {"x": [], "\x1b": "y"}, "senders": [1, None, {"margin": "x"}],
               "nearest": {}, "rules": [[], {"rule": 3}], "hours": "many"}
    with daemon_of(site, strange):
        assert_harmless(site.run("report")[0])


def test_report_arguments(site):
    with daemon_of(site) as daemon:
        assert "UTF-8" in site.run("report", b"\xff", expect=DATAERR)[1]
        site.run("report", "a", "b", expect=USAGE)
    assert daemon.requests == []
