//! The waist: source, detector and suppressor meet here and nowhere else, and a report comes out.
//!
//! Must not know: arguments, formats.
//! Invariants: the same input gives the same report for any number of threads; whatever a source could not read is in
//! the report; a fault of ours on one input is a problem, and the rest is still scanned.

#[cfg(feature = "git")]
mod memo;
mod merge;
#[cfg(feature = "addresses")]
mod wallets;

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::detect::{Detection, Detector, Scratch, Trace};
use crate::model::{
    Chunk, Confidence, ContentKind, CopiedPiece, Coverage, CredentialSet, Finding, Fingerprint, Problem,
    ProblemKind, Report, ScanMode, Verdict,
};
use crate::source::{Glance, Memory, Receiver, Source, SourceError, Version, Worker};
use crate::suppress::{Beside, Ruling, Suppressor};
#[cfg(feature = "git")]
use crate::{model::Provenance, source::Memo};

/// How to scan.
pub struct ScanOptions {
    /// What kind of scan it is, for the report.
    pub mode: ScanMode,
    /// Findings that are less sure are only counted.
    pub threshold: Confidence,
    /// What people allowed.
    pub suppressor: Suppressor,
    /// Set from elsewhere to end the scan early with what was found.
    pub interrupted: Arc<AtomicBool>,
    /// Told how far the scan is.
    pub progress: Option<Arc<dyn Progress>>,
}

/// Is told how far a scan is, from any thread.
pub trait Progress: Send + Sync {
    /// So many files and bytes more.
    fn advance(&self, files: u64, bytes: u64);

    /// So many files more are still to come.
    fn expect(&self, files: u64);

    /// So many findings more.
    fn found(&self, findings: u64);
}

/// Scans everything that `source` hands out.
///
/// # Errors
/// Only what kept the source from beginning; see [`Source::drive`].
pub fn scan(source: &dyn Source, detector: &Detector, options: &ScanOptions) -> Result<Report, SourceError> {
    let begun = Instant::now();
    let desk = Desk { detector, options, progress: options.progress.as_deref(), gathered: Mutex::default() };
    source.drive(&desk)?;
    let mut gathered = desk.into_gathered();
    if options.interrupted.load(Ordering::Relaxed) {
        gathered.problems.push(Problem {
            kind: ProblemKind::Interrupted,
            path: None,
            object: None,
            message: "the scan was interrupted before its end".to_owned(),
            hint: None,
        });
    }
    Ok(gathered.report(source, detector, options, begun))
}

/// Where the workers' results come together.
struct Desk<'a> {
    detector: &'a Detector,
    options: &'a ScanOptions,
    progress: Option<&'a dyn Progress>,
    gathered: Mutex<Gathered>,
}

impl Desk<'_> {
    fn into_gathered(self) -> Gathered {
        self.gathered.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Gathered {
    detections: Vec<Detection>,
    problems: Vec<Problem>,
    coverage: Coverage,
}

impl Receiver for Desk<'_> {
    fn worker(&self) -> Box<dyn Worker + '_> {
        Box::new(Clerk { desk: self, scratch: Scratch::default(), own: Gathered::default(), unrepeatable: 0 })
    }

    fn identity(&self) -> Option<[u8; 32]> {
        Some(self.detector.rules().identity())
    }
}

/// One thread's work.
struct Clerk<'a> {
    desk: &'a Desk<'a>,
    scratch: Scratch,
    own: Gathered,
    /// What was told up to here can only be told again by those who read it again.
    unrepeatable: usize,
}

impl Worker for Clerk<'_> {
    fn chunk(&mut self, chunk: &Chunk<'_>) {
        let detector = self.desk.detector;
        self.take(chunk, |scratch| detector.detect(chunk, scratch));
    }

    fn chunk_of_version(
        &mut self,
        chunk: &Chunk<'_>,
        memory: &Memory,
        base: Option<(&Memory, &[CopiedPiece])>,
    ) {
        let detector = self.desk.detector;
        let Some(trace) = memory.downcast_ref::<Trace>() else { return self.chunk(chunk) };
        let base = base.and_then(|(memory, pieces)| Some((memory.downcast_ref::<Trace>()?, pieces)));
        self.take(chunk, |_| detector.detect_version(chunk, trace, base));
    }

    fn glance(&mut self, version: &Version<'_>) -> Glance {
        let detector = self.desk.detector;
        let looked = catch_unwind(AssertUnwindSafe(|| {
            let base =
                version.base.and_then(|(memory, pieces)| Some((memory.downcast_ref::<Trace>()?, pieces)));
            let trace = detector.trace(version.bytes, base);
            let could_hold = detector.could_hold(version.bytes, &trace);
            Glance { memory: Arc::new(trace), could_hold }
        }));
        // What cannot be looked at quickly is handed out, and the fault is reported there.
        looked.unwrap_or_else(|_| Glance { memory: Arc::new(()), could_hold: true })
    }

    fn follow(&mut self, version: &Version<'_>) -> Memory {
        let detector = self.desk.detector;
        let followed = catch_unwind(AssertUnwindSafe(|| {
            let base =
                version.base.and_then(|(memory, pieces)| Some((memory.downcast_ref::<Trace>()?, pieces)));
            detector.trace(version.bytes, base)
        }));
        followed.map_or_else(|_| Arc::new(()) as Memory, |trace| Arc::new(trace))
    }

    fn covered(&mut self, coverage: &Coverage) {
        self.own.coverage.absorb(coverage);
        if let Some(progress) = self.desk.progress {
            progress.advance(coverage.files, coverage.bytes);
        }
    }

    fn expected(&mut self, files: u64) {
        if let Some(progress) = self.desk.progress {
            progress.expect(files);
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.own.problems.push(problem);
        self.unrepeatable = self.told();
    }

    fn told(&self) -> usize {
        self.own.detections.len() + self.own.problems.len()
    }

    #[cfg(feature = "git")]
    fn memo(&mut self, told: usize) -> Option<Memo> {
        let fresh = self.told() - told;
        let first = self.own.detections.len().checked_sub(fresh).filter(|_| self.unrepeatable <= told)?;
        memo::of(&self.own.detections[first..])
    }

    #[cfg(feature = "git")]
    fn recall(&mut self, memos: &[(&Provenance, &Memo)]) -> bool {
        let suppressor = &self.desk.options.suppressor;
        let recalled = memos.iter().map(|(place, memo)| memo::recalled(memo, place, suppressor));
        let Some(recalled) = recalled.collect::<Option<Vec<_>>>() else { return false };
        recalled.into_iter().flatten().for_each(|detection| self.keep(detection));
        true
    }

    fn interrupted(&self) -> bool {
        self.desk.options.interrupted.load(Ordering::Relaxed)
    }
}

impl Clerk<'_> {
    /// Keeps what `detect` finds in `chunk`; a fault of ours there is a problem.
    fn take(&mut self, chunk: &Chunk<'_>, detect: impl FnOnce(&mut Scratch) -> Detection) {
        let scratch = &mut self.scratch;
        self.desk.options.suppressor.observe(chunk);
        match catch_unwind(AssertUnwindSafe(|| detect(scratch))) {
            Ok(mut detection) if !detection.findings.is_empty() => {
                let hears_text = self.judge(&mut detection, chunk);
                self.keep(detection);
                if hears_text {
                    self.unrepeatable = self.told();
                }
            }
            Ok(_) => {}
            Err(_) => {
                self.scratch = Scratch::default();
                let path = chunk.provenance.path.clone();
                let mut problem =
                    Problem::at(ProblemKind::Internal, path, "keyfence itself failed on this content")
                        .with_hint("please report it; the rest was scanned");
                problem.object.clone_from(&chunk.provenance.blob);
                self.problem(problem);
            }
        }
    }

    fn keep(&mut self, detection: Detection) {
        if let Some(progress) = self.desk.progress {
            progress.found(detection.findings.len() as u64);
        }
        self.own.detections.push(detection);
    }

    /// Gives each finding its verdict, and says whether the text beside any of them had a say.
    fn judge(&self, detection: &mut Detection, chunk: &Chunk<'_>) -> bool {
        let suppressor = &self.desk.options.suppressor;
        let mut hears_text = false;
        let mut decide = |finding: &mut Finding, ruling: Ruling| {
            finding.verdict = ruling.verdict;
            hears_text |= ruling.hears_text;
        };
        let Some(decoded) = detection.decoded.take() else {
            for finding in &mut detection.findings {
                let beside = Beside { bytes: chunk.bytes, offset: chunk.offset, focus: chunk.focus };
                let ruling = suppressor.decide(finding, &beside);
                decide(finding, ruling);
            }
            return hears_text;
        };
        for (finding, span) in detection.findings.iter_mut().zip(decoded.spans) {
            let asked = Finding { span, ..finding.clone() };
            let beside = Beside { bytes: &decoded.text, offset: 0, focus: chunk.focus };
            decide(finding, suppressor.decide(&asked, &beside));
        }
        hears_text
    }
}

impl Drop for Clerk<'_> {
    fn drop(&mut self) {
        let mut gathered = self.desk.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.detections.append(&mut self.own.detections);
        gathered.problems.append(&mut self.own.problems);
        gathered.coverage.absorb(&self.own.coverage);
    }
}

impl Gathered {
    fn report(
        mut self,
        source: &dyn Source,
        detector: &Detector,
        options: &ScanOptions,
        begun: Instant,
    ) -> Report {
        self.coverage.mode = options.mode;
        self.problems.append(&mut options.suppressor.problems());
        sort_problems(&mut self.problems);
        let mut report = Report {
            problems: self.problems,
            notices: options.suppressor.notices(),
            coverage: self.coverage,
            threshold: Some(options.threshold),
            ..Report::default()
        };
        // Of versions that say the same the first one speaks: which one that is must not depend on threads.
        self.detections.sort_by(|one, other| detection_key(one).cmp(&detection_key(other)));
        let mut seen = HashSet::new();
        for detection in self.detections {
            add(&mut report, detection, options.threshold, &mut seen);
        }
        if let Some(chronicle) = source.chronicle() {
            merge::merge(&mut report, chronicle.as_ref());
            #[cfg(feature = "git")]
            memo::read_again(&mut report, chronicle.as_ref(), detector, options);
        }
        sort(&mut report);
        #[cfg(feature = "addresses")]
        wallets::tell_addresses(&mut report, detector);
        report.guides = guides(&report, detector);
        report.elapsed = begun.elapsed();
        report
    }
}

fn sort_problems(problems: &mut [Problem]) {
    problems.sort_by(|one, other| {
        (&one.path, one.kind, &one.object, &one.message).cmp(&(
            &other.path,
            other.kind,
            &other.object,
            &other.message,
        ))
    });
}

/// Identifies a finding among those of overlapping pieces of one file; several values can have been packed at one place.
type Identity = (Vec<u8>, Option<String>, usize, usize, String, Fingerprint);

fn identity(finding: &Finding) -> Identity {
    let provenance = &finding.provenance;
    (
        provenance.path.as_bytes().to_vec(),
        provenance.blob.clone(),
        finding.span.start,
        finding.span.end,
        finding.rule.clone(),
        finding.fingerprint.clone(),
    )
}

fn add(report: &mut Report, detection: Detection, threshold: Confidence, seen: &mut HashSet<Identity>) {
    let mut findings: Vec<Option<Finding>> = detection.findings.into_iter().map(Some).collect();
    for mut credential in detection.credentials {
        let number = report.credentials.len();
        let first = report.findings.len();
        for index in std::mem::take(&mut credential.findings) {
            let Some(mut finding) = findings.get_mut(index).and_then(Option::take) else { continue };
            if finding.confidence < threshold {
                report.below_threshold += u64::from(finding.verdict.is_open());
            } else if seen.insert(identity(&finding)) {
                finding.credential = number;
                report.findings.push(finding);
            }
        }
        if report.findings.len() > first {
            credential.findings = (first..report.findings.len()).collect();
            report.credentials.push(credential);
        }
    }
}

/// Findings by place, credentials worst first.
fn sort(report: &mut Report) {
    let mut order: Vec<usize> = (0..report.findings.len()).collect();
    order.sort_by(|&one, &other| place_key(&report.findings[one]).cmp(&place_key(&report.findings[other])));
    let mut new_place = vec![0; order.len()];
    order.iter().enumerate().for_each(|(place, &index)| new_place[index] = place);
    let mut taken: Vec<Option<Finding>> =
        std::mem::take(&mut report.findings).into_iter().map(Some).collect();
    report.findings = order.iter().filter_map(|&index| taken[index].take()).collect();
    for credential in &mut report.credentials {
        credential.findings.iter_mut().for_each(|index| *index = new_place[*index]);
        credential.findings.sort_unstable();
    }
    let findings = &report.findings;
    let open = |credential: &CredentialSet| {
        credential.findings.iter().any(|&index| findings[index].verdict == Verdict::Open)
    };
    let mut credentials = std::mem::take(&mut report.credentials);
    credentials.sort_by_key(|credential| {
        (
            !open(credential),
            std::cmp::Reverse(credential.severity),
            std::cmp::Reverse(credential.state),
            std::cmp::Reverse(credential.exposure.as_ref().map(|exposure| exposure.reach)),
            credential.findings.first().copied(),
        )
    });
    for (number, credential) in credentials.iter().enumerate() {
        credential.findings.iter().for_each(|&index| report.findings[index].credential = number);
    }
    report.credentials = credentials;
}

fn detection_key(detection: &Detection) -> Option<(ContentKind, Option<&str>, PlaceKey<'_>)> {
    let first = detection.findings.first()?;
    Some((first.provenance.kind, first.provenance.commit.as_deref(), place_key(first)))
}

/// What findings are sorted by.
type PlaceKey<'a> = (&'a [u8], usize, usize, &'a str, Option<&'a str>);

fn place_key(finding: &Finding) -> PlaceKey<'_> {
    let provenance = &finding.provenance;
    (
        provenance.path.as_bytes(),
        finding.span.start,
        finding.span.end,
        &finding.rule,
        provenance.blob.as_deref(),
    )
}

fn guides(report: &Report, detector: &Detector) -> BTreeMap<String, crate::model::Guide> {
    let named = report.credentials.iter().map(|credential| &credential.provider);
    let others =
        report.findings.iter().flat_map(|finding| finding.alternatives.iter().chain([&finding.provider]));
    named.chain(others).filter_map(|provider| Some((provider.clone(), detector.guide(provider)?))).collect()
}
