//! Values that stand in what people name: files, branches, authors, reasons. They are taken out of every text.
//!
//! Must not know: formats.
//! Invariant: afterwards no text of the report holds a value that was found, whoever wrote the text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Commit, Exposure, FilePath, Finding, Notice, Problem, Provenance, Report, Verdict};

/// What stands for a value in a name: git and shells take the name for a pattern that still means the file.
const STAND_IN: u8 = b'*';

/// Shorter values are passwords that may be the name of a directory as well.
const SHORTEST: usize = 8;

/// The report without values in its texts (paths, names, messages, reasons); the same one where nothing was found.
pub fn without_values(report: &Report) -> Cow<'_, Report> {
    let values = Values::of(report);
    if values.by_beginning.is_empty() {
        return Cow::Borrowed(report);
    }
    let mut safe = report.clone();
    safe.findings.iter_mut().for_each(|finding| values.clear_finding(finding));
    safe.credentials
        .iter_mut()
        .filter_map(|set| set.exposure.as_mut())
        .for_each(|exposure| values.clear_exposure(exposure));
    safe.problems.iter_mut().for_each(|problem| values.clear_problem(problem));
    safe.notices.iter_mut().for_each(|notice| values.clear_notice(notice));
    Cow::Owned(safe)
}

/// The values that must not be seen, longest first, by how they begin.
struct Values<'a> {
    by_beginning: HashMap<[u8; SHORTEST], Vec<&'a [u8]>>,
}

impl<'a> Values<'a> {
    fn of(report: &'a Report) -> Self {
        let mut by_beginning: HashMap<[u8; SHORTEST], Vec<&[u8]>> = HashMap::new();
        for value in report.findings.iter().map(|finding| finding.secret.expose()) {
            if let Some(beginning) = value.first_chunk() {
                by_beginning.entry(*beginning).or_default().push(value);
            }
        }
        for values in by_beginning.values_mut() {
            values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
            values.dedup();
        }
        Self { by_beginning }
    }

    /// The length of the longest value that `text` begins with.
    fn begins(&self, text: &[u8]) -> Option<usize> {
        let values = self.by_beginning.get(text.first_chunk::<SHORTEST>()?)?;
        values.iter().find(|value| text.starts_with(value)).map(|value| value.len())
    }

    /// The text with a stand-in for every value; `None` if it holds none, which is nearly always.
    fn masked(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut at = (0..text.len()).find(|&at| self.begins(&text[at..]).is_some())?;
        let mut masked = text[..at].to_vec();
        while at < text.len() {
            match self.begins(&text[at..]) {
                Some(length) => {
                    masked.push(STAND_IN);
                    at += length;
                }
                None => {
                    masked.push(text[at]);
                    at += 1;
                }
            }
        }
        // What is left may have grown together to another value.
        Some(self.masked(&masked).unwrap_or(masked))
    }

    fn clear(&self, text: &mut String) {
        if let Some(masked) = self.masked(text.as_bytes()) {
            *text = String::from_utf8_lossy(&masked).into_owned();
        }
    }

    fn clear_path(&self, path: &mut FilePath) {
        if let Some(masked) = self.masked(path.as_bytes()) {
            *path = FilePath::from_bytes(masked);
        }
    }

    fn clear_finding(&self, finding: &mut Finding) {
        let mut path = finding.provenance.path.clone();
        self.clear_path(&mut path);
        if path != finding.provenance.path {
            finding.provenance = Arc::new(Provenance { path, ..Provenance::clone(&finding.provenance) });
        }
        let evidence = &mut finding.evidence;
        evidence.name.iter_mut().chain(&mut evidence.context).for_each(|text| self.clear(text));
        if let Verdict::Allowed { by, reason, .. } = &mut finding.verdict {
            [by].into_iter().chain(reason).for_each(|text| self.clear(text));
        }
    }

    fn clear_exposure(&self, exposure: &mut Exposure) {
        let Exposure { first_seen, last_seen, removed_by, references, tips, remotes, occurrences, .. } =
            exposure;
        for Commit { author, .. } in [first_seen, last_seen, removed_by].into_iter().flatten() {
            self.clear(author);
        }
        references.iter_mut().chain(tips).chain(remotes).for_each(|name| self.clear(name));
        occurrences.iter_mut().for_each(|occurrence| self.clear_path(&mut occurrence.path));
    }

    fn clear_problem(&self, problem: &mut Problem) {
        problem.path.iter_mut().for_each(|path| self.clear_path(path));
        [&mut problem.message].into_iter().chain(&mut problem.hint).for_each(|text| self.clear(text));
    }

    fn clear_notice(&self, notice: &mut Notice) {
        notice.path.iter_mut().for_each(|path| self.clear_path(path));
        self.clear(&mut notice.message);
    }
}

#[cfg(test)]
mod tests {
    use super::Values;

    #[test]
    fn every_value_leaves_every_name() {
        let longer: &[u8] = b"abcdefgh12";
        let short: &[u8] = b"abcdefgh";
        let beginning = *short.first_chunk().expect("it is long enough");
        let values = Values { by_beginning: [(beginning, vec![longer, short])].into() };
        for (name, expected) in [
            ("k=abcdefgh/abcdefgh12", Some("k=*/*")),
            ("abcabcdefghdefgh", Some("abc*defgh")),
            ("abcdefg/abcdefg", None),
            ("", None),
        ] {
            assert_eq!(values.masked(name.as_bytes()), expected.map(|text| text.as_bytes().to_vec()));
        }
    }
}
