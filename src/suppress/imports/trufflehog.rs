//! TruffleHog: lists of regular expressions on paths, as `--exclude-paths` takes them.
//!
//! Must not know: other tools. Invariant: a line is taken over or named.

use super::{Taken, lines};

/// Reads a list.
pub(super) fn excluded_paths(text: &str) -> Taken {
    let mut taken = Taken::default();
    lines(text).for_each(|line| taken.path_expression(line, "excluded for TruffleHog"));
    taken
}
