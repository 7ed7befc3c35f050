"""Bad input: a clear message each, and mail is delivered."""

import os
import subprocess

import pytest

import messages
from harness import ANN, BOB, assert_nothing_lost
from programs import replace
from waiting import wait_for

NEWS = "letter@news.example"
MORNING, SLOT = "2026-11-23T07:00:00Z", "2026-11-23T08:00:01Z"

BAD_SETTINGS = [
    ("[digest]\ntimes = 25:00\n", ":2: ", "times"),
    ("[digest]\ntimes = 08:00\ntimes = 09:00\n", ":3: ", "times"),
    ("[digest]\ntimes = Mon-Fry 08:00\n", ":2: ", "Fry"),
    ("[digest]\ntimezone = Europe/Amstredam\n", ":2: ", "Amstredam"),
    ("[digest]\noriginals = attached\n", ":2: ", "attach"),
    ("[digest]\ncolour = blue\n", ":2: ", "colour"),
    ("[hold]\nclasses = newsletter, security\n", ":2: ", "security"),
    ("times = 08:00\n", ":1: ", "section"),
    ("[digest\ntimes = 08:00\n", ":1: ", ""),
    ("\ufeff[digest]\ntimes = 08:00\n", "", ""),
    ("[digest]\ntimes = 08:00" + " " * 1100 + "\n", ":2: ", ""),
]


@pytest.mark.parametrize("text, where, what", BAD_SETTINGS)
def test_bad_settings_before_any_good_ones(site, text, where, what):
    """Nothing is known of what the user wants: everything passes."""
    site.clock_to(MORNING)
    site.write_user(ANN, "settings.ini", text)
    sent = site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_inbox(ANN, sent.raw)
    output = site.pullyu.call("check", ANN, code=1)
    assert f"settings.ini{where}" in output and what in output


def test_settings_turn_bad(site):
    """The last good ones stay, and the next digest says what is wrong."""
    site.clock_to(MORNING)
    site.settings(ANN, times="09:00")
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)
    wait_for(lambda: site.pullyu.status(ANN).get("next") == "2026-11-23T09:00:00Z",
             "pullyud to have seen the good ones", detail=site.logs)
    site.write_user(ANN, "settings.ini", "[digest]\ntimes = nine o'clock\n")
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 2)
    assert site.pullyu.status(ANN)["next"] == "2026-11-23T09:00:00Z"
    site.clock_to("2026-11-23T09:00:01Z")
    (digest,) = site.wait_digests(ANN, 1)
    assert b"settings.ini:2:" in digest
    site.settings(ANN, times="10:00")  # mended
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)
    wait_for(lambda: site.pullyu.status(ANN)["next"] == "2026-11-23T10:00:00Z", "the new time",
             detail=site.logs)
    site.clock_to("2026-11-23T10:00:01Z")
    digest = site.wait_digests(ANN, 2)[1]
    assert b"settings.ini" not in digest
    assert_nothing_lost(site)


def test_settings_of_somebody_elses_making(site):
    """A file that anybody may write, or that is no regular file, does not count."""
    site.clock_to(MORNING)
    site.settings(ANN)
    os.chmod(os.path.join(site.user_dir(ANN), "settings.ini"), 0o666)
    sent = site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_inbox(ANN, sent.raw)
    assert "settings.ini" in site.pullyu.call("check", ANN, code=1)
    path = os.path.join(site.user_dir(BOB), "settings.ini")
    os.makedirs(path)
    sent = site.send(messages.newsletter(), NEWS, [BOB])
    site.wait_inbox(BOB, sent.raw)


@pytest.mark.parametrize("name", ["allow", "hold"])
@pytest.mark.parametrize("line", ["not an entry", "@", "list:", "a@b@c", "*@news.example", "@.."])
def test_bad_list(site, name, line):
    site.clock_to(MORNING)
    site.write_user(ANN, name, f"# mine\nfriend@example.org\n{line}\n")
    sent = site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_inbox(ANN, sent.raw)
    assert f"{name}:3:" in site.pullyu.call("check", ANN, code=1)
    site.write_user(ANN, name, "# mine\nfriend@example.org\n")
    assert site.pullyu.call("check", ANN)
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)


def test_the_command_line_refuses_a_bad_entry(site):
    assert "not an entry" in site.pullyu.call("allow", ANN, "not an entry", code=65)
    assert not os.path.exists(os.path.join(site.user_dir(ANN), "allow"))


def test_bad_participants(site):
    """A mistake in the list of those who take part changes nothing until it is mended."""
    site.clock_to(MORNING)
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)
    replace(site.pullyu.participants, "ann@example.test\nthis is no address\n")
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_settled()
    assert "participants:2:" in site.pullyu.call("check", code=1)
    assert_nothing_lost(site)


def test_bad_rules(site):
    """A rule file with a mistake is refused with file, section and key; the old rules stay."""
    site.clock_to(MORNING)
    bad = os.path.join(site.pullyu.rules, "90-mine.ini")
    replace(bad, "[my-rule]\nclass = newsletter\nfakt = list-id\nweight = many\n")
    output = site.pullyu.call("check", code=1)
    assert "90-mine.ini:3:" in output and "my-rule" in output and "fakt" in output
    site.pullyu.milter.signal(10)  # SIGUSR1
    wait_for(lambda: "90-mine.ini" in site.pullyu.milter.text(), "the milter to complain",
             detail=site.logs)
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)
    sent = site.send(messages.personal(), "dora@friends.example", [ANN])
    site.wait_inbox(ANN, sent.raw)
    for program in (site.pullyu.milter, site.pullyu.daemon):
        program.stop()
        program.start()
        wait_for(program.died, f"{program.name} to refuse the rules", detail=program.tail)
        assert "90-mine.ini:3:" in program.tail()
    os.unlink(bad)
    site.pullyu.start_daemon()
    site.pullyu.start_milter()
    assert_nothing_lost(site)


@pytest.mark.parametrize(
    "section, key, value",
    [("release", "submit_port", "70000"), ("milter", "hold_max_size", "much"),
     ("digest", "colour", "blue"), ("paths", "spool", "here"), ("nowhere", "x", "1")],
)
def test_bad_configuration(make_site, section, key, value):
    site = make_site()
    site.pullyu.options.setdefault(section, {})[key] = value
    site.prepare()
    output = site.pullyu.call("check", code=1)
    assert "pullyu.conf:" in output and (key in output or section in output)
    for program in (site.pullyu.daemon, site.pullyu.milter):
        program.start()
        wait_for(program.died, f"{program.name} to refuse", detail=program.tail)
        assert "pullyu.conf:" in program.tail()


def test_configuration_turns_bad_while_running(site):
    site.clock_to(MORNING)
    site.pullyu.options["release"]["submit_port"] = "none"
    site.pullyu.write_config()
    for program in (site.pullyu.daemon, site.pullyu.milter):
        program.signal(10)
        wait_for(lambda p=program: "submit_port" in p.text(), f"{program.name} to complain",
                 detail=site.logs)
    site.pullyu.options["release"]["submit_port"] = site.ports["release"]
    site.pullyu.write_config()
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)
    site.clock_to(SLOT)
    site.wait_digests(ANN, 1)
    assert_nothing_lost(site)


UNPARSABLE = {
    "no header": b"\r\njust a body\r\n",
    "not a header": b"this is no header field\r\nneither is this\r\n\r\nbody\r\n",
    "empty": b"\r\n",
    "address groups": b"From: " + b"a:" * 3000 + b"\r\nTo: " + b":" * 900 + b"\r\n\r\nx\r\n",
    "comments": b"From: " + b"(" * 900 + b"\r\nSubject: " + b"(" * 900 + b"\r\n\r\nx\r\n",
    "broken encoded words": b"From: =?utf-8?q?=FF=ZZ?= <a@b.example>\r\n"
                            b"Subject: =?x-unknown?b?!!!?= =?utf-8?b?" + b"A" * 700 + b"\r\n\r\nx\r\n",
    "broken multipart": b"From: a@b.example\r\nMIME-Version: 1.0\r\n"
                        b'Content-Type: multipart/mixed; boundary="a\r\n\r\n--a\r\n--a--\r\n',
    "deep multipart": b"From: a@b.example\r\nMIME-Version: 1.0\r\n"
                      + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n'
                                 % (i, i) for i in range(400)) + b"\r\nx\r\n",
    "8-bit header": b"From: J\xf6rg <j@b.example>\r\nSubject: \xff\xfe\xfd\r\n\r\nx\r\n",
    "two of each": b"From: a@b.example\r\nFrom: c@d.example\r\nMessage-ID: <1@b>\r\n"
                   b"Message-ID: <2@b>\r\nSubject: x\r\nSubject: y\r\n\r\nx\r\n",
}


@pytest.mark.parametrize("name", UNPARSABLE)
def test_unparsable_mail(site, name):
    """Held because the user wants that sender held, so that every part of Pullyu reads it."""
    site.clock_to(MORNING)
    site.write_user(ANN, "hold", "@odd.example\n")
    raw = UNPARSABLE[name]
    if b"Message-ID" not in raw:
        # What Postfix itself would add or repair is not our business here.
        raw = b"X-Test: %s\r\n" % name.encode() + raw if raw[:4] in (b"From", b"\r\n") else raw
    site.send(raw, "bulk@odd.example", [ANN, BOB])
    site.wait_settled()
    wait_for(lambda: site.pullyu.held(ANN) or site.inbox(ANN), "it somewhere", detail=site.logs)
    held = len(site.pullyu.held(ANN))
    site.clock_to(SLOT)
    if held:
        site.wait_digests(ANN, 1)
        site.wait_held(ANN, 0)
    site.wait_settled()
    assert len(site.inbox(ANN)) == 1 and len(site.inbox(BOB)) == 1
    tail = b"x\r\n" if raw.endswith(b"x\r\n") else raw.rpartition(b"\r\n\r\n")[2]
    assert tail.rstrip() in site.inbox(ANN)[0]
    assert site.pullyu.daemon.running() and site.pullyu.milter.running()


def test_foreign_files_in_the_folders(site):
    site.clock_to(MORNING)
    for i in range(2):
        site.send(messages.newsletter(subject=f"letter {i}"), NEWS, [ANN])
    site.wait_held(ANN, 2)
    folder = os.path.join(site.pullyu.spool, "users", "example.test", "ann")
    foreign = {
        "new/notes.txt": b"not a message of ours\n",
        "cur/1234.M1P1.host:2,": b"From: x@y.example\r\n\r\nno trace fields\r\n",
        "new/.hidden": b"x",
        "new/empty": b"",
        "cur/1235.M1P1.host:2,S": bytes(range(256)) * 100,
        "tmp/half": b"half",
        "dovecot-uidlist": b"3 V1 N1\n",
    }
    for name, data in foreign.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
    os.mkdir(os.path.join(folder, "new", "directory"))
    os.symlink("/etc/passwd", os.path.join(folder, "cur", "1236.M1P1.link:2,"))
    os.mkfifo(os.path.join(folder, "new", "1237.fifo"))
    os.makedirs(os.path.join(site.pullyu.spool, "users", "not a domain", "x", "new"))
    with open(os.path.join(site.pullyu.spool, "incoming", "strange"), "wb") as f:
        f.write(b"no trace fields\n")
    assert len(site.pullyu.json("list", ANN)) == 2
    site.pullyu.call("rebuild")
    site.pullyu.daemon.stop()
    site.pullyu.start_daemon()
    assert len(site.pullyu.json("list", ANN)) == 2
    site.clock_to(SLOT)
    (digest,) = site.wait_digests(ANN, 1)
    assert b"root:" not in digest
    wait_for(lambda: site.pullyu.status(ANN).get("held", 0) == 0, "the release to end",
             detail=site.logs)
    for name, data in foreign.items():
        with open(os.path.join(folder, name), "rb") as f:
            assert f.read() == data, name
    assert "incoming/strange" in site.pullyu.daemon.text()
    os.unlink(os.path.join(site.pullyu.spool, "incoming", "strange"))
    assert_nothing_lost(site)


def wait_put_off(site, count):
    wait_for(lambda: site.pullyu.daemon.text().count("release put off") >= count,
             "a release to be put off", detail=site.logs)


def test_full_disk(make_site):
    """A full disk: what would be held passes; what is held waits until there is room again."""
    site = make_site()
    spool = site.pullyu.spool
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size=300k,uid={os.stat(spool).st_uid},mode=755", "pullyu",
         spool], check=False, stderr=subprocess.PIPE)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.decode().strip()}")
    site.cleanups.append(lambda: subprocess.run(["umount", spool], check=True))
    site.start()
    site.clock_to(MORNING)
    line = "one more line of a long letter to fill the room\n"
    site.send(messages.newsletter(body=line * 1000), NEWS, [ANN])
    site.wait_held(ANN, 1)
    # Too large for what is left: passes while the body comes in.
    large = site.send(messages.newsletter(body=line * 6000), NEWS, [ANN, BOB])
    site.wait_inbox(ANN, large.raw)
    site.wait_inbox(BOB, large.raw)
    filler = os.path.join(spool, "filler")
    fd = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space left"):
        while True:
            os.write(fd, b"x" * 4096)
    os.close(fd)
    small = site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_inbox(ANN, small.raw)
    assert "No space left" in site.pullyu.milter.text()
    assert len(site.pullyu.held(ANN)) == 1 and os.listdir(os.path.join(spool, "tmp")) == []
    # The digest cannot be written: it is put off, and comes once there is room again.
    site.clock_to(SLOT)
    wait_put_off(site, 1)
    assert len(site.pullyu.held(ANN)) == 1
    # Where that lasts, the original is delivered all the same.
    for day in range(24, 27):
        for hour in (1, 8, 15, 22):
            put_off = site.pullyu.daemon.text().count("release put off")
            site.clock_to(f"2026-11-{day}T{hour:02}:00:00Z")
            wait_for(lambda: not site.pullyu.held(ANN)
                     or site.pullyu.daemon.text().count("release put off") > put_off,
                     "another attempt", detail=site.logs)
    site.wait_held(ANN, 0)
    assert "No space left" in site.pullyu.daemon.text()
    assert_nothing_lost(site)
    os.unlink(filler)
    site.clock_to("2026-11-28T07:00:00Z")
    site.send(messages.newsletter(), NEWS, [ANN])
    site.wait_held(ANN, 1)
    site.clock_to("2026-11-28T08:00:01Z")
    site.wait_digests(ANN, 1)
    assert_nothing_lost(site)
