//! Moments as programs read them.
//!
//! Must not know: clocks, time zones by name. Invariant: any number of seconds gives a date, and nothing overflows.

use crate::model::{Commit, Day};

const DAY: i64 = 86_400;

/// The day on the clock of the commit's author, `2026-03-02`.
pub(super) fn day(commit: &Commit) -> String {
    Day::of_moment(local(commit)).to_string()
}

/// The moment on the clock of the commit's author, `2026-03-02T09:30:00+02:00`.
pub(super) fn stamp(commit: &Commit) -> String {
    let sign = if commit.offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (commit.offset.unsigned_abs() / 60, commit.offset.unsigned_abs() % 60);
    format!("{}{sign}{hours:02}:{minutes:02}", without_zone(local(commit)))
}

/// The moment without its zone, `2026-03-02T09:30:00`.
pub(super) fn without_zone(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(DAY);
    let (hours, minutes, seconds_left) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{}T{hours:02}:{minutes:02}:{seconds_left:02}", Day::of_moment(seconds))
}

/// Whole days from one moment to a later one.
pub(super) fn days_between(first: i64, last: i64) -> u64 {
    u64::try_from(last.saturating_sub(first) / DAY).unwrap_or(0)
}

fn local(commit: &Commit) -> i64 {
    commit.time.saturating_add(i64::from(commit.offset) * 60)
}

#[cfg(test)]
mod tests {
    use super::{days_between, stamp};
    use crate::model::Commit;

    fn at(time: i64, offset: i16) -> Commit {
        Commit { id: String::new(), author: String::new(), time, offset, is_root: false }
    }

    #[test]
    fn moments_are_those_of_the_author() {
        for (time, offset, expected) in [
            (0, 0, "1970-01-01T00:00:00+00:00"),
            (1_772_435_400, 120, "2026-03-02T09:10:00+02:00"),
            (1_772_435_400, -570, "2026-03-01T21:40:00-09:30"),
        ] {
            assert_eq!(stamp(&at(time, offset)), expected);
        }
        assert!(!stamp(&at(i64::MAX, i16::MAX)).is_empty());
        assert_eq!((days_between(0, 3 * 86_400), days_between(9, 0)), (3, 0));
    }
}
