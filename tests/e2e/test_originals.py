"""The three ways in which originals reach their reader, the command line's ways to see and to
release what is held, and what happens to mail that its reader has dealt with."""

import email
import email.policy
import os
import re
import threading

import pytest

import messages
from harness import ANN, BOB, QUOTED, as_delivered, assert_nothing_lost
from waiting import wait_for

NEWS = "letter@news.example"


@pytest.fixture
def morning(site):
    site.clock_to("2026-11-23T07:00:00Z")
    return site


def slot(site):
    site.clock_to("2026-11-23T08:00:01Z")


def hold(site, count=1, rcpt=ANN, user=ANN, **words):
    before = len(site.pullyu.held(user))
    sent = [site.send(messages.newsletter(subject=f"letter {i}", to=user, **words), NEWS, [rcpt])
            for i in range(count)]
    site.wait_held(user, before + count)
    return sent


def originals(digest):
    parsed = email.message_from_bytes(digest, policy=email.policy.default)
    assert not parsed.defects
    return [p for p in parsed.walk() if p.get_content_type() == "message/rfc822"]


def test_attach(morning):
    sent = hold(morning, 3)
    slot(morning)
    (digest,) = morning.wait_digests(ANN, 1)
    morning.wait_held(ANN, 0)
    assert len(originals(digest)) == 3
    positions = [digest.index(as_delivered(s.raw).rstrip()) for s in sent]
    # As in the summary: the newest of a sender first.
    assert positions == sorted(positions, reverse=True)
    found = assert_nothing_lost(morning)
    assert {f.delivered() for f in found.values()} == {1}


def test_folder(morning):
    morning.settings(ANN, originals="folder")
    sent = hold(morning, 2)
    slot(morning)
    (digest,) = morning.wait_digests(ANN, 1)
    for message in sent:
        morning.wait_inbox(ANN, message.raw, folder="Digest")
    morning.wait_held(ANN, 0)
    assert originals(digest) == []
    found = assert_nothing_lost(morning)
    assert all(f.folders == ["Digest"] and f.inbox == 0 for f in found.values())


def test_folder_of_a_quoted_user(morning):
    morning.set_participants(QUOTED)
    morning.write_user('"quoted user"@example.test', "x", "")
    morning.settings("%22quoted%20user%22@example.test", originals="folder")
    hold(morning, 1, rcpt=QUOTED, user=QUOTED)
    slot(morning)
    morning.wait_held(QUOTED, 0)
    found = assert_nothing_lost(morning)
    assert all(f.delivered() == 1 for f in found.values())


def test_inbox(morning):
    morning.settings(ANN, originals="inbox")
    plain = hold(morning, 2)
    (tagged,) = hold(morning, 1, rcpt="ann+shop@example.test")
    slot(morning)
    (digest,) = morning.wait_digests(ANN, 1)
    for message in plain:
        morning.wait_inbox(ANN, message.raw)
    morning.wait_inbox(ANN, tagged.raw, folder="shop")  # to the address that it was sent to
    morning.wait_held(ANN, 0)
    assert originals(digest) == []
    found = assert_nothing_lost(morning)
    assert {f.delivered() for f in found.values()} == {1}


def test_a_changed_wish_counts_from_the_next_digest(morning):
    hold(morning, 1)
    morning.settings(ANN, originals="inbox")
    slot(morning)
    (digest,) = morning.wait_digests(ANN, 1)
    assert originals(digest) == []
    assert_nothing_lost(morning)


def test_large_slots_take_several_digests(make_site):
    site = make_site()
    site.pullyu.options["digest"]["max_messages"] = "4"
    site.pullyu.options["digest"]["max_size"] = "40k"
    site.start()
    site.clock_to("2026-11-23T07:00:00Z")
    line = "one more line of a long letter to fill the room\n"
    hold(site, 5)
    hold(site, 4, body=line * 300)
    slot(site)
    digests = site.wait_digests(ANN, 3)
    site.wait_held(ANN, 0)
    counts = [len(originals(d)) for d in digests]
    assert sum(counts) == 9 and max(counts) <= 4, counts
    ids = {messages.message_id_of(d) for d in digests}
    assert len(ids) == len(digests)
    found = assert_nothing_lost(site)
    assert {f.delivered() for f in found.values()} == {1}


# Much at once.


def copy_held(site, changes):
    """Of the one message of ann's that is held, so many more, as the milter would have left them.
    changes: for each, what stands for which field, as (name, value)."""
    (held,) = site.pullyu.held(ANN)
    incoming = os.path.join(site.pullyu.spool, "incoming")
    owner = os.stat(incoming)
    site.pullyu.daemon.stop()
    for n, fields in enumerate(changes):
        path = os.path.join(incoming, f"1795417200.M{n:06}P1.copy")  # 07:00
        raw = held
        for name, value in fields:
            raw, found = re.subn(rb"(?m)^%s: .*?\r$" % name, b"%s: %s\r" % (name, value), raw, count=1)
            assert found == 1, name
        with open(path, "wb") as file:
            file.write(raw)
        os.chown(path, owner.st_uid, owner.st_gid)
    site.pullyu.start_daemon()
    site.wait_held(ANN, 1 + len(changes))


class Watch(threading.Thread):
    """The most memory that a process below this one ever had, in kB."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.peak, self.over = root, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            parents = {}
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                        fields = dict(re.findall(r"(?m)^(PPid|VmHWM):\s+(\d+)", file.read()))
                except OSError:
                    continue
                parents[pid] = fields.get("PPid"), int(fields.get("VmHWM", 0))
            below = {str(self.root)}
            while more := {p for p, (parent, _) in parents.items() if parent in below} - below:
                below |= more
            self.peak = max([self.peak, *(parents[p][1] for p in below - {str(self.root)} if p in parents)])


def test_5000_at_once(make_site):
    site = make_site()
    site.pullyu.options["digest"]["max_messages"] = "2000"
    site.start()
    site.clock_to("2026-11-23T07:00:00Z")
    hold(site, 1, body="Words of a letter, and then some more of them.\n" * 40)
    copy_held(site, [[(b"Message-ID", b"<%d@many.example>" % n),
                      (b"From", b"Sender %d <%d@many.example>" % (n, n))] for n in range(4999)])
    watch = Watch(site.pullyu.daemon.pid)
    watch.start()
    slot(site)
    wait_for(lambda: len(site.digests(ANN)) == 3, "three digests", deadline=180, detail=site.logs)
    watch.over.set()
    digests = site.digests(ANN)
    subjects = [email.message_from_bytes(raw)["Subject"] for raw in digests]
    for part, count in ((1, "2,000"), (2, "2,000"), (3, "1,000")):
        assert sum(f"({part}/3): {count} messages" in s.replace("\n", "") for s in subjects) == 1, subjects
    found = [n for raw in digests for n in re.findall(rb"(?m)^Message-ID: <(\d+)@many\.example>", raw)]
    assert sorted(map(int, found)) == list(range(4999))
    site.wait_held(ANN, 0)
    assert watch.peak > 10_000
    with open(site.pullyu.binaries.paths["pullyud"], "rb") as program:
        sanitized = re.search(rb"__[at]san_", program.read())
    assert sanitized or watch.peak < 200 * 1024, f"{watch.peak} kB"
    print(f"{watch.peak} kB")
    assert_nothing_lost(site)


def test_a_message_that_kills_its_reader(morning):
    """GMime recurses over groups in groups: that costs their own message its words, and no other
    anything. (Postfix lets no such field in, unless header_size_limit was raised.)"""
    hold(morning, 1, sender="Zoe <z@news.example>", body="These are the words.\n")
    copy_held(morning, [[(b"From", b"Ann <a@news.example>"), (b"Message-ID", b"<a@x.example>"),
                         (b"To", b"a:" * 1_000_000)],
                        [(b"From", b"Bob <b@news.example>"), (b"Message-ID", b"<b@x.example>")]])
    # Behind this, Postfix cuts the field off.
    assert morning.pullyu.run("preview", ANN).stdout.count(b"a:" * 1_000_000) == 1
    slot(morning)
    (digest,) = morning.wait_digests(ANN, 1)
    text = body(digest, "plain")
    assert "3 messages from 3 senders" in text and "<html" in body(digest, "html")
    ann, bob, zoe = (text.index(f"{name} <") for name in ("Ann", "Bob", "Zoe"))
    assert ann < bob < zoe
    assert "These are the words." not in text[ann:bob], "it kills nobody"
    assert "These are the words." in text[bob:zoe] and "These are the words." in text[zoe:]
    morning.wait_held(ANN, 0)
    assert_nothing_lost(morning)


# Mail that its reader has dealt with in the folder.


def test_read_in_the_folder_is_not_repeated(morning):
    sent = hold(morning, 3)
    first, second = (messages.message_id_of(s.raw).encode() for s in sent[:2])
    assert len(morning.imap.fetch(ANN, "Held")) == 3
    assert morning.imap.flag(ANN, "Held", lambda m: first in m, "\\Seen") == 1
    assert morning.imap.flag(ANN, "Held", lambda m: second in m, "\\Deleted", expunge=True) == 1
    slot(morning)
    (digest,) = morning.wait_digests(ANN, 1)
    assert first not in digest and second not in digest
    assert len(originals(digest)) == 1
    # What was read stays where its reader saw it; what came in the digest goes.
    morning.wait_held(ANN, 1)
    assert_nothing_lost(morning, [sent[0], sent[2]])


def test_everything_read_no_digest(morning):
    hold(morning, 2)
    assert morning.imap.flag(ANN, "Held", lambda _: True, "\\Seen") == 2
    hold(morning, 1, rcpt=BOB, user=BOB)
    slot(morning)
    morning.wait_digests(BOB, 1)
    assert morning.inbox(ANN) == []
    assert len(morning.pullyu.held(ANN)) == 2


# The command line.


def body(raw, kind):
    return email.message_from_bytes(raw, policy=email.policy.default).get_body((kind,)).get_content()


def without_chance(raw):
    """What two digests of the same mail may differ in: Date, Message-ID and what is made of it, the
    trace of the way here, and the boundaries."""
    header, _, rest = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = re.sub(rb"\n[ \t]+", b" ", header).split(b"\n")
    names = (b"date", b"message-id", b"x-pullyu-digest", b"return-path", b"received", b"delivered-to",
             b"x-original-to")
    kept = [line for line in lines if line.partition(b":")[0].lower() not in names]
    assert any(line.startswith(b"Subject: ") for line in kept)
    text = b"\n".join([*kept, b"", rest.rstrip()])
    for n, boundary in enumerate(dict.fromkeys(re.findall(rb"=_[0-9a-f]{32}", text))):
        text = text.replace(boundary, b"boundary %d" % n)
    return text.decode("utf-8", "surrogateescape")


def test_a_preview_is_what_will_be_sent(morning):
    morning.settings(ANN, times="08:00", timezone="Europe/Amsterdam")
    hold(morning, 2)
    morning.send(messages.newsletter(subject="caf\u00e9 \u202e <b>", to=ANN), "x@boats.example", [ANN])
    morning.wait_held(ANN, 3)
    eml = morning.pullyu.run("preview", ANN).stdout
    text, html = (morning.pullyu.run("preview", "--format", form, ANN).stdout.decode()
                  for form in ("text", "html"))
    assert text == body(eml, "plain").replace("\r\n", "\n")
    assert html == body(eml, "html").replace("\r\n", "\n")
    morning.clock_to("2026-11-24T07:00:01Z")
    (digest,) = morning.wait_digests(ANN, 1)
    assert "Tuesday, 24 November 2026, 08:00 (Europe/Amsterdam)" in text
    assert without_chance(eml) == without_chance(digest)


def test_a_preview_of_several_parts(make_site):
    site = make_site()
    site.pullyu.options["digest"]["max_messages"] = "2"
    site.start()
    site.clock_to("2026-11-23T07:00:00Z")
    hold(site, 5)
    first, second, third = (site.pullyu.run("preview", "--part", n, ANN).stdout for n in "123")
    assert [len(originals(raw)) for raw in (first, second, third)] == [2, 2, 1]
    assert "part 2 of 3" in body(second, "plain")
    slot(site)
    digests = site.wait_digests(ANN, 3)
    assert {without_chance(raw) for raw in digests} == {
        without_chance(raw) for raw in (first, second, third)}
    assert site.pullyu.run("preview", "--part", "4", ANN).returncode != 0


def test_each_user_in_his_language(morning):
    """One pullyud, one slot."""
    morning.settings(ANN, language="nl")
    morning.settings(BOB, language="de-AT", timezone="Europe/Vienna", times="09:00")
    hold(morning, 1)
    hold(morning, 2, rcpt=BOB, user=BOB)
    slot(morning)
    (dutch,), (german,) = morning.wait_digests(ANN, 1), morning.wait_digests(BOB, 1)
    if "Your digest" in body(dutch, "plain"):
        pytest.skip("catalogues are looked for where they are installed")
    assert "Nieuwsbrieven (1)" in body(dutch, "plain").replace("NIEUWSBRIEVEN", "Nieuwsbrieven")
    assert '<html lang="nl"' in body(dutch, "html")
    assert "Montag, 23. November 2026" in body(german, "plain")
    assert '<html lang="de' in body(german, "html")


def test_the_fields_of_a_delivered_digest(make_site):
    site = make_site()
    site.pullyu.options["digest"]["from"] = "Letters f\u00fcr dich <letters@example.test>"
    site.pullyu.options["digest"]["reply_to"] = "help@example.test"
    site.start()
    site.clock_to("2026-11-23T07:00:00Z")
    hold(site, 1)
    slot(site)
    (raw,) = site.wait_digests(ANN, 1)
    digest = email.message_from_bytes(raw, policy=email.policy.default)
    assert digest["From"].addresses[0].display_name == "Letters f\u00fcr dich"
    assert digest["From"].addresses[0].addr_spec == "letters@example.test"
    assert str(digest["Reply-To"]) == "help@example.test"
    assert str(digest["To"]) == ANN
    assert digest["Subject"] == "Your digest: 1 message from 1 sender, Monday 08:00"
    assert digest["Date"].datetime.strftime("%Y-%m-%dT%H:%M%z") == "2026-11-23T08:00+0000"
    assert re.fullmatch(r"<pullyu\.1795420800\.1\.[0-9a-f]{24}@[\w.-]+>", digest["Message-ID"])
    assert re.fullmatch(r"<digest\.[\w.-]+>", digest["List-Id"])
    assert digest["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch("v1; [0-9a-f]{64}", digest["X-Pullyu-Digest"])
    assert digest["Precedence"] is digest["List-Unsubscribe"] is digest["DKIM-Signature"] is None


def test_the_structure_as_an_imap_server_reads_it(morning):
    hold(morning, 2)
    slot(morning)
    morning.wait_digests(ANN, 1)
    with morning.imap.session(ANN) as session:
        session.imap.select("INBOX", readonly=True)
        _, ((structure),) = session.imap.fetch("1", "(BODYSTRUCTURE)")
        structure = structure.decode().lower()
        # The digest, and in it an alternative and two messages with their own subjects.
        assert structure.rstrip(")").rstrip().count('"message" "rfc822"') == 2
        for wanted in ('("text" "plain" ("charset" "utf-8"', '"alternative"', '"digest"', '"mixed"',
                       '"letter 0"', '"letter 1"'):
            assert wanted in structure, structure
        # An original by its number.
        _, parts = session.imap.fetch("1", "(BODY.PEEK[2.1.HEADER.FIELDS (SUBJECT)])")
        assert parts[0][1].strip() == b"Subject: letter 1"


def test_the_hold_list_is_the_reason(morning):
    morning.pullyu.call("hold", ANN, "mira@boats.example")
    morning.send(messages.personal(sender="mira@boats.example"), "mira@boats.example", [ANN])
    morning.wait_held(ANN, 1)
    text = morning.pullyu.run("preview", "--format", "text", ANN).stdout.decode()
    assert "Held because your hold list names its sender" in text


def test_a_broken_template_is_reported_once(make_site, tmp_path):
    site = make_site()
    templates = os.path.join(site.root, "template")
    os.mkdir(templates)
    with open(os.path.join(templates, "digest.html"), "w", encoding="utf-8") as file:
        file.write("<html>\n<script/></html>\n")
    site.pullyu.options["digest"]["template"] = templates
    site.start()
    site.clock_to("2026-11-23T07:00:00Z")
    hold(site, 1)
    hold(site, 1, rcpt=BOB, user=BOB)
    slot(site)
    for user in (ANN, BOB):
        (digest,) = site.wait_digests(user, 1)
        assert "<h1" in body(digest, "html") and "letter 0" in body(digest, "html")
    log = site.pullyu.daemon.text()
    assert log.count("digest.html:2: <script> may not stand in a digest") == 1
    assert "digest.html:2: <script>" in site.pullyu.call("check", code=1)
    # Mended, it counts at once.
    os.remove(os.path.join(templates, "digest.html"))
    with open(os.path.join(templates, "digest.css"), "w", encoding="utf-8") as file:
        file.write("body{color:#123456}\n")
    hold(site, 1)
    page = site.pullyu.run("preview", "--format", "html", ANN).stdout.decode()
    assert "<style>body{color:#123456}" in page
    assert site.pullyu.daemon.text().count("the digest's template is good again") == 1


def test_list_show_preview(morning):
    sent = hold(morning, 2)
    listed = morning.pullyu.json("list", ANN)
    assert [m["subject"] for m in listed] == ["letter 0", "letter 1"]
    assert all(m["class"] == "newsletter" and m["reasons"] and m["from_addr"] == NEWS
               for m in listed)
    assert "letter 1" in morning.pullyu.call("list", ANN)
    for entry, message in zip(listed, sent):
        shown = morning.pullyu.run("show", ANN, entry["id"])
        assert shown.returncode == 0 and shown.stdout == message.raw
    preview = morning.pullyu.run("preview", ANN)
    assert preview.returncode == 0
    assert len(originals(preview.stdout)) == 2
    assert len(morning.pullyu.held(ANN)) == 2
    assert "nothing" in morning.pullyu.call("list", BOB)
    assert morning.pullyu.json("list", BOB) == []


def test_release_now(morning):
    sent = hold(morning, 3)
    listed = morning.pullyu.json("list", ANN)
    assert "1 message" in morning.pullyu.call("release", ANN, listed[1]["id"])
    morning.wait_inbox(ANN, sent[1].raw)
    morning.wait_held(ANN, 2)
    assert "2 messages" in morning.pullyu.call("release", ANN)
    (digest,) = morning.wait_digests(ANN, 1)
    assert len(originals(digest)) == 2
    slot(morning)
    hold(morning, 1, rcpt=BOB, user=BOB)
    morning.clock_to("2026-11-24T08:00:01Z")
    morning.wait_digests(BOB, 1)
    assert len(morning.digests(ANN)) == 1
    found = assert_nothing_lost(morning)
    assert {f.delivered() for f in found.values()} == {1}


def test_drain_delivers_everything(morning):
    sent = hold(morning, 2) + hold(morning, 1, rcpt=BOB, user=BOB)
    assert morning.imap.flag(ANN, "Held", lambda m: b"letter 0" in m, "\\Seen") == 1
    morning.pullyu.call("drain")
    for message, user in zip(sent, (ANN, ANN, BOB)):
        morning.wait_inbox(user, message.raw)
    assert morning.pullyu.held() == []
    assert morning.digests(ANN) == []
    found = assert_nothing_lost(morning)
    assert {f.delivered() for f in found.values()} == {1}


def test_status_metrics_rebuild(morning):
    hold(morning, 2)
    status = morning.pullyu.status(ANN)
    assert status["held"] == 2
    assert status["next"] == "2026-11-23T08:00:00Z"
    assert ANN in morning.pullyu.call("status")
    assert any(value == 2 for value in morning.pullyu.json("metrics").values())
    assert "pullyu_" in morning.pullyu.call("metrics")
    assert "the index was right" in morning.pullyu.call("rebuild")


def test_without_the_daemon_a_clear_message(morning):
    hold(morning, 1)
    morning.pullyu.daemon.stop()
    for words in (["list", ANN], ["status"], ["release", ANN], ["drain"], ["allow", ANN, NEWS]):
        assert "pullyud" in morning.pullyu.call(*words, code=69)
    for words in (["check"], ["next", ANN]):  # these need no daemon
        morning.pullyu.call(*words)
    morning.pullyu.start_daemon()


def test_show_nobodys_message(morning):
    assert morning.pullyu.call("show", ANN, "no-such-id", code=66)
    assert morning.pullyu.call("show", ANN, "../../../../etc/passwd", code=66)


# The end of taking part.


def test_who_leaves_gets_all_at_once(morning):
    sent = hold(morning, 2)
    morning.write_user(ANN, "settings.ini", "[digest]\nenabled = no\n")
    for message in sent:
        morning.wait_inbox(ANN, message.raw)
    morning.wait_held(ANN, 0)
    assert morning.digests(ANN) == []
    assert_nothing_lost(morning)


def test_max_hold(make_site):
    """Times that never come do not keep mail for ever."""
    site = make_site()
    site.pullyu.options["release"]["max_hold"] = "2d"
    site.start()
    site.clock_to("2026-11-23T07:00:00Z")  # a Monday
    site.settings(ANN, times="Sun 10:00")
    hold(site, 2)
    site.clock_to("2026-11-24T07:00:00Z")
    hold(site, 1, rcpt=BOB, user=BOB)
    site.clock_to("2026-11-24T08:00:01Z")
    site.wait_digests(BOB, 1)
    assert site.inbox(ANN) == []
    site.clock_to("2026-11-25T07:00:30Z")
    wait_for(lambda: not site.pullyu.held(ANN), "max_hold to release", detail=site.logs)
    assert_nothing_lost(site)
