//! The same credential, wherever it stands, as one.
//!
//! Must not know: formats.
//! Invariant: groups keep the report's order (worst first), but what counts comes before what does not.

use std::collections::BTreeMap;

use crate::model::{CredentialSet, Finding, Report};

/// The same credential, wherever it stands: the parts to show, and the other places.
pub(super) struct Group<'a> {
    pub(super) set: &'a CredentialSet,
    pub(super) parts: Vec<&'a Finding>,
    pub(super) elsewhere: Vec<&'a Finding>,
}

impl Group<'_> {
    /// Whether something in it counts; the others are only shown because somebody asked.
    pub(super) fn is_open(&self) -> bool {
        self.parts.iter().any(|finding| finding.verdict.is_open())
    }
}

/// The credentials of which something `is_shown`, those with the same values as one.
pub(super) fn groups(report: &Report, is_shown: impl Fn(&Finding) -> bool) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut seen: BTreeMap<Vec<(&str, bool)>, usize> = BTreeMap::new();
    for set in &report.credentials {
        let parts: Vec<&Finding> =
            set.findings.iter().filter_map(|&index| report.findings.get(index)).collect();
        if !parts.iter().any(|finding| is_shown(finding)) {
            continue;
        }
        let mut values: Vec<_> =
            parts.iter().map(|finding| (finding.fingerprint.0.as_str(), finding.verdict.is_open())).collect();
        values.sort_unstable();
        values.dedup();
        match seen.get(&values) {
            Some(&first) => groups[first].elsewhere.extend(parts.first()),
            None => {
                seen.insert(values, groups.len());
                groups.push(Group { set, parts, elsewhere: Vec::new() });
            }
        }
    }
    groups.sort_by_key(|group| !group.is_open());
    groups
}

/// The credentials that count.
pub(super) fn open_groups(report: &Report) -> Vec<Group<'_>> {
    groups(report, |finding| finding.verdict.is_open())
}
