"""Lengths of time as people say them."""

from amb.durations import duration


def test_seconds_become_what_people_say():
    shown = [duration(s) for s in (0.4, 59.4, 59.6, 188, 3600, 7512, 3 * 86400 + 7200)]
    assert shown == [
        "0 s",
        "59 s",
        "1 min 00 s",
        "3 min 08 s",
        "1 h 00 min",
        "2 h 05 min",
        "3 d 2 h",
    ]
