//! What is fuzzed: each target takes bytes and panics when a promise is broken.
//!
//! `cargo fuzz run TARGET` explores; `tests/fuzz_corpus.rs` replays the seeds, what once failed, and changes of both.
//!
//! Must not know: where the bytes come from.
//! Invariant: the same bytes do the same, so that whatever fails once can be kept as a case.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use keyfence::detect::{Detector, Scratch};
use keyfence::model::{Chunk, CopiedPiece, FilePath, Finding, Focus, Provenance, Span};
use keyfence::report::escape;
use keyfence::rules::format::Pack;
use keyfence::rules::{Rule, RuleSet};
use keyfence::suppress::{Beside, SuppressOptions, Suppressor};

#[cfg(feature = "cli")]
mod imports;
#[cfg(feature = "git")]
mod instructions;
#[cfg(feature = "git")]
mod repository;
mod slow;
#[cfg(feature = "cli")]
pub use imports::{FORMATS, imports};
#[cfg(feature = "git")]
pub use instructions::instructions;
#[cfg(feature = "cli")]
pub use keyfence::suppress::imports::Format;
#[cfg(feature = "git")]
pub use repository::{archive, baseline, config, delta, delta_over_base, entry, index};

/// A target: its name, and what is done with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target by name.
pub const TARGETS: &[Target] = &[
    ("detect", detect),
    ("prefilter", prefilter),
    ("linear", linear),
    ("trace", trace),
    ("window", window),
    ("allow", allow),
    ("pack", pack),
    ("words", words),
    ("decode", decode),
    #[cfg(feature = "git")]
    ("config", config),
    #[cfg(feature = "git")]
    ("baseline", baseline),
    #[cfg(feature = "git")]
    ("index", index),
    #[cfg(feature = "git")]
    ("delta", delta),
    #[cfg(feature = "git")]
    ("entry", entry),
    #[cfg(feature = "git")]
    ("instructions", instructions),
    #[cfg(feature = "git")]
    ("archive", archive),
    #[cfg(feature = "cli")]
    ("imports", imports),
];

static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::builtin);
static SLOW: LazyLock<slow::Slow> = LazyLock::new(slow::Slow::builtin);
/// File names that change what is believed.
const PATHS: &[&str] = &["a.env", "package-lock.json", "tests/test_a.py", "docs/a.md", "values.yaml", "a"];

fn findings(text: &[u8], path: &str, scratch: &mut Scratch) -> Vec<Finding> {
    let provenance = Provenance::file(FilePath::from(path));
    DETECTOR.detect(&Chunk::whole(text, &provenance), scratch).findings
}

/// Detection: spans lie in the text, a used scratch changes nothing, nothing is found where nothing could be held, and
/// what is printed holds no value.
pub fn detect(data: &[u8]) {
    let (choice, text) = data.split_first().unwrap_or((&0, data));
    let path = PATHS[usize::from(*choice) % PATHS.len()];
    let mut scratch = Scratch::default();
    let found = findings(text, path, &mut scratch);
    assert_eq!(findings(text, path, &mut scratch), found, "a used scratch gives the same");
    for finding in &found {
        let span = finding.span;
        assert!(span.start < span.end && span.end <= text.len(), "{} at {span:?}", finding.rule);
        let value = finding.secret.expose();
        let printed = format!("{finding:?}").into_bytes();
        let shown = value.len() >= 12 && printed.windows(value.len()).any(|window| window == value);
        assert!(!shown, "{} prints its value", finding.rule);
    }
    let could = DETECTOR.could_hold(text, &DETECTOR.trace(text, None));
    assert!(could || found.is_empty(), "something was found where nothing could be held");
}

/// The prefilter: the engine finds each place of a shape that the slow search finds, and no other.
pub fn prefilter(data: &[u8]) {
    assert_eq!(slow::fast(&DETECTOR, data), SLOW.search(data), "fast and slow search agree");
}

/// So many bytes a text has that is timed, and how many times as long it is made then.
const SHORT: usize = 4 << 10;
const LONGER: u32 = 16;
/// How many times more than its share it may take, and what the clock and other programs may add: what grows with the
/// square of the length would take sixteen times its share.
const LENIENCE: u32 = 4;
const SLACK: Duration = Duration::from_millis(200);

/// Linear time: a text that says the same sixteen times as often takes about sixteen times as long.
pub fn linear(data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let text: Vec<u8> = data.iter().copied().cycle().take(SHORT * LONGER as usize).collect();
    let time = |text: &[u8]| {
        let began = time_used();
        findings(text, "a.env", &mut Scratch::default());
        time_used().saturating_sub(began)
    };
    // Another program may have had the processor's caches once, but not three times.
    let is_linear = || time(&text) <= time(&text[..SHORT]) * LONGER * LENIENCE + SLACK;
    assert!((0..3).any(|_| is_linear()), "{SHORT} bytes of it are searched in less than their share");
}

/// The processor time of this thread where the system tells it, which other programs do not lengthen; else the clock.
fn time_used() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| BEGAN.elapsed(), Duration::from_nanos)
}

/// Carrying: what is carried into a version made of pieces of another is what a full search finds.
pub fn trace(data: &[u8]) {
    let Some((plan, base)) = data.split_at_checked(16.min(data.len() / 2)) else { return };
    let mut version = Vec::new();
    let mut pieces: Vec<CopiedPiece> = Vec::new();
    for step in plan.chunks_exact(4) {
        let from = usize::from(u16::from_le_bytes([step[0], step[1]])) % (base.len() + 1);
        let length = (usize::from(step[2]) * 4).min(base.len() - from);
        if length > 0 {
            pieces.push(CopiedPiece { from, to: version.len(), length });
            version.extend_from_slice(&base[from..from + length]);
        }
        version.extend(std::iter::repeat_n(step[3], usize::from(step[3] % 3)));
    }
    let carried = DETECTOR.trace(&version, Some((&DETECTOR.trace(base, None), &pieces)));
    assert_eq!(carried, DETECTOR.trace(&version, None), "carried and found anew");
}

/// Locality: a window that holds a candidate with its reach finds it as the whole text does.
pub fn window(data: &[u8]) {
    let [first, second, third, text @ ..] = data else { return };
    let start = usize::from(*first) * usize::from(*third) % (text.len() + 1);
    let window = Span::new(start, (start + 4 * usize::from(*second)).min(text.len()));
    let reach = |label: &str| {
        let rule = DETECTOR.rules().rules.iter().find(|rule| rule.id == label);
        rule.map_or_else(|| DETECTOR.reach(), Rule::reach)
    };
    let inside = |span: Span, label: &str| {
        (window.start == 0 || span.start >= window.start + reach(label))
            && (window.end == text.len() || span.end + reach(label) <= window.end)
    };
    let moved = |span: Span| Span::new(span.start + window.start, span.end + window.start);
    let cut = DETECTOR.candidates(window.of(text)).into_iter().map(|(span, label)| (moved(span), label));
    let mut cut: Vec<_> = cut.filter(|(span, label)| inside(*span, label)).collect();
    let mut whole = DETECTOR.candidates(text);
    whole.retain(|(span, label)| inside(*span, label));
    cut.sort();
    whole.sort();
    assert_eq!(cut, whole, "in {window:?}");
}

/// Comments: every finding gets a verdict, and a reason never holds the value.
pub fn allow(data: &[u8]) {
    let found = findings(data, "a.env", &mut Scratch::default());
    let suppressor = Suppressor::new(SuppressOptions::default());
    let beside = Beside { bytes: data, offset: 0, focus: &Focus::Whole };
    for finding in &found {
        let told = format!("{:?}", suppressor.judge(finding, &beside)).into_bytes();
        let value = finding.secret.expose();
        assert!(
            value.len() < 12 || !told.windows(value.len()).any(|window| window == value),
            "{}",
            finding.rule
        );
    }
}

/// How much is read from other forms in one text at most.
const MOST_READ: usize = 1 << 20;

/// Other forms: what is read has an origin for every byte inside of where it stands, passages are in order and apart,
/// and text that is put into a form comes out of it.
pub fn decode(data: &[u8]) {
    let (choice, text) = data.split_first().unwrap_or((&0, data));
    let written = in_form(*choice, text);
    let passages = DETECTOR.passages(&written);
    let mut end = 0;
    for (from, bytes, origins) in &passages {
        assert!(end <= from.start && from.end <= written.len(), "{from:?} after {end}");
        assert_eq!(bytes.len(), origins.len(), "{from:?}");
        let inside = origins.iter().all(|at| (from.start..from.end).contains(at));
        assert!(origins.is_sorted() && inside, "{from:?}");
        end = from.end;
    }
    assert!(passages.iter().map(|(_, bytes, _)| bytes.len()).sum::<usize>() <= MOST_READ);
    let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    if choice % FORMS == 1 && text.len() >= 15 && text.iter().all(plain) {
        let read = passages.iter().any(|(_, bytes, _)| bytes == text.trim_ascii_end());
        assert!(read, "base64 of {} bytes is read", text.len());
    }
    let found = findings(&written, "a.env", &mut Scratch::default());
    for finding in &found {
        let span = finding.span;
        assert!(span.start < span.end && span.end <= written.len(), "{} at {span:?}", finding.rule);
    }
    let could = DETECTOR.could_hold(&written, &DETECTOR.trace(&written, None));
    assert!(could || found.is_empty(), "something was found where nothing could be held");
}

const FORMS: u8 = 6;

/// `text` as it is, or put into one form, or into two.
fn in_form(choice: u8, text: &[u8]) -> Vec<u8> {
    let each =
        |write: fn(u8) -> String| text.iter().map(|&byte| write(byte)).collect::<String>().into_bytes();
    match choice % FORMS {
        1 => data_encoding::BASE64.encode(text).into_bytes(),
        2 => data_encoding::HEXLOWER.encode(text).into_bytes(),
        3 => each(|byte| format!("%{byte:02X}")),
        4 => each(|byte| format!("\\x{byte:02x}")),
        5 => {
            let once = data_encoding::BASE64_MIME.encode(text);
            let twice = data_encoding::BASE64URL_NOPAD.encode(once.as_bytes());
            [b"a = \"", twice.as_bytes(), b"\" +\n"].concat()
        }
        _ => text.to_vec(),
    }
}

/// Packs of one's own: an error or rules that can be used, and no value in the error.
pub fn pack(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if Pack::parse(text).is_ok()
        && let Ok(rules) = RuleSet::builtin().extended(&[("fuzz".to_owned(), text.to_owned())])
    {
        let provenance = Provenance::file(FilePath::from("a.env"));
        Detector::new(rules).detect(&Chunk::whole(data, &provenance), &mut Scratch::default());
    }
}

/// What is shown: nothing that acts on a terminal or a CI system is left.
pub fn words(data: &[u8]) {
    let shown = escape(data);
    let acts = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!shown.contains(acts), "{shown:?}");
    assert!(
        !shown.trim_start().starts_with("::") && !shown.contains("##[") && !shown.contains("##vso["),
        "{shown:?}"
    );
}
