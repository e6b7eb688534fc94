//! The two contracts that make detection fast, over random texts:
//! the prefilter loses nothing, and candidates are local within the stated reach.

#[path = "../fuzz/src/slow.rs"]
mod slow;

use keyfence::detect::{Detection, Detector, Scratch};
use keyfence::model::{Chunk, CopiedPiece, FilePath, Finding, Provenance, Span};
use keyfence::rules::Rule;
use keyfence::rules::format::Pack;
use keyfence::rules::pattern::Pattern;
use proptest::prelude::*;
use proptest::sample::Index;
use slow::{Shape, Slow, fast, packs};

/// A value of the pattern, chosen by `choices`.
fn value_of(pattern: &Pattern, choices: &[Index]) -> Vec<u8> {
    let mut choices = choices.iter().cycle();
    let mut value = Vec::new();
    for item in &pattern.items {
        let bytes: Vec<u8> = (0..128_u8).filter(|&byte| item.set >> byte & 1 == 1).collect();
        let count = item.min.max(item.max.min(item.min.saturating_add(3)));
        for _ in 0..count {
            let choice = choices.next().expect("a cycle does not end");
            value.push(bytes[choice.index(bytes.len())]);
        }
    }
    value
}

/// Pieces of texts: values of shapes (by index and random choices), examples' texts, and what stands between.
#[derive(Clone, Debug)]
enum Piece {
    Value(Index, Vec<Index>),
    Example(Index),
    /// An example in another form, by number.
    Encoded(Index, usize),
    Filler(Vec<u8>),
}

fn piece() -> impl Strategy<Value = Piece> {
    let filler = proptest::collection::vec(
        prop_oneof![4 => Just(b' '), 2 => Just(b'\n'), 2 => Just(b'"'), 2 => Just(b'='), 1 => Just(b'/'), 1 => Just(b'+'),
            1 => Just(b'%'), 1 => Just(b'\\'), 1 => Just(b'&'), 1 => Just(b';'),
            1 => Just(b'-'), 1 => Just(b'_'), 3 => b'a'..=b'z', 2 => b'0'..=b'9', 1 => any::<u8>()],
        0..12,
    );
    prop_oneof![
        4 => (any::<Index>(), proptest::collection::vec(any::<Index>(), 40)).prop_map(|(shape, choices)| Piece::Value(shape, choices)),
        2 => any::<Index>().prop_map(Piece::Example),
        2 => (any::<Index>(), 0..ENCODINGS).prop_map(|(example, form)| Piece::Encoded(example, form)),
        4 => filler.prop_map(Piece::Filler),
        1 => named_digest().prop_map(|text| Piece::Filler(text.into_bytes())),
    ]
}

/// What lock files are full of, and what only looks like it.
fn named_digest() -> impl Strategy<Value = String> {
    let before = proptest::sample::select(&["\n", " {\"", "\napi_", ""]);
    let name = proptest::sample::select(&["checksum", "sha256", "Digest", "secret", "integrity"]);
    let between = proptest::sample::select(&[" = \"", "\": \"", ":", " ", "=             '"]);
    let lengths = proptest::sample::select(&["{31}", "{32}", "{40}", "{64}", "{96}"]);
    let digits = lengths.prop_flat_map(|length| {
        proptest::string::string_regex(&format!("[0-9a-f]{length}")).expect("it is an expression")
    });
    (before, name, between, digits)
        .prop_map(|(before, name, between, digits)| format!("{before}{name}{between}{digits}"))
}

/// How many other forms there are.
const ENCODINGS: usize = 6;

/// `text` in another form.
fn encoded(text: &str, form: usize) -> String {
    let escaped = |escape: fn(u8) -> String| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric();
        text.bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { escape(byte) })
            .collect::<String>()
    };
    match form {
        0 => data_encoding::BASE64.encode(text.as_bytes()),
        1 => data_encoding::HEXLOWER.encode(text.as_bytes()),
        2 => escaped(|byte| format!("%{byte:02X}")),
        3 => escaped(|byte| format!("\\u00{byte:02x}")),
        4 => text.bytes().map(|byte| format!("\\u00{byte:02x}")).collect(),
        _ => {
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(20).collect();
            let pieces = bytes.iter().map(|piece| format!("\"{}\"", String::from_utf8_lossy(piece)));
            pieces.collect::<Vec<String>>().join(" +\n        ")
        }
    }
}

fn text_of(pieces: &[Piece], shapes: &[Shape], examples: &[String]) -> Vec<u8> {
    let mut text = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Value(shape, choices) => {
                text.extend(value_of(&shapes[shape.index(shapes.len())].pattern, choices))
            }
            Piece::Example(example) => text.extend(examples[example.index(examples.len())].bytes()),
            Piece::Encoded(example, form) => {
                text.extend(encoded(&examples[example.index(examples.len())], *form).bytes())
            }
            Piece::Filler(bytes) => text.extend(bytes),
        }
    }
    text
}

fn examples() -> Vec<String> {
    let texts = |pack: &Pack| -> Vec<String> {
        pack.parts.iter().flat_map(|part| part.matches.iter().map(|example| example.open().1)).collect()
    };
    packs().iter().flat_map(texts).collect()
}

/// How far a candidate of this label may look.
fn reach_of(detector: &Detector, label: &str) -> usize {
    let rule = detector.rules().rules.iter().find(|rule| rule.id == label);
    rule.map_or_else(|| detector.reach(), Rule::reach)
}

/// So many cases, other ones each time, and as many times more as `KEYFENCE_CASES` says.
fn cases(count: u32) -> ProptestConfig {
    let times = std::env::var("KEYFENCE_CASES").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    ProptestConfig::with_cases(count.saturating_mul(times))
}

#[test]
fn the_prefilter_loses_nothing() {
    let (detector, slow, examples) = (Detector::builtin(), Slow::builtin(), examples());
    let mut seen = 0_usize;
    let mut runner = proptest::test_runner::TestRunner::new(cases(192));
    runner
        .run(&proptest::collection::vec(piece(), 1..6), |pieces| {
            let mut text = text_of(&pieces, &slow.shapes, &examples);
            text.truncate(1500);
            prop_assert_eq!(fast(&detector, &text), slow.search(&text));
            Ok(())
        })
        .expect("fast and slow search agree");
    for example in &examples {
        seen += fast(&detector, example.as_bytes()).len();
    }
    assert!(seen > 200, "the comparison meets candidates at all");
}

#[test]
fn candidates_are_local() {
    let (detector, shapes, examples) = (Detector::builtin(), Slow::builtin().shapes, examples());
    let mut runner = proptest::test_runner::TestRunner::new(cases(192));
    let strategy = (proptest::collection::vec(piece(), 1..12), any::<Index>(), any::<Index>());
    runner
        .run(&strategy, |(pieces, from, to)| {
            let text = text_of(&pieces, &shapes, &examples);
            let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
            let window = Span::new(from.min(to), from.max(to));
            let whole = detector.candidates(&text);
            let cut = detector.candidates(window.of(&text));
            let inside = |span: Span, label: &str| {
                let reach = reach_of(&detector, label);
                (window.start == 0 || span.start >= window.start + reach)
                    && (window.end == text.len() || span.end + reach <= window.end)
            };
            for (span, label) in &whole {
                if inside(*span, label) {
                    let moved =
                        (Span::new(span.start - window.start, span.end - window.start), label.clone());
                    prop_assert!(cut.contains(&moved), "{label} at {span:?} is lost in {window:?}");
                }
            }
            for (span, label) in &cut {
                let moved = Span::new(span.start + window.start, span.end + window.start);
                if inside(moved, label) {
                    prop_assert!(
                        whole.contains(&(moved, label.clone())),
                        "{label} at {moved:?} is only in {window:?}"
                    );
                }
            }
            Ok(())
        })
        .expect("a window with its margin gives what the whole gives");
}

/// One way to make a version from another.
#[derive(Clone, Debug)]
enum Edit {
    Insert(Index, Vec<Piece>),
    Delete(Index, Index),
    Duplicate(Index, Index, Index),
    Move(Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let index = || any::<Index>();
    prop_oneof![
        4 => (index(), proptest::collection::vec(piece(), 0..2)).prop_map(|(at, pieces)| Edit::Insert(at, pieces)),
        2 => (index(), index()).prop_map(|(from, to)| Edit::Delete(from, to)),
        1 => (index(), index(), index()).prop_map(|(from, to, at)| Edit::Duplicate(from, to, at)),
        1 => (index(), index()).prop_map(|(from, to)| Edit::Move(from, to)),
    ]
}

/// A version under way: each byte with the place it was copied from, if it was.
type Made = Vec<(u8, Option<usize>)>;

fn apply(edit: &Edit, version: &mut Made, shapes: &[Shape], examples: &[String]) {
    let length = version.len() + 1;
    let place = |index: &Index| index.index(length);
    let short = |from: &Index, to: &Index| {
        let start = place(from);
        start..(start + to.index(200)).min(length - 1)
    };
    match edit {
        Edit::Insert(at, pieces) => {
            let fresh = text_of(pieces, shapes, examples).into_iter().map(|byte| (byte, None));
            let at = place(at);
            version.splice(at..at, fresh);
        }
        Edit::Delete(from, to) => drop(version.drain(short(from, to))),
        Edit::Duplicate(from, to, at) => {
            let copy: Made = version[short(from, to)].to_vec();
            let at = place(at);
            version.splice(at..at, copy);
        }
        Edit::Move(from, to) => {
            let (from, to) = (place(from), place(to));
            let (low, high) = (from.min(to), from.max(to));
            version[low..high].rotate_left((high - low) / 3);
        }
    }
}

/// The copied pieces of a version, each as long as can be.
fn copied_pieces(version: &Made) -> Vec<CopiedPiece> {
    let mut pieces: Vec<CopiedPiece> = Vec::new();
    for (to, from) in version.iter().enumerate().filter_map(|(to, &(_, from))| Some((to, from?))) {
        match pieces.last_mut() {
            Some(last) if last.end() == to && last.from + last.length == from => last.length += 1,
            _ => pieces.push(CopiedPiece { from, to, length: 1 }),
        }
    }
    pieces
}

/// What is told of a detection, without the values.
fn told(detection: &Detection) -> Vec<(Span, String, String)> {
    let told = |finding: &Finding| {
        let evidence = format!("{:?} {:?} {:?}", finding.confidence, finding.verdict, finding.evidence);
        (finding.span, finding.rule.clone(), evidence)
    };
    detection.findings.iter().map(told).collect()
}

/// What a history is made with.
struct Maker {
    detector: Detector,
    shapes: Vec<Shape>,
    examples: Vec<String>,
}

impl Maker {
    fn new() -> Self {
        Self { detector: Detector::builtin(), shapes: Slow::builtin().shapes, examples: examples() }
    }

    /// Whether in each version of `text` what is carried from the one before is what a full search finds.
    fn carries(&self, mut text: Vec<u8>, history: &[Vec<Edit>]) -> Result<(), TestCaseError> {
        let detector = &self.detector;
        let mut trace = detector.trace(&text, None);
        for (number, edits) in history.iter().enumerate() {
            let mut made: Made = text.iter().enumerate().map(|(at, &byte)| (byte, Some(at))).collect();
            edits.iter().for_each(|edit| apply(edit, &mut made, &self.shapes, &self.examples));
            let version: Vec<u8> = made.iter().map(|&(byte, _)| byte).collect();
            let copied = copied_pieces(&made);
            let base = Some((&trace, copied.as_slice()));
            let carried = detector.trace(&version, base);
            prop_assert_eq!(&carried, &detector.trace(&version, None), "{:?}", edits);
            let provenance = Provenance::file(FilePath::from(["bot.py", "okx/.env"][number % 2]));
            let chunk = Chunk::whole(&version, &provenance);
            let whole = detector.detect(&chunk, &mut Scratch::default());
            let could = detector.could_hold(&version, &carried);
            prop_assert!(could || whole.findings.is_empty(), "{edits:?}");
            let found = detector.detect_version(&chunk, &carried, base);
            prop_assert_eq!(told(&found), told(&whole), "{:?}", edits);
            (text, trace) = (version, carried);
        }
        Ok(())
    }
}

fn history() -> impl Strategy<Value = Vec<Vec<Edit>>> {
    proptest::collection::vec(proptest::collection::vec(edit(), 1..4), 1..6)
}

#[test]
fn versions_are_carried_exactly() {
    let maker = Maker::new();
    let mut runner = proptest::test_runner::TestRunner::new(cases(256));
    let strategy = (proptest::collection::vec(piece(), 4..24), history());
    runner
        .run(&strategy, |(pieces, history)| {
            maker.carries(text_of(&pieces, &maker.shapes, &maker.examples), &history)
        })
        .expect("what is carried is what a full search finds");
}

/// Lines that stand between what matters: statements, blocks, sections, lists, and now and then somebody's name.
const LINES: &[&str] = &[
    "def step(self, value):",
    "    return value + 1",
    "",
    "# as okx and others do",
    "[section]",
    "level = 3",
    "items:",
    "  - name: first",
    "    value: one, two",
    "client = Client(",
    "    mode=\"plain\",",
    ")",
    "config = {\"exchange\": {\"name\": \"kraken\"}}",
    "}",
    "(\"a\", [1, 2",
    "from binance.client import Client",
];

/// Values are so far from each other that an edit leaves the neighbourhoods of most of them as they were.
#[test]
fn what_stands_near_is_carried_exactly() {
    let maker = Maker::new();
    let mut runner = proptest::test_runner::TestRunner::new(cases(48));
    let line = proptest::sample::select(LINES);
    let between = (proptest::collection::vec(line, 1..24), 100..700_usize);
    let strategy = (any::<bool>(), proptest::collection::vec((piece(), between), 2..7), history());
    runner
        .run(&strategy, |(is_table, parts, history)| {
            let mut text = if is_table { b"name,api_key,secret\n".to_vec() } else { Vec::new() };
            for (piece, (lines, count)) in parts {
                text.extend(text_of(&[piece], &maker.shapes, &maker.examples));
                lines.iter().cycle().take(count).for_each(|line| text.extend(format!("{line}\n").bytes()));
            }
            maker.carries(text, &history)
        })
        .expect("what is carried is what a full search finds");
}

/// Whether something could be found is asked without a path; with any path at most that is found.
#[test]
fn what_is_found_could_be_held() {
    let detector = Detector::builtin();
    for pack in &packs() {
        for example in pack.parts.iter().flat_map(|part| part.matches.iter().chain(&part.silent)) {
            let (path, text) = example.open();
            let provenance = Provenance::file(FilePath::from(path.as_str()));
            let chunk = Chunk::whole(text.as_bytes(), &provenance);
            let found = !detector.detect(&chunk, &mut Scratch::default()).findings.is_empty();
            let could = detector.could_hold(text.as_bytes(), &detector.trace(text.as_bytes(), None));
            assert!(could || !found, "{}: an example in {path:?}", pack.provider);
        }
    }
}
