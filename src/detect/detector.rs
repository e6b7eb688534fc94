//! The engine as a whole: bytes in, findings out.
//!
//! Must not know: files, git, clock, environment, output.
//! Invariant: a pure function of (bytes, path, focus, rules): the same input gives the same findings, in the same order.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use crate::model::{
    Chunk, CopiedPiece, CredentialSet, Evidence, FilePath, Finding, Guide, Place, Role, Secret, Span, Verdict,
};
use crate::rules::{Kind, Rule, RuleSet};

use super::candidates::{AnchorKind, Candidate, Clue};
use super::decode::{self, Layers};
use super::document::Document;
use super::fingerprint;
use super::gatherer::Gatherer;
use super::judgement::{Judge, Neighbourhoods, Part};
use super::reading::Reader;
use super::sets::{self, Set};
use super::text::Text;
use super::tongue::words_of;
use super::trace::Trace;
use super::words::{WordHit, WordIndex};

/// Finds credentials in bytes. Built once, shared by all threads.
pub struct Detector {
    rules: RuleSet,
    gatherer: Gatherer,
    judge: OnceLock<Judge>,
    words: OnceLock<WordIndex>,
}

/// What is known of a text beside its candidates.
#[derive(Default)]
struct Known {
    /// Providers' words in it.
    words: Option<Vec<WordHit>>,
    /// What the neighbourhoods of its values say; `None` where nobody wants to know that of another text.
    neighbourhoods: Option<RefCell<Neighbourhoods>>,
    /// Whether it is known that no armour begins in it.
    without_armour: bool,
}

/// What one thread reuses from chunk to chunk.
#[derive(Default)]
pub struct Scratch {
    candidates: Vec<Candidate>,
}

/// What was found in one chunk: findings sorted by place, and the credentials they belong to.
#[derive(Debug, Default)]
pub struct Detection {
    /// The findings; `credential` is an index into `credentials`.
    pub findings: Vec<Finding>,
    /// The credentials; `findings` are indices into `findings`.
    pub credentials: Vec<CredentialSet>,
    /// The text whose places findings have, where it is not the chunk's bytes (decoded UTF-16).
    pub decoded: Option<Decoded>,
}

/// Text that stands for a chunk's bytes.
#[derive(Debug)]
pub struct Decoded {
    /// The text.
    pub text: Vec<u8>,
    /// Where each finding stands in it, in the order of the findings.
    pub spans: Vec<Span>,
}

impl Detector {
    /// A detector for `rules`.
    pub fn new(rules: RuleSet) -> Self {
        let gatherer = Gatherer::new(&rules);
        Self { rules, gatherer, judge: OnceLock::new(), words: OnceLock::new() }
    }

    /// A detector for the rules that ship with keyfence.
    pub fn builtin() -> Self {
        Self::new(RuleSet::builtin())
    }

    /// The rules it works with.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// How many bytes around a finding decide whether it is a candidate. Pieces of a large file must overlap by this.
    pub fn reach(&self) -> usize {
        self.rules.reach()
    }

    /// What to know and do about a provider's credentials.
    pub fn guide(&self, provider: &str) -> Option<Guide> {
        let provider = self.rules.providers.iter().find(|known| known.id == provider)?;
        Some(Guide {
            title: provider.title.to_string(),
            power: provider.power.to_string(),
            revoke: provider.revoke.as_ref().map(ToString::to_string),
            steps: provider.steps.iter().map(ToString::to_string).collect(),
        })
    }

    /// The addresses that the value of `finding` opens, where its rule knows how they follow from it.
    #[cfg(feature = "addresses")]
    pub fn addresses(&self, finding: &Finding) -> Vec<String> {
        let rule = self.rules.rules.iter().find(|rule| rule.id == finding.rule);
        let kind = rule.and_then(|rule| rule.address);
        kind.map_or_else(Vec::new, |kind| super::address::addresses(kind, finding.secret.expose()))
    }

    /// Everything in `chunk` that counts, with all its context.
    pub fn detect(&self, chunk: &Chunk<'_>, scratch: &mut Scratch) -> Detection {
        let text = Text::new(chunk.bytes);
        let mut known = Known { without_armour: true, ..Known::default() };
        self.gatherer.gather_with_anchors(&self.rules, &text.bytes, &mut scratch.candidates, |anchor| {
            known.without_armour &= anchor.kind != AnchorKind::Armour;
        });
        self.judged(chunk, text, &scratch.candidates, &mut known)
    }

    /// The same for a version whose trace is known, and perhaps that of the one it was made from.
    pub fn detect_version(
        &self,
        chunk: &Chunk<'_>,
        trace: &Trace,
        base: Option<(&Trace, &[CopiedPiece])>,
    ) -> Detection {
        if trace.is_empty() {
            return Detection::default();
        }
        let text = Text::new(chunk.bytes);
        let index = self.words.get_or_init(|| WordIndex::new(&self.rules));
        let known = trace.words.get().cloned();
        let carried =
            |(base, pieces): (&Trace, &[CopiedPiece])| base.carried_words(index, chunk.bytes, pieces);
        let words = if trace.is_opaque() { None } else { known.or_else(|| base.and_then(carried)) };
        let known = trace.neighbourhoods.get().cloned();
        let carried =
            |(base, pieces): (&Trace, &[CopiedPiece])| base.carried_neighbourhoods(chunk.bytes, pieces);
        let neighbourhoods = known.or_else(|| base.and_then(carried)).unwrap_or_default();
        let neighbourhoods = (!trace.is_opaque()).then(|| RefCell::new(neighbourhoods));
        let without_armour = !trace.is_opaque() && !trace.has_armour();
        let mut known = Known { words, neighbourhoods, without_armour };
        let detection = self.judged(chunk, text, &trace.candidates, &mut known);
        // Another path of the same version may have brought them already.
        if let Some(words) = known.words {
            let _ = trace.words.set(words);
        }
        if let Some(neighbourhoods) = known.neighbourhoods {
            let _ = trace.neighbourhoods.set(neighbourhoods.into_inner());
        }
        detection
    }

    /// Judges candidates with the facts of their whole text. What is known of it need not be found again, and what was
    /// found is known then.
    fn judged(
        &self,
        chunk: &Chunk<'_>,
        text: Text<'_>,
        candidates: &[Candidate],
        known: &mut Known,
    ) -> Detection {
        if candidates.is_empty() {
            return Detection::default();
        }
        let reader = self.reader(&chunk.provenance.path);
        let words = known.words.take();
        let document = Document::with_hits(&text.bytes, &chunk.provenance.path, reader.words, words);
        if known.without_armour {
            document.know_without_armour();
        }
        let reading = reader.read(&document, candidates, known.neighbourhoods.as_ref());
        if reading.parts.is_empty() {
            known.words = document.into_hits();
            return Detection::default();
        }
        let unfolded = reading.layers.text().map(|text| reader.document(text));
        let judged = unfolded.as_ref().unwrap_or(&document);
        let sets = sets::assemble(&self.rules, judged, reading.parts);
        let writer =
            Writer { reader, chunk, document: &document, judged, layers: &reading.layers, text: &text };
        let (mut detection, spans) = writer.write(sets);
        known.words = document.into_hits();
        if let Cow::Owned(text) = text.bytes {
            detection.decoded = (!spans.is_empty()).then_some(Decoded { text, spans });
        }
        detection
    }

    /// The local half alone: what could be a credential in `bytes`, carried from the version they were made from if
    /// `base` tells it and which pieces of it were copied.
    pub fn trace(&self, bytes: &[u8], base: Option<(&Trace, &[CopiedPiece])>) -> Trace {
        let text = Text::new(bytes);
        if let Cow::Owned(text) = &text.bytes {
            let mut candidates = Vec::new();
            self.gatherer.gather(&self.rules, text, &mut candidates);
            return Trace::opaque(candidates);
        }
        match base {
            Some((base, pieces)) => Trace::carried(&self.gatherer, &self.rules, bytes, base, pieces),
            None => Trace::full(&self.gatherer, &self.rules, bytes),
        }
    }

    /// Whether [`Self::detect`] could find anything in `bytes`, whatever their path; `trace` is theirs.
    pub fn could_hold(&self, bytes: &[u8], trace: &Trace) -> bool {
        if trace.is_empty() {
            return false;
        }
        if let Some(witness) = trace.witness.get() {
            return witness.is_some();
        }
        let text = Text::new(bytes);
        let path = FilePath::from("");
        let witness = self.reader(&path).could_hold(&text.bytes, &trace.candidates);
        let _ = trace.witness.set(witness);
        witness.is_some()
    }

    fn reader<'a>(&'a self, path: &'a FilePath) -> Reader<'a> {
        Reader {
            rules: &self.rules,
            gatherer: &self.gatherer,
            judge: self.judge.get_or_init(|| Judge::new(&self.rules)),
            words: self.words.get_or_init(|| WordIndex::new(&self.rules)),
            path,
        }
    }

    /// The local half alone: where candidates stand and what they could be, for the contracts' tests.
    #[doc(hidden)]
    pub fn candidates(&self, text: &[u8]) -> Vec<(Span, String)> {
        let mut found = Vec::new();
        self.gatherer.gather(&self.rules, text, &mut found);
        let labels = |candidate: &Candidate| -> Vec<String> {
            let like = |rule: u16| self.rules.rules.iter().filter(move |other| other.like == rule);
            match candidate.clue {
                Clue::Token(rule) => like(rule).map(|rule| rule.id.to_string()).collect(),
                _ => vec![candidate.clue.label(&self.rules)],
            }
        };
        let labelled = |candidate| labels(candidate).into_iter().map(|label| (candidate.span, label));
        found.iter().flat_map(labelled).collect()
    }

    /// What is read from another form: where it stands, its words, and where each byte of them begins; for the
    /// contracts' tests.
    #[doc(hidden)]
    pub fn passages(&self, text: &[u8]) -> Vec<(Span, Vec<u8>, Vec<usize>)> {
        let mut found = Vec::new();
        self.gatherer.gather(&self.rules, text, &mut found);
        let read = decode::passages(text, &found, |_| true);
        read.into_iter().map(|passage| (passage.from, passage.bytes, passage.origins)).collect()
    }
}

/// Turns parts into findings.
struct Writer<'a> {
    reader: Reader<'a>,
    chunk: &'a Chunk<'a>,
    /// The text as it came.
    document: &'a Document<'a>,
    /// The text the parts were found in: the same, or unfolded from it.
    judged: &'a Document<'a>,
    layers: &'a Layers,
    text: &'a Text<'a>,
}

impl Writer<'_> {
    /// The findings, and where they stand in the text.
    fn write(&self, sets: Vec<Set>) -> (Detection, Vec<Span>) {
        let provenance = Arc::new(self.chunk.provenance.clone());
        let mut detection = Detection::default();
        let mut spans = Vec::new();
        for set in sets {
            // Parts outside the focus were read to know what the credential is; only what the focus touches is told.
            let (told, mut findings): (Vec<Span>, Vec<Finding>) = set
                .parts
                .iter()
                .map(|part| (self.layers.original(part.span), self.finding(part, &set, &provenance)))
                .filter(|(_, finding)| self.chunk.focus.touches(finding.place.line, finding.place.end_line))
                .unzip();
            if findings.is_empty() {
                continue;
            }
            let credential = detection.credentials.len();
            let first = detection.findings.len();
            let ids: Vec<&[u8]> = findings.iter().map(|finding| finding.fingerprint.0.as_bytes()).collect();
            let place = (findings[0].span.start as u64).to_be_bytes();
            let path = provenance.path.as_bytes();
            let id = fingerprint::short_id(&[&[path, &place], ids.as_slice()].concat());
            findings.iter_mut().for_each(|finding| finding.credential = credential);
            detection.credentials.push(CredentialSet {
                id,
                provider: self.reader.rules.providers[usize::from(set.provider)].id.to_string(),
                state: set.state,
                severity: set.severity,
                findings: (first..first + findings.len()).collect(),
                exposure: None,
            });
            detection.findings.append(&mut findings);
            spans.extend(told);
        }
        (detection, spans)
    }

    fn finding(&self, part: &Part, set: &Set, provenance: &Arc<crate::model::Provenance>) -> Finding {
        let rules = self.reader.rules;
        let rule = &rules.rules[usize::from(part.rule)];
        let value = part.span.of(self.judged.text);
        let span = self.layers.original(part.span);
        let provider = |index: u16| rules.providers[usize::from(index)].id.to_string();
        let local = self.text.original(span);
        let offset = usize::try_from(self.chunk.offset).unwrap_or(usize::MAX);
        Finding {
            rule: rule.id.to_string(),
            provider: provider(rule.provider),
            alternatives: set.alternatives.iter().map(|&index| provider(index)).collect(),
            part: rule.part.to_string(),
            role: rule.role,
            severity: if set.parts.len() > 1 || rule.role == Role::Identifier {
                set.severity
            } else {
                rule.severity
            },
            confidence: part.confidence,
            verdict: self.verdict(part, rule, value),
            provenance: Arc::clone(provenance),
            span: Span::new(local.start.saturating_add(offset), local.end.saturating_add(offset)),
            place: self.place(span),
            secret: Secret::new(value),
            masked: mask(rule, part, value, self.judged.text),
            evidence: Evidence {
                name: part.name.clone(),
                context: self.context(part),
                checks: checks_of(rule),
                randomness: part.randomness,
            },
            fingerprint: self.fingerprint(part, rule, value, set),
            credential: 0,
        }
    }

    /// What was told for the part, and the forms it was written in.
    fn context(&self, part: &Part) -> Vec<String> {
        let forms = self.layers.forms(part.span).into_iter().map(|form| form.title().to_owned());
        part.told.iter().cloned().chain(forms).collect()
    }

    fn place(&self, span: Span) -> Place {
        let place = self.document.place(span);
        let before = self.chunk.lines_before;
        Place { line: place.line + before, end_line: place.end_line + before, ..place }
    }

    fn verdict(&self, part: &Part, rule: &Rule, value: &[u8]) -> Verdict {
        let known = part.known || self.reader.judge.is_known(value);
        match (known, rule.role) {
            (true, Role::PrivateKey | Role::Mnemonic) => Verdict::Test,
            (true, _) => Verdict::Known,
            _ if rule.test => Verdict::Test,
            _ => Verdict::Open,
        }
    }

    fn fingerprint(&self, part: &Part, rule: &Rule, value: &[u8], set: &Set) -> crate::model::Fingerprint {
        if let Some(url) = &part.connection {
            let public = [
                url.scheme.of(self.judged.text),
                url.user.of(self.judged.text),
                url.host.of(self.judged.text),
            ]
            .join(&0);
            return fingerprint::of_connection(&rule.id, &public, value);
        }
        if matches!(rule.kind, Kind::Password(..)) {
            return fingerprint::of_connection(
                &rule.id,
                part.name.as_deref().unwrap_or_default().as_bytes(),
                value,
            );
        }
        let is_chosen =
            |part: &Part| matches!(self.reader.rules.rules[usize::from(part.rule)].kind, Kind::Chosen(..));
        match set.parts.iter().find(|partner| is_chosen(part) && !is_chosen(partner)) {
            Some(partner) => fingerprint::of_chosen(&rule.id, value, partner.span.of(self.judged.text)),
            None => fingerprint::of_secret(&rule.id, value),
        }
    }
}

fn checks_of(rule: &Rule) -> Vec<String> {
    let by_kind = matches!(rule.kind, Kind::Pem(_)).then_some("private-key");
    let name = |check: &str| check.split(':').next().unwrap_or_default().to_owned();
    rule.checks.iter().map(AsRef::as_ref).chain(by_kind).map(name).collect()
}

/// The value as it may be shown: what is the same for every value of the kind, and how long it is.
fn mask(rule: &Rule, part: &Part, value: &[u8], text: &[u8]) -> String {
    match &rule.kind {
        Kind::Mnemonic(_) => format!("({} words)", words_of(value).filter(|word| word.len() > 2).count()),
        Kind::Pem(_) => armour_label(value).map_or_else(
            || masked(b"", value.len()),
            |label| format!("-----BEGIN {}-----…", String::from_utf8_lossy(label)),
        ),
        Kind::Numbers(count) => format!("({count} numbers)"),
        Kind::Connection(_) => {
            let scheme =
                part.connection.as_ref().map(|url| String::from_utf8_lossy(url.scheme.of(text)).into_owned());
            format!("{}://…:…@…", scheme.unwrap_or_default())
        }
        Kind::Shape(shapes) | Kind::Anchored(_, shapes) => {
            let fitting = shapes
                .iter()
                .filter(|shape| shape.longest() >= value.len())
                .map(|shape| shape.prefix)
                .min()
                .unwrap_or(0);
            masked(&value[..fitting.min(value.len() / 2)], value.len())
        }
        Kind::Chosen(..) | Kind::Password(..) | Kind::Random(..) => masked(b"", value.len()),
    }
}

/// What the first line of armour says. A key without armour has none, and everything in it is secret.
fn armour_label(value: &[u8]) -> Option<&[u8]> {
    let rest = value.strip_prefix(b"-----BEGIN ")?;
    let label = &rest[..memchr::memmem::find(rest, b"-----")?];
    label
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ')
        .then_some(label)
}

fn masked(prefix: &[u8], length: usize) -> String {
    format!("{}… ({length} characters)", String::from_utf8_lossy(prefix))
}
