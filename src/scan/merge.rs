//! Many versions, one credential: what was found in each version of a file is told once, with its history.
//!
//! Must not know: how history is walked, formats.
//! Invariant: no secret is lost: each one that was found in any version is in the report, where it stood first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::model::{CredentialSet, Exposure, Finding, Fingerprint, Provenance, Report, Role, Verdict};
use crate::source::Chronicle;

/// What makes two findings of different versions the same: the rule and the value.
type Sameness = (String, Fingerprint);

/// Puts the versions of each credential together and lets `chronicle` tell their history.
pub(super) fn merge(report: &mut Report, chronicle: &dyn Chronicle) {
    let findings: Vec<Finding> = std::mem::take(&mut report.findings);
    let credentials = std::mem::take(&mut report.credentials);
    let findings = with_first_commits(findings, chronicle);
    let groups = grouped(&findings, credentials);
    let places: Vec<Vec<(Arc<Provenance>, u32)>> =
        groups.iter().map(|group| group.places(&findings)).collect();
    let exposures = chronicle.exposures(&places);
    let mut findings: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    for (group, exposure) in groups.into_iter().zip(exposures) {
        if chronicle.is_wanted(&exposure) {
            group.tell(report, exposure, &mut findings);
        }
    }
}

/// Fills in which commit brought what each finding stands in.
fn with_first_commits(mut findings: Vec<Finding>, chronicle: &dyn Chronicle) -> Vec<Finding> {
    let mut places: HashMap<*const Provenance, usize> = HashMap::new();
    let mut asked: Vec<Arc<Provenance>> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.provenance.commit.is_none()) {
        places.entry(Arc::as_ptr(&finding.provenance)).or_insert_with(|| {
            asked.push(Arc::clone(&finding.provenance));
            asked.len() - 1
        });
    }
    let told: Vec<Arc<Provenance>> = chronicle
        .first_commits(&asked)
        .into_iter()
        .zip(&asked)
        .map(|(commit, place)| Arc::new(Provenance { commit, ..Provenance::clone(place) }))
        .collect();
    for finding in &mut findings {
        if let Some(&index) = places.get(&Arc::as_ptr(&finding.provenance)) {
            finding.provenance = Arc::clone(&told[index]);
        }
    }
    findings
}

/// The versions of one credential.
struct Group {
    /// The most telling one: a complete one if there is any.
    credential: CredentialSet,
    /// All findings of all versions.
    findings: Vec<usize>,
}

/// Credentials whose most telling part is the same are versions of one.
fn grouped(findings: &[Finding], credentials: Vec<CredentialSet>) -> Vec<Group> {
    let mut groups: BTreeMap<(String, Sameness), Group> = BTreeMap::new();
    for credential in credentials {
        let parts = credential.findings.iter().map(|&index| &findings[index]);
        let Some(telling) = parts.min_by_key(|part| (rank(part.role), sameness(part))) else { continue };
        let key = (credential.provider.clone(), sameness(telling));
        let mut members = credential.findings.clone();
        match groups.get_mut(&key) {
            Some(group) => {
                group.findings.append(&mut members);
                if (credential.state, credential.severity)
                    > (group.credential.state, group.credential.severity)
                {
                    group.credential = credential;
                }
            }
            None => drop(groups.insert(key, Group { credential, findings: members })),
        }
    }
    groups.into_values().collect()
}

/// What says most about which credential it is comes first.
fn rank(role: Role) -> u8 {
    match role {
        Role::Identifier => 2,
        Role::Passphrase => 1,
        _ => 0,
    }
}

fn sameness(finding: &Finding) -> Sameness {
    (finding.rule.clone(), finding.fingerprint.clone())
}

impl Group {
    /// Where its findings stand.
    fn places(&self, findings: &[Finding]) -> Vec<(Arc<Provenance>, u32)> {
        let place = |&index: &usize| (Arc::clone(&findings[index].provenance), findings[index].place.line);
        self.findings.iter().map(place).collect()
    }

    /// Puts each part into the report where it stood first.
    fn tell(self, report: &mut Report, exposure: Exposure, findings: &mut [Option<Finding>]) {
        let order = |finding: &Finding| {
            let place = exposure.occurrences.iter().position(|occurrence| {
                (occurrence.kind, &occurrence.path) == (finding.provenance.kind, &finding.provenance.path)
            });
            let is_first =
                place.is_some_and(|place| exposure.occurrences[place].blob == finding.provenance.blob);
            (place, !is_first, finding.provenance.blob.clone(), finding.span.start)
        };
        let mut own: Vec<Finding> =
            self.findings.iter().filter_map(|&index| findings[index].take()).collect();
        own.sort_by_cached_key(|finding| (sameness(finding), order(finding)));
        let first = report.findings.len();
        for versions in own.chunk_by(|one, other| sameness(one) == sameness(other)) {
            let mut finding = versions[0].clone();
            finding.credential = report.credentials.len();
            finding.confidence =
                versions.iter().map(|version| version.confidence).max().unwrap_or(finding.confidence);
            // Who allowed the value in one version allowed the value.
            if let Some(allowed) =
                versions.iter().find(|version| matches!(version.verdict, Verdict::Allowed { .. }))
            {
                finding.verdict = allowed.verdict.clone();
            }
            report.findings.push(finding);
        }
        report.credentials.push(CredentialSet {
            findings: (first..report.findings.len()).collect(),
            exposure: Some(exposure),
            ..self.credential
        });
    }
}
