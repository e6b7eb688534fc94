//! Values that stand in file names, taken out of the names.
//!
//! Must not know: formats.
//! Invariant: afterwards no name in the report holds a value that was found in it or in another name.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::{FilePath, Provenance, Report};

/// What stands for a value in a name: git and shells take the name for a pattern that still means the file.
const STAND_IN: u8 = b'*';

/// Shorter values are passwords that may be the name of a directory as well.
const SHORTEST: usize = 8;

/// The report without values in names; the same one if there are none, which is nearly always.
pub(super) fn without_values(report: &Report) -> Cow<'_, Report> {
    let values: Vec<&[u8]> = report
        .findings
        .iter()
        .filter(|finding| contains(finding.provenance.path.as_bytes(), finding.secret.expose()))
        .map(|finding| finding.secret.expose())
        .collect();
    if values.is_empty() {
        return Cow::Borrowed(report);
    }
    let mut safe = report.clone();
    for finding in &mut safe.findings {
        let path = masked(&finding.provenance.path, &values);
        finding.provenance = Arc::new(Provenance { path, ..Provenance::clone(&finding.provenance) });
    }
    for path in safe.problems.iter_mut().filter_map(|problem| problem.path.as_mut()) {
        *path = masked(path, &values);
    }
    Cow::Owned(safe)
}

fn contains(name: &[u8], value: &[u8]) -> bool {
    value.len() >= SHORTEST && memchr::memmem::find(name, value).is_some()
}

fn masked(path: &FilePath, values: &[&[u8]]) -> FilePath {
    let mut name = path.as_bytes().to_vec();
    for value in values {
        while let Some(at) = memchr::memmem::find(&name, value) {
            name.splice(at..at + value.len(), [STAND_IN]);
        }
    }
    FilePath::from_bytes(name)
}

#[cfg(test)]
mod tests {
    use super::masked;
    use crate::model::FilePath;

    #[test]
    fn every_value_leaves_every_name() {
        let values: [&[u8]; 2] = [b"abc", b"de"];
        for (name, expected) in [("k=abc/abcde", "k=*/**"), ("a/b", "a/b"), ("ab\u{e9}c", "ab\u{e9}c")] {
            assert_eq!(masked(&FilePath::from(name), &values).to_text(), expected);
        }
    }
}
