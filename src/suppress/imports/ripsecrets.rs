//! ripsecrets: `.secretsignore`, patterns of paths and, under `[secrets]`, values in clear.
//!
//! Must not know: other tools. Invariant: no value leaves this module but as a [`Secret`].

use super::{Fate, Mark, Taken, lines};
use crate::model::Secret;

/// Reads the file.
pub(super) fn ignore_file(text: &str) -> Taken {
    let mut taken = Taken::default();
    let mut in_secrets = false;
    for line in lines(text) {
        if line.starts_with('[') && line.ends_with(']') {
            in_secrets = line == "[secrets]";
        } else if in_secrets {
            let mark = Mark::Value(Secret::new(line.as_bytes()));
            taken.known(mark, "in .secretsignore".to_owned());
        } else {
            taken.ignore_pattern(line);
        }
    }
    if !taken.known.is_empty() {
        let what =
            "it holds secrets in clear: once they are in the baseline, remove the file and its history";
        taken.note(Fate::NeedsYou, what);
    }
    taken
}
