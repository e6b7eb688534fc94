//! Which lines of a text are new against an earlier one.
//!
//! Must not know: git, objects, paths.
//! Invariant: never leaves a new line out. Where it would cost too much to know, it says so and everything counts.

use std::collections::HashMap;

use imara_diff::{Algorithm, Diff, InternedInput};

/// Larger texts are not compared.
const LARGEST_COMPARED: usize = 8 * 1024 * 1024;

/// Inclusive ranges of lines from 1, sorted and disjoint.
pub(super) type LineRanges = Vec<(u32, u32)>;

/// The lines of `after` that are not in `before`, in the sense of a line diff; `None` when it would cost too much.
pub(super) fn added_lines(before: &[u8], after: &[u8]) -> Option<LineRanges> {
    if before.len().max(after.len()) > LARGEST_COMPARED {
        return None;
    }
    let input = InternedInput::new(before, after);
    let diff = Diff::compute(Algorithm::Histogram, &input);
    let added = diff.hunks().map(|hunk| hunk.after).filter(|lines| !lines.is_empty());
    Some(added.map(|lines| (lines.start + 1, lines.end)).collect())
}

/// The lines that are in both.
pub(super) fn intersect(one: &LineRanges, other: &LineRanges) -> LineRanges {
    let mut common = Vec::new();
    let (mut left, mut right) = (0, 0);
    while let (Some(&(start, end)), Some(&(other_start, other_end))) = (one.get(left), other.get(right)) {
        let (first, last) = (start.max(other_start), end.min(other_end));
        if first <= last {
            common.push((first, last));
        }
        if end < other_end { left += 1 } else { right += 1 }
    }
    common
}

/// How much of the larger text stands in both, line by line, in percent.
pub(super) fn similarity(before: &[u8], after: &[u8]) -> usize {
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    for line in before.split_inclusive(|&byte| byte == b'\n') {
        *counts.entry(line).or_default() += 1;
    }
    let mut common = 0;
    for line in after.split_inclusive(|&byte| byte == b'\n') {
        if let Some(count) = counts.get_mut(line).filter(|count| **count > 0) {
            *count -= 1;
            common += line.len();
        }
    }
    common * 100 / before.len().max(after.len()).max(1)
}

#[cfg(test)]
mod tests {
    use super::{added_lines, intersect, similarity};

    #[test]
    fn added_and_changed_lines_are_named() {
        type Case = (&'static str, &'static str, &'static [(u32, u32)]);
        let cases: [Case; 8] = [
            ("", "a\nb\n", &[(1, 2)]),
            ("a\nb\n", "a\nb\n", &[]),
            ("a\nb\nc\n", "a\nc\n", &[]),
            ("a\nb\nc\n", "a\nx\nc\n", &[(2, 2)]),
            ("a\nc\n", "a\nb\nc\nd\n", &[(2, 2), (4, 4)]),
            ("a", "a\n", &[(1, 1)]),
            ("a\nb\n", "a\r\nb\n", &[(1, 1)]),
            ("a\n", "a\nlast without end", &[(2, 2)]),
        ];
        for (before, after, expected) in cases {
            assert_eq!(
                added_lines(before.as_bytes(), after.as_bytes()).as_deref(),
                Some(expected),
                "{after:?}"
            );
        }
    }

    #[test]
    fn huge_texts_are_not_compared() {
        let huge = vec![b'a'; super::LARGEST_COMPARED + 1];
        assert_eq!(added_lines(b"a", &huge), None);
    }

    #[test]
    fn ranges_intersect() {
        assert_eq!(intersect(&vec![(1, 3), (5, 9)], &vec![(2, 6), (8, 8)]), [(2, 3), (5, 6), (8, 8)]);
        assert_eq!(intersect(&vec![(1, 3)], &vec![]), []);
    }

    #[test]
    fn similarity_is_in_percent() {
        assert_eq!(similarity(b"a\nb\n", b"a\nb\n"), 100);
        assert_eq!(similarity(b"a\nb\n", b"a\nc\n"), 50);
        assert_eq!(similarity(b"", b""), 0);
    }
}
