//! What is left of a detection for a later scan: all that tells its findings from others, and nothing of their values.
//!
//! A history has the same secret in hundreds of versions, and the report tells it once. So a later scan recalls what was
//! found in each version, and reads only those again that come into the report.
//!
//! Must not know: where memos are kept.
//! Invariants: no value, no name and no path is in a memo; what is recalled is judged by what people allow today.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::{Desk, Identity, ScanOptions, add, identity, sort_problems};
use crate::detect::{Detection, Detector};
use crate::model::{
    Confidence, CredentialSet, CredentialState, Evidence, Finding, Fingerprint, Place, Problem, ProblemKind,
    Provenance, Report, Role, Secret, Severity, Span, Verdict,
};
use crate::source::{Chronicle, Memo};
use crate::suppress::Suppressor;

/// What stands for a value that was not read again.
const UNREAD: &str = "(not read again)";

#[derive(Serialize, Deserialize)]
struct Noted {
    findings: Vec<NotedFinding>,
    credentials: Vec<NotedCredential>,
}

#[derive(Serialize, Deserialize)]
struct NotedFinding {
    rule: String,
    provider: String,
    part: String,
    role: Role,
    severity: Severity,
    confidence: Confidence,
    /// What detection decided; what people allow is asked again.
    decided: Decided,
    span: Span,
    place: Place,
    fingerprint: Fingerprint,
    credential: usize,
}

#[derive(Serialize, Deserialize)]
enum Decided {
    Open,
    Known,
    Test,
}

#[derive(Serialize, Deserialize)]
struct NotedCredential {
    id: String,
    provider: String,
    state: CredentialState,
    severity: Severity,
    findings: Vec<usize>,
}

/// Puts down what was found.
pub(super) fn of(detections: &[Detection]) -> Option<Memo> {
    let noted: Vec<Noted> = detections.iter().map(Noted::of).collect();
    postcard::to_allocvec(&noted).ok().map(Vec::into_boxed_slice)
}

/// What was found at `place`, as far as `suppressor` can judge it. `None` where that takes a value.
pub(super) fn recalled(memo: &[u8], place: &Provenance, suppressor: &Suppressor) -> Option<Vec<Detection>> {
    let noted: Vec<Noted> = postcard::from_bytes(memo).ok()?;
    let place = Arc::new(place.clone());
    noted.into_iter().map(|noted| noted.detection(&place, suppressor)).collect()
}

/// Reads again what is in the report by what an earlier scan left of it: its value, and why it is believed.
pub(super) fn read_again(
    report: &mut Report,
    chronicle: &dyn Chronicle,
    detector: &Detector,
    options: &ScanOptions,
) {
    let recalled = report.findings.iter().filter(|finding| is_recalled(finding));
    let places: BTreeMap<_, _> = recalled
        .map(|finding| &finding.provenance)
        .map(|place| ((place.path.as_bytes().to_vec(), place.blob.clone()), Arc::clone(place)))
        .collect();
    if places.is_empty() {
        return;
    }
    let desk = Desk { detector, options, progress: None, gathered: Mutex::default() };
    chronicle.again(&places.into_values().collect::<Vec<_>>(), &desk);
    let gathered = desk.into_gathered();
    let is_new = |problem: &Problem| !report.problems.contains(problem);
    let problems: Vec<Problem> = gathered.problems.into_iter().filter(is_new).collect();
    report.problems.extend(problems);
    let (mut again, mut seen) = (Report::default(), HashSet::new());
    // Of findings that are one, the same speaks as the first time.
    gathered.detections.into_iter().for_each(|found| add(&mut again, found, options.threshold, &mut seen));
    let read: HashMap<Identity, Finding> =
        again.findings.into_iter().map(|finding| (identity(&finding), finding)).collect();
    let is_interrupted = options.interrupted.load(Ordering::Relaxed);
    for finding in report.findings.iter_mut().filter(|finding| is_recalled(finding)) {
        let Finding { verdict, confidence, provenance, credential, .. } = finding.clone();
        match read.get(&identity(finding)) {
            Some(read) => {
                *finding = Finding { verdict, confidence, provenance, credential, ..read.clone() };
            }
            // What was not reached is told by the interruption.
            None if is_interrupted => {}
            None => report.problems.push(not_read_again(finding)),
        }
    }
    sort_problems(&mut report.problems);
}

fn not_read_again(finding: &Finding) -> Problem {
    let message = format!("{} was found here by an earlier scan and could not be read again", finding.rule);
    let mut problem = Problem::at(ProblemKind::BadObject, finding.provenance.path.clone(), message)
        .with_hint("scan again with --no-cache");
    problem.object.clone_from(&finding.provenance.blob);
    problem
}

/// Whether only a memo of it is there.
fn is_recalled(finding: &Finding) -> bool {
    finding.secret.is_empty()
}

impl Noted {
    fn of(detection: &Detection) -> Self {
        Self {
            findings: detection.findings.iter().map(NotedFinding::of).collect(),
            credentials: detection.credentials.iter().map(NotedCredential::of).collect(),
        }
    }

    fn detection(self, place: &Arc<Provenance>, suppressor: &Suppressor) -> Option<Detection> {
        let findings: Option<Vec<Finding>> = self
            .findings
            .into_iter()
            .map(|noted| {
                let mut finding = noted.finding(place);
                finding.verdict = suppressor.judge_without_value(&finding)?;
                Some(finding)
            })
            .collect();
        let credentials = self.credentials.into_iter().map(NotedCredential::credential).collect();
        Some(Detection { findings: findings?, credentials, decoded: None })
    }
}

impl NotedFinding {
    fn of(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.clone(),
            provider: finding.provider.clone(),
            part: finding.part.clone(),
            role: finding.role,
            severity: finding.severity,
            confidence: finding.confidence,
            decided: match finding.verdict {
                Verdict::Open | Verdict::Allowed { .. } => Decided::Open,
                Verdict::Known => Decided::Known,
                Verdict::Test => Decided::Test,
            },
            span: finding.span,
            place: finding.place,
            fingerprint: finding.fingerprint.clone(),
            credential: finding.credential,
        }
    }

    fn finding(self, place: &Arc<Provenance>) -> Finding {
        Finding {
            rule: self.rule,
            provider: self.provider,
            alternatives: Vec::new(),
            part: self.part,
            role: self.role,
            severity: self.severity,
            confidence: self.confidence,
            verdict: match self.decided {
                Decided::Open => Verdict::Open,
                Decided::Known => Verdict::Known,
                Decided::Test => Verdict::Test,
            },
            provenance: Arc::clone(place),
            span: self.span,
            place: self.place,
            secret: Secret::new(b""),
            masked: UNREAD.to_owned(),
            evidence: Evidence::default(),
            fingerprint: self.fingerprint,
            credential: self.credential,
        }
    }
}

impl NotedCredential {
    fn of(credential: &CredentialSet) -> Self {
        Self {
            id: credential.id.clone(),
            provider: credential.provider.clone(),
            state: credential.state,
            severity: credential.severity,
            findings: credential.findings.clone(),
        }
    }

    fn credential(self) -> CredentialSet {
        CredentialSet {
            id: self.id,
            provider: self.provider,
            state: self.state,
            severity: self.severity,
            findings: self.findings,
            exposure: None,
        }
    }
}
