//! The slow search for shapes: at each byte, each shape that a pack writes, as a regular expression.
//!
//! Must not know: how the engine searches. No blocks, no tables, no classes of runs: what is found here is what the
//! prefilter may not lose.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use keyfence::detect::checks::{self, Check};
use keyfence::detect::{Detector, randomness};
use keyfence::model::Span;
use keyfence::rules::format::Pack;
use keyfence::rules::pattern::{self, Alphabet, Pattern};
use keyfence::rules::{Classes, Kind, Need, Rule, RuleSet};
use regex::bytes::{Regex, RegexSet, RegexSetBuilder};

/// How much memory the set of all shapes may take; the usual limit is made for expressions of strangers.
const MOST_MEMORY: usize = 1 << 28;

/// One alternative of a rule's shape, as the pack writes it.
pub struct Shape {
    rule: String,
    regex: Regex,
    /// Its parts, of which values can be made.
    pub pattern: Pattern,
    require: Classes,
    checks: Vec<Check>,
    /// Whether a digest that is called so is none of its values.
    wants_context: bool,
    /// Whether names are told from values by how random they look.
    wants_random: bool,
}

/// All shapes of the packs.
pub struct Slow {
    /// Each by itself.
    pub shapes: Vec<Shape>,
    /// All at once: which of them match where a text begins.
    set: RegexSet,
}

/// The packs of the repository, in the order of their names.
pub fn packs() -> Vec<Pack> {
    // The fuzz targets are a package of their own, one directory below.
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = [own.join("rules"), own.join("../rules")].into_iter().find(|path| path.is_dir());
    let mut files = Vec::new();
    collect(&rules.expect("the repository has packs"), &mut files);
    files.sort();
    let read = |file: &PathBuf| {
        Pack::parse(&fs::read_to_string(file).expect("a pack is a file")).expect("packs parse")
    };
    files.iter().map(read).collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("rules/ is there") {
        let path = entry.expect("rules/ can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}

/// Rules that need something around the value, whose shape is neither proved by a check nor hexadecimal.
fn wants_random(rule: &Rule) -> bool {
    let Kind::Shape(shapes) = &rule.kind else { return false };
    rule.need != Need::Nothing
        && rule.checks.is_empty()
        && !shapes.iter().all(keyfence::rules::Shape::is_hexadecimal)
}

impl Slow {
    /// The shapes of the packs that are built in.
    pub fn builtin() -> Self {
        let rules = RuleSet::builtin();
        let (mut shapes, mut sources) = (Vec::new(), Vec::new());
        for part in packs().iter().flat_map(|pack| &pack.parts) {
            let Some(source) = part.shape.as_ref().filter(|_| part.anchor.is_empty()) else { continue };
            let rule = rules.rules.iter().find(|rule| rule.id == part.id).expect("packs are built in");
            let anchored = format!("^(?-u:{source})");
            for pattern in pattern::parse(source).expect("shapes parse") {
                shapes.push(Shape {
                    rule: part.id.clone(),
                    regex: Regex::new(&anchored).expect("a shape is a regular expression"),
                    pattern,
                    require: rule.require,
                    wants_context: rule.need != Need::Nothing,
                    wants_random: wants_random(rule),
                    checks: rule.checks.iter().filter_map(|name| Check::parse(name)).collect(),
                });
                sources.push(anchored.clone());
            }
        }
        let set = RegexSetBuilder::new(sources).size_limit(MOST_MEMORY).dfa_size_limit(MOST_MEMORY).build();
        Self { shapes, set: set.expect("shapes are regular expressions") }
    }

    /// Every place where a shape matches between its boundaries.
    pub fn search(&self, text: &[u8]) -> Vec<(Span, String)> {
        let mut found = Vec::new();
        for start in 0..text.len() {
            let shapes = self.set.matches(&text[start..]).into_iter().map(|number| &self.shapes[number]);
            for shape in shapes {
                let matched = shape.regex.find(&text[start..]).expect("the set says so");
                let span = Span::new(start, start + matched.end());
                if shape.admits(text, span) {
                    found.push((span, shape.rule.clone()));
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

impl Shape {
    fn admits(&self, text: &[u8], span: Span) -> bool {
        let value = span.of(text);
        is_free(self.pattern.alphabet, text, span)
            && Classes::of(value).contains(self.require)
            && !(self.wants_random && is_language(value))
            && !(self.wants_context && is_called_digest(text, span))
            && self.checks.iter().all(|&check| checks::run(check, value))
    }
}

/// Hexadecimal digits of a digest's length that nothing joins, behind the name of a digest within 24 bytes.
fn is_called_digest(text: &[u8], span: Span) -> bool {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        let names = "checksum|digest|integrity|md5|sha1|sha256|sha512";
        let named = format!(r#"(?-u)[^A-Za-z0-9_.-](?i:{names})[ \t"']*[:=][ \t"']*$"#);
        Regex::new(&named).expect("it is a regular expression")
    });
    let in_run = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/_-".contains(byte);
    let start = span.start - text[..span.start].iter().rev().take_while(in_run).count();
    let run = &text[start..span.end + text[span.end..].iter().take_while(in_run).count()];
    matches!(run.len(), 32 | 40 | 56 | 64 | 96 | 128)
        && run.iter().all(u8::is_ascii_hexdigit)
        && NAMED.is_match(&text[start.saturating_sub(24)..start])
}

/// As strict as detection says it is: twice as lenient from 32 characters on.
fn is_language(value: &[u8]) -> bool {
    let limit = if value.len() >= 32 { 2.0 * randomness::LANGUAGE } else { randomness::LANGUAGE - 1.0 };
    randomness::score(value) <= limit
}

/// Boundaries as the format documents them.
fn is_free(alphabet: Alphabet, text: &[u8], span: Span) -> bool {
    let (left, right): (&[u8], &[u8]) = match alphabet {
        Alphabet::Alphanumeric => (b"+", b"+"),
        Alphabet::Base64 => (b"+/", b"+/="),
        Alphabet::Base64Url => (b"_-", b"_-"),
    };
    let joins = |byte: &u8, marks: &[u8]| byte.is_ascii_alphanumeric() || marks.contains(byte);
    !span.start.checked_sub(1).is_some_and(|at| joins(&text[at], left))
        && !text.get(span.end).is_some_and(|byte| joins(byte, right))
}

/// What the engine finds of the same.
pub fn fast(detector: &Detector, text: &[u8]) -> Vec<(Span, String)> {
    let rules = &detector.rules().rules;
    let by_shape =
        |label: &str| rules.iter().any(|rule| rule.id == label && matches!(rule.kind, Kind::Shape(_)));
    let mut found = detector.candidates(text);
    found.retain(|(_, label)| by_shape(label));
    found.sort();
    found.dedup();
    found
}
