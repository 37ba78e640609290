"""Files that are dated in the future are dated now, in their order."""

import os
import time

from amb.file_times import date_future_files_now


def dated(file, seconds):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    os.utime(file, (time.time() + seconds,) * 2)
    return file


def moment(file):
    return file.stat().st_mtime_ns


def test_files_of_tomorrow_are_of_now_and_keep_their_order(tmp_path):
    past = dated(tmp_path / "past", -60)
    before, late = moment(past), dated(tmp_path / "a" / "late", 90_000)
    soon, between = dated(tmp_path / "b" / "soon", 30), dated(tmp_path / "between", 86_400)
    assert date_future_files_now(tmp_path) == 3
    assert moment(past) == before < moment(soon) < moment(between) < moment(late) <= time.time_ns()
    assert date_future_files_now(tmp_path) == 0


def test_a_file_that_was_just_written_stays_as_it_is(tmp_path):
    file = dated(tmp_path / "new", 0.5)
    before = moment(file)
    assert date_future_files_now(tmp_path) == 0
    assert moment(file) == before


def test_without_a_folder_there_is_nothing_to_do(tmp_path):
    assert date_future_files_now(tmp_path / "none") == 0


def test_a_link_is_dated_and_not_what_it_leads_to(tmp_path):
    target = dated(tmp_path / "elsewhere", -60)
    folder = tmp_path / "folder"
    folder.mkdir()
    link = folder / "link"
    link.symlink_to(target)
    os.utime(link, (time.time() + 900,) * 2, follow_symlinks=False)
    before = moment(target)
    assert date_future_files_now(folder) == 1
    assert moment(target) == before
    assert link.lstat().st_mtime_ns <= time.time_ns()
