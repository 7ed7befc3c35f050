"""Slots of random rules in random zones, against Python's own reading of the same zone data.

The oracle works from the other end than schedule.c: it takes each local time with fold=0 (PEP 495: the
first of two occurrences), sees by a round trip whether that time exists, and otherwise looks for the
end of the gap.
"""

import os
import random
import subprocess
import zoneinfo
from datetime import date, datetime, timedelta, timezone

BUILD = os.environ.get("PULLYU_BUILDDIR", os.getcwd())
PRINT = os.path.join(BUILD, "tests/unit/schedule_print")
SEED = int(os.environ.get("PULLYU_SEED", "20261122"))
CASES = 3000
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


def expected(tz, after, rule, count):
    """rule: pairs of a set of weekdays and a minute of the day."""
    first = (EPOCH + timedelta(seconds=after)).astimezone(tz).date() - timedelta(days=3)
    found = set()
    for n in range(8 * (count + 2)):
        day = first + timedelta(days=n)
        for weekdays, minute in rule:
            if day.weekday() in weekdays:
                naive = datetime(day.year, day.month, day.day, minute // 60, minute % 60)
                when = instant(tz, naive)
                if when > after:
                    found.add(when)
        # Every slot of a later day is later by more than a day.
        if len(found) >= count and n > 8:
            early = sorted(found)[:count]
            if early[-1] < (datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
                            - EPOCH).total_seconds() - 2 * 86400:
                break
    return sorted(found)[:count]


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
    text, rule = random_rule(rng, around)
    return name, tz, after, text, rule


def test_against_zoneinfo():
    rng = random.Random(SEED)
    names = zones()
    assert len(names) > 400
    cases = [random_case(rng, names) for _ in range(CASES)]
    count = 4
    given = "".join(f"{name}\t{after}\t{count}\t{text}\n" for name, _, after, text, _ in cases)
    run = subprocess.run([PRINT], input=given, capture_output=True, text=True, timeout=300, check=True)
    answers = run.stdout.splitlines()
    assert len(answers) == len(cases)
    wrong = []
    gaps = overlaps = 0
    for (name, tz, after, text, rule), answer in zip(cases, answers):
        want = expected(tz, after, rule, count)
        for when in want:
            local = (EPOCH + timedelta(seconds=when)).astimezone(tz)
            if all(local.hour * 60 + local.minute != m for _, m in rule):
                gaps += 1
            elif local.replace(fold=1).utcoffset() != local.utcoffset():
                overlaps += 1
        if answer != " ".join(map(str, want)):
            wrong.append(f"{name} after {after} {text!r}: got {answer}, want {want}")
    assert not wrong, "\n".join(wrong[:20]) + f"\nseed {SEED}, {len(wrong)} wrong"
    # The cases must have been worth it.
    assert gaps > 100 and overlaps > 100, (gaps, overlaps)


def test_a_year_slot_by_slot():
    """Each slot once: walking from slot to slot through a year misses none and repeats none."""
    given, wants = "", []
    for name in ("Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati",
                 "UTC", "America/Havana", "Africa/Casablanca"):
        tz = zoneinfo.ZoneInfo(name)
        rule = [(set(range(7)), 150), (set(range(5)), 480), ({5, 6}, 0), ({5, 6}, 105)]
        text = "02:30, Mon-Fri 08:00, Sat Sun 00:00 01:45"
        start = date(2026, 1, 1)
        after = int((datetime(2026, 1, 1, tzinfo=timezone.utc) - EPOCH).total_seconds())
        found = set()
        for n in range(-3, 380):
            day = start + timedelta(days=n)
            for weekdays, minute in rule:
                if day.weekday() in weekdays:
                    when = instant(tz, datetime(day.year, day.month, day.day, minute // 60, minute % 60))
                    if when > after:
                        found.add(when)
        want = sorted(found)[:820]
        given += f"{name}\t{after}\t{len(want)}\t{text}\n"
        wants.append((name, " ".join(map(str, want))))
    run = subprocess.run([PRINT], input=given, capture_output=True, text=True, timeout=300, check=True)
    for (name, want), got in zip(wants, run.stdout.splitlines()):
        assert got == want, name
