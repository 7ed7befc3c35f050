"""Slots of random rules in random zones, against Python's own reading of the same zone data.

The oracle works from the other end than schedule.c: it takes each local time with fold=0 (PEP 495: the
first of two occurrences), sees by a round trip whether that time exists, and otherwise looks for the
end of the gap.
"""

import os
import random
import subprocess
import zoneinfo
from datetime import datetime, timedelta, timezone

BUILD = os.environ.get("PULLYU_BUILDDIR", os.getcwd())
PRINT = os.path.join(BUILD, "tests/unit/schedule_print")
SEED = int(os.environ.get("PULLYU_SEED", "20261122"))
CASES = 10000
COUNT = 4
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
# tzdata's tables end in 2037; a rule serves for later. GLib 2.74 reads Ireland's (its daylight saving is
# negative, in winter) the wrong way round.
TABLES_END = 2145916800
NEGATIVE_SAVING = {"Europe/Dublin", "Eire"}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def zones():
    names = set()
    with open("/usr/share/zoneinfo/tzdata.zi", encoding="ascii") as f:
        for line in f:
            words = line.split()
            if words[0] == "Z":
                names.add(words[1])
            elif words[0] == "L":
                names.add(words[2])
    names.discard("Factory")
    return sorted(names)


def offset(tz, when):
    return (EPOCH + timedelta(seconds=when)).astimezone(tz).utcoffset()


def transition(tz, low, high):
    """The first second in (low, high] whose offset is not that of low."""
    before = offset(tz, low)
    while high - low > 1:
        middle = (low + high) // 2
        if offset(tz, middle) == before:
            low = middle
        else:
            high = middle
    return high


def instant(tz, naive):
    aware = naive.replace(tzinfo=tz, fold=0)
    when = int((aware.astimezone(timezone.utc) - EPOCH).total_seconds())
    back = (EPOCH + timedelta(seconds=when)).astimezone(tz).replace(tzinfo=None)
    if back == naive:
        return when
    early = int((naive.replace(tzinfo=tz, fold=1).astimezone(timezone.utc) - EPOCH).total_seconds())
    assert early < when, (tz, naive)
    return transition(tz, early, when)


def day_of(when, tz):
    return (EPOCH + timedelta(seconds=when)).astimezone(tz).date()


class Rule:
    """What a settings file says of times: weeks (pairs of a set of weekdays and a minute of the day),
    days of their own, a stay in another zone, a pause."""

    def __init__(self, tz, week, exceptions=(), stay=None, pause=None):
        self.tz, self.week, self.exceptions, self.stay, self.pause = tz, week, exceptions, stay, pause

    def minutes(self, day):
        for first, last, minutes in self.exceptions:
            if first <= day <= last:
                return minutes
        return [minute for weekdays, minute in self.week if day.weekday() in weekdays]

    def zone(self, day):
        return self.stay[1] if self.stay and day < self.stay[0] else self.tz


def expected(rule, after, count):
    """The next slots. Days are looked at one by one, from before the instant until nothing can come
    that is earlier than what was found."""
    day = day_of(after, rule.tz) - timedelta(days=3)
    last = day + timedelta(days=8 * (count + 2))
    for until in [rule.pause, rule.stay and rule.stay[0]] + [end for _, end, _ in rule.exceptions]:
        if until:
            last = max(last, until + timedelta(days=8 * (count + 2)))
    found = set()
    while day <= last:
        if not rule.pause or day >= rule.pause:
            for minute in rule.minutes(day):
                naive = datetime(day.year, day.month, day.day, minute // 60, minute % 60)
                found.add(instant(rule.zone(day), naive))
        day += timedelta(days=1)
        if day.day % 8 == 0:
            early = sorted(when for when in found if when > after)[:count]
            # Every slot of a later day is later than this.
            midnight = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
            if len(early) == count and early[-1] < (midnight - EPOCH).total_seconds() - 2 * 86400:
                break
    return sorted(when for when in found if when > after)[:count]


def line_of(name, after, count, text, exceptions="", stay="", pause=""):
    return f"{name}\t{after}\t{count}\t{text}\t{exceptions}\t{stay}\t{pause}\n"


def answers_to(given):
    run = subprocess.run([PRINT], input=given, capture_output=True, text=True, timeout=300, check=True)
    return run.stdout.splitlines()


def text_of(found, count):
    return " ".join([str(when) for when in found] + ["end"] * (len(found) < count))


def random_near_change(rng, tz):
    """A change of the clocks in a random year, or None."""
    year = rng.randint(1970, 2060)
    start = int((datetime(year, 1, 1, tzinfo=timezone.utc) - EPOCH).total_seconds())
    changes = []
    last = offset(tz, start)
    for step in range(start, start + 366 * 86400, 10 * 86400):
        now = offset(tz, step)
        if now != last:
            changes.append(transition(tz, step - 10 * 86400, step))
        last = now
    return rng.choice(changes) if changes else None


def random_rule(rng, around):
    groups = []
    for _ in range(rng.randint(1, 3)):
        weekdays = set(range(7)) if rng.random() < 0.5 else set(rng.sample(range(7), rng.randint(1, 4)))
        minutes = []
        for _ in range(rng.randint(1, 3)):
            if around is not None and rng.random() < 0.7:
                minutes.append((around + rng.randint(-100, 100)) % 1440)
            else:
                minutes.append(rng.randrange(1440))
        groups.append((weekdays, minutes))
    text = ", ".join(
        " ".join([DAYS[d] for d in sorted(weekdays)] if len(weekdays) < 7 else [])
        + " " + " ".join(f"{m // 60:02}:{m % 60:02}" for m in minutes)
        for weekdays, minutes in groups)
    return text.strip(), [(w, m) for w, minutes in groups for m in minutes]


def random_days(rng, near):
    """Exceptions around a day: the text, and rows of first day, last day, minutes."""
    rows, day = [], near - timedelta(days=rng.randint(0, 4))
    for _ in range(rng.randint(1, 4)):
        first = day + timedelta(days=rng.randint(0, 3))
        last = first + timedelta(days=rng.choice((0, 0, 0, 1, 5, 40)))
        minutes = rng.sample(range(1440), rng.randint(0, 2))
        rows.append((first, last, minutes))
        day = last + timedelta(days=1)
    shuffled = rng.sample(rows, len(rows))
    text = ", ".join(
        (f"{first}" if first == last else f"{first}..{last}") + " "
        + (" ".join(f"{m // 60:02}:{m % 60:02}" for m in minutes) if minutes else "none")
        for first, last, minutes in shuffled)
    return text, rows


def random_case(rng, names):
    name = rng.choice(names)
    tz = zoneinfo.ZoneInfo(name)
    change = random_near_change(rng, tz) if rng.random() < 0.7 else None
    if change is None:
        after = rng.randint(0, 2840140800)
        around = None
    else:
        after = change - rng.randint(-7200, 2 * 86400)
        local = (EPOCH + timedelta(seconds=change)).astimezone(tz)
        around = local.hour * 60 + local.minute
    if name in NEGATIVE_SAVING and after > TABLES_END:
        return random_case(rng, names)
    text, week = random_rule(rng, around)
    rule = Rule(tz, week)
    exceptions = stay = pause = ""
    near = day_of(after, tz)
    if 2001 <= near.year <= 2058:  # dates in settings lie between 2000 and 2099
        if rng.random() < 0.3:
            exceptions, rule.exceptions = random_days(rng, near)
        if rng.random() < 0.1:
            text, rule.week = "none", []
        if rng.random() < 0.3:
            other = rng.choice(names)
            if other not in NEGATIVE_SAVING:
                rule.stay = near + timedelta(days=rng.randint(-1, 6)), zoneinfo.ZoneInfo(other)
                stay = f"{rule.stay[0]} {other}"
        if rng.random() < 0.2:
            rule.pause = near + timedelta(days=rng.randint(-1, 6))
            pause = str(rule.pause)
    return rule, after, line_of(name, after, COUNT, text, exceptions, stay, pause)


def test_against_zoneinfo():
    rng = random.Random(SEED)
    names = zones()
    assert len(names) > 400
    cases = [random_case(rng, names) for _ in range(CASES)]
    answers = answers_to("".join(line for _, _, line in cases))
    assert len(answers) == len(cases)
    wrong = []
    gaps = overlaps = days = stays = pauses = ends = 0
    for (rule, after, line), answer in zip(cases, answers):
        found = expected(rule, after, COUNT)
        want = text_of(found, COUNT) if rule.week or rule.exceptions else "end"
        days += bool(rule.exceptions)
        stays += bool(rule.stay)
        pauses += bool(rule.pause)
        ends += len(found) < COUNT
        for when in found:
            local = (EPOCH + timedelta(seconds=when)).astimezone(rule.tz)
            if rule.stay or rule.exceptions:
                continue
            if all(local.hour * 60 + local.minute != m for _, m in rule.week):
                gaps += 1
            elif local.replace(fold=1).utcoffset() != local.utcoffset():
                overlaps += 1
        if answer != want:
            wrong.append(f"{line!r}: got {answer}, want {want}")
    assert not wrong, "\n".join(wrong[:20]) + f"\nseed {SEED}, {len(wrong)} wrong"
    # The cases must have been worth it.
    worth = {"gaps": gaps, "overlaps": overlaps, "days": days, "stays": stays, "pauses": pauses,
             "ends": ends}
    assert min(worth.values()) > 100, worth


def test_a_year_slot_by_slot():
    """Each slot once: walking from slot to slot through a year misses none and repeats none."""
    given, wants = "", []
    for name in ("Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati",
                 "UTC", "America/Havana", "Africa/Casablanca", "America/Sao_Paulo"):
        # Brazil's clocks changed at midnight, and stopped changing in 2019.
        year = 2018 if name == "America/Sao_Paulo" else 2026
        week = [(set(range(7)), 150), (set(range(5)), 480), ({5, 6}, 0), ({5, 6}, 105)]
        text = "02:30, Mon-Fri 08:00, Sat Sun 00:00 01:45"
        after = int((datetime(year, 1, 1, tzinfo=timezone.utc) - EPOCH).total_seconds())
        want = expected(Rule(zoneinfo.ZoneInfo(name), week), after, 820)
        given += line_of(name, after, len(want), text)
        wants.append((name, " ".join(map(str, want))))
    for (name, want), got in zip(wants, answers_to(given)):
        assert got == want, name
