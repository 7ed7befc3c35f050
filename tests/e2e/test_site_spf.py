"""SPF through the whole chain: the client's address from Postfix, the question from the milter to
pullyud, libspf2 in a worker, and what the answer means for an entry of the allow list. The DNS is a
zone file; test_spf.py has libspf2 ask a real server."""

import os

import pytest

import messages
from harness import ANN
from programs import replace

NEWS = "letter@news.example"
ZONE = """\
news.example|TXT|v=spf1 ip4:192.0.2.0/24 ip6:2001:db8:1::/48 -all
silent.example|A|192.0.2.1
down.example|TXT|!tryagain
broken.example|TXT|v=spf1 nonsense -all
soft.example|TXT|v=spf1 ~all
helo.example|TXT|v=spf1 ip4:192.0.2.25 -all
"""


@pytest.fixture
def spf_site(make_site):
    site = make_site()
    path = os.path.join(site.root, "zone")
    replace(path, ZONE)
    for program in (site.pullyu.daemon, site.pullyu.milter):
        program.environment["PULLYU_TEST_SPF_ZONE"] = path
    site.start()
    site.clock_to("2026-11-23T07:00:00Z")
    return site


@pytest.mark.parametrize(
    "client, domain, passes",
    [
        ("192.0.2.9", "news.example", True),
        ("2001:db8:1::9", "news.example", True),
        ("198.51.100.9", "news.example", False),
        ("2001:db8:2::9", "news.example", False),
        # In doubt, deliver: no record, no answer, a mistake in the record, a soft fail.
        ("198.51.100.9", "silent.example", True),
        ("198.51.100.9", "nowhere.example", True),
        ("198.51.100.9", "down.example", True),
        ("198.51.100.9", "broken.example", True),
        ("198.51.100.9", "soft.example", True),
    ],
)
def test_allow_list_and_spf(spf_site, client, domain, passes):
    sender = f"letter@{domain}"
    spf_site.write_user(ANN, "allow", f"@{domain}\n")
    raw = messages.newsletter(sender=f"Letter <{sender}>")
    sent = spf_site.send(raw, sender, [ANN], client=client)
    if passes:
        spf_site.wait_inbox(ANN, sent.raw)
        assert spf_site.pullyu.held(ANN) == []
    else:
        spf_site.wait_held(ANN, 1)
        assert spf_site.inbox(ANN) == []
    assert spf_site.pullyu.json("metrics")["spf_total"] == 1


def test_spf_is_asked_only_where_it_matters(spf_site):
    """Nobody's list names the sender: no DNS."""
    spf_site.write_user(ANN, "allow", "friend@friends.example\n")
    spf_site.send(messages.newsletter(), NEWS, [ANN], client="198.51.100.9")
    spf_site.wait_held(ANN, 1)
    sent = spf_site.send(messages.personal(), "dora@news.example", [ANN], client="198.51.100.9")
    spf_site.wait_inbox(ANN, sent.raw)
    assert spf_site.pullyu.json("metrics")["spf_total"] == 0


def test_a_worker_that_dies_over_spf(spf_site):
    """In doubt, deliver; and pullyud goes on."""
    replace(os.path.join(spf_site.root, "zone"), "news.example|NONSENSE|x\n")
    spf_site.write_user(ANN, "allow", NEWS + "\n")
    sent = spf_site.send(messages.newsletter(), NEWS, [ANN], client="198.51.100.9")
    spf_site.wait_inbox(ANN, sent.raw)
    assert spf_site.pullyu.daemon.running()
