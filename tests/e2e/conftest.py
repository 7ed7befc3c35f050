"""Fixtures of the end-to-end tests. Without root, Postfix or the built programs they are skipped,
and say why."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import harness  # noqa: E402
from programs import Binaries  # noqa: E402


def _build():
    build = os.environ.get("PULLYU_BUILDDIR")
    if not build:
        pytest.skip("PULLYU_BUILDDIR does not name a build directory")
    return build


@pytest.fixture(scope="session")
def binaries():
    binaries = Binaries(_build())
    try:
        if binaries.missing():
            pytest.fail(f"{binaries.build} lacks {', '.join(binaries.missing())}: run make there")
        yield binaries
    finally:
        binaries.remove()


@pytest.fixture(scope="session")
def mail_site_possible():
    reason = harness.why_not()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture
def make_site(mail_site_possible, binaries, request):
    """make_site(**options): a site that is not started yet; closed at the end of the test."""
    sites = []

    def make(**options):
        site = harness.Site(binaries, **options)
        sites.append(site)
        return site

    yield make
    report = getattr(request.node, "report_call", None)
    failed = report is None or report.failed
    problems = []
    for site in sites:
        if failed:
            print(site.logs())
        site._failed = failed
        try:
            site.close()
        except AssertionError as e:
            problems.append(str(e))
    assert not problems, "\n".join(problems)


@pytest.fixture
def site(make_site):
    """A running site whose users are ann, bob, carol, "quoted user" and jörg, all taking part."""
    site = make_site()
    site.start()
    return site


@pytest.fixture
def plain_site(mail_site_possible):
    """Postfix and Dovecot alone."""
    with harness.Site(pullyu=False) as site:
        yield site


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.report_call = report
