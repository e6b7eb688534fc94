//! Whose value it is: providers' words, weighed by how near they stand, in structure first and then in lines.
//!
//! Must not know: shapes, roles, what is done with the answer.
//! Invariant: a lower score is stronger evidence, and a nearer word never scores worse than a farther one of its kind.

use crate::model::Span;

use super::document::Document;
use super::naming::Naming;
use super::structure::{BRACKET_REACH, Scope};
use super::words::WordHit;

/// What speaks for a provider, and how strongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sign {
    pub(crate) score: u32,
    witness: Witness,
}

/// What speaks for a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Witness {
    /// A word, and where it stands.
    Word(Span, &'static str),
    /// Another part of the same credential.
    Partner,
}

impl Sign {
    /// Of another part that stands so near.
    pub(crate) fn of_partner(score: u32) -> Self {
        Self { score, witness: Witness::Partner }
    }

    /// The same in a text in which what stood at `from` stands at `to`.
    pub(crate) fn moved(self, from: usize, to: usize) -> Self {
        let witness = match self.witness {
            Witness::Word(word, place) => Witness::Word(word.moved(from, to), place),
            Witness::Partner => Witness::Partner,
        };
        Self { witness, ..self }
    }

    /// What it says about the value at `value`, for people. Many signs are weighed and few are told.
    pub(crate) fn told(&self, document: &Document<'_>, value: Span) -> String {
        match self.witness {
            Witness::Word(word, place) => {
                tell(document, word, self.score, place, document.line_of(value.start))
            }
            Witness::Partner => "beside another part of it".to_owned(),
        }
    }
}

/// In the value's own name or header.
pub(crate) const IN_NAME: u32 = 0;
/// In the call that it is an argument of.
pub(crate) const IN_CALL: u32 = 1;
/// In the import that brings the call.
pub(crate) const IN_IMPORT: u32 = 5;
const IN_HEAD: u32 = 10;
const BESIDE: u32 = 12;
/// Everything below speaks from the structure around the value.
pub(crate) const STRUCTURE: u32 = 30;
/// Everything below speaks from the value's own name, its call, or what it is a member of.
pub(crate) const SAME_LINE: u32 = 20;
const NEAR: u32 = 31;
const NEAR_LINES: usize = 12;
/// Everything below stands within some lines.
pub(crate) const NEARBY: u32 = 70;
pub(crate) const IN_FILE_NAME: u32 = 70;
const IN_PATH: u32 = 85;
/// Everything from here on is said by the file as a whole.
pub(crate) const IN_FILE: u32 = 100;
const FILE_NAME: &str = "in the file's name";
const PATH: &str = "in the path";
/// No evidence at all.
pub(crate) const NOWHERE: u32 = 1000;

/// The strongest sign of each provider.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signs {
    /// By provider, ascending.
    all: Vec<(u16, Sign)>,
}

impl Signs {
    pub(crate) fn get(&self, provider: u16) -> Option<Sign> {
        let place = self.all.binary_search_by_key(&provider, |&(other, _)| other).ok()?;
        Some(self.all[place].1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, Sign)> {
        self.all.iter().copied()
    }

    /// Adds a sign, unless there is one that is as strong.
    pub(crate) fn keep(&mut self, provider: u16, sign: Sign) {
        match self.all.binary_search_by_key(&provider, |&(other, _)| other) {
            Ok(place) if sign.score < self.all[place].1.score => self.all[place].1 = sign,
            Ok(_) => {}
            Err(place) => self.all.insert(place, (provider, sign)),
        }
    }

    /// The same for many at once, in the order of providers.
    fn keep_all(&mut self, signs: impl Iterator<Item = (u16, Sign)>) {
        let known = std::mem::take(&mut self.all);
        self.all.reserve(known.len() + signs.size_hint().0);
        let mut known = known.into_iter().peekable();
        for (provider, sign) in signs {
            while let Some(before) = known.next_if(|&(other, _)| other < provider) {
                self.all.push(before);
            }
            let rival = known.next_if(|&(other, _)| other == provider);
            self.all.push(rival.filter(|(_, rival)| rival.score <= sign.score).unwrap_or((provider, sign)));
        }
        self.all.extend(known);
    }

    /// The same in a text in which what stood at `from` stands at `to`.
    pub(crate) fn moved(&self, from: usize, to: usize) -> Self {
        Self { all: self.all.iter().map(|&(provider, sign)| (provider, sign.moved(from, to))).collect() }
    }
}

/// A value whose signs are weighed.
pub(crate) struct Weigher<'a> {
    pub(crate) document: &'a Document<'a>,
    pub(crate) value: Span,
    pub(crate) naming: &'a Naming,
    pub(crate) scopes: &'a [Scope],
}

impl Weigher<'_> {
    /// The strongest sign of each provider among what stands around the value. Depends on nothing else.
    pub(crate) fn near(&self) -> Signs {
        let mut best = Signs::default();
        let own_line = self.document.line_of(self.value.start);
        let mut consider = |hit: WordHit| {
            if let Some(sign) = self.sign(hit, own_line, || self.document.line_of(hit.span.start)) {
                best.keep(hit.provider, sign);
            }
        };
        nearest(self.document, self.value).into_iter().for_each(&mut consider);
        let in_heads = self.scopes.iter().flat_map(|scope| self.document.hits_in(scope.head));
        in_heads.copied().for_each(consider);
        best
    }

    /// Adds what the text as a whole and its path say.
    pub(crate) fn add_far(&self, best: &mut Signs) {
        let document = self.document;
        let own_line = document.line_of(self.value.start);
        let first_hits = document.first_hits().iter();
        best.keep_all(
            first_hits.filter_map(|&(hit, line)| Some((hit.provider, self.sign(hit, own_line, || line)?))),
        );
        let name_start = document.path.as_bytes().len() - document.path.file_name().len();
        for &hit in document.path_hits().iter().filter(|hit| !hit.weak) {
            let (score, place) =
                if hit.span.start >= name_start { (IN_FILE_NAME, FILE_NAME) } else { (IN_PATH, PATH) };
            best.keep(hit.provider, Sign { score, witness: Witness::Word(hit.span, place) });
        }
    }

    /// What a word says, if it says anything about this value.
    fn sign(&self, hit: WordHit, own_line: usize, line: impl Fn() -> usize) -> Option<Sign> {
        if hit.span.overlaps(self.value) {
            return None;
        }
        let (score, place) = self.weigh(hit.span, own_line, line);
        let score = score + if hit.nested { NESTED } else { 0 };
        let believed = score < BESIDE || (score < SAME_LINE && !is_prose(self.document.text, hit.span));
        (!hit.weak || believed).then_some(Sign { score, witness: Witness::Word(hit.span, place) })
    }

    /// How strongly a word speaks, and how that is told. `line` tells the line it is in.
    fn weigh(&self, hit: Span, own_line: usize, line: impl Fn() -> usize) -> (u32, &'static str) {
        let Self { document, value, naming, scopes } = *self;
        if naming.span.is_some_and(|name| name.contains(hit)) {
            return (IN_NAME, "in its name");
        }
        if naming.callee.is_some_and(|callee| callee.contains(hit)) {
            return (IN_CALL, "in the call");
        }
        if naming.callee.is_some_and(|callee| brings(document, hit, callee)) {
            return (IN_IMPORT, "where the call comes from");
        }
        if let Some(depth) = scopes.iter().position(|scope| scope.head.contains(hit)) {
            return (IN_HEAD + bounded(depth, 8), "in what it stands in");
        }
        let line = line();
        // A line of a minified file or a map holds a whole program: there, bytes count as lines.
        let lines = line.abs_diff(own_line).max(hit.start.abs_diff(value.start) / LONG_LINE);
        let after = usize::from(hit.start > value.start);
        let holds = |scope: &Scope| scope.holds_directly(document, hit.start);
        if let Some(depth) = scopes.iter().take(2).position(holds) {
            let per_line = if depth == 0 { 1 } else { 2 };
            let distance = bounded(depth * 4 + lines.min(6) * per_line + after, 17);
            return (BESIDE + distance, "beside it");
        }
        if lines == 0 {
            return (SAME_LINE, "on the same line");
        }
        if lines <= NEAR_LINES {
            return (NEAR + bounded(lines * 3 + after, 38), if after == 1 { "below" } else { "above" });
        }
        (IN_FILE + bounded(lines, 500), "in the file")
    }
}

/// Whether a word stands between others as in a sentence, which names nobody: `the gate is shut`.
fn is_prose(text: &[u8], word: Span) -> bool {
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_lowercase);
    let before = word.start >= 2 && text[word.start - 1] == b' ' && is_letter(text.get(word.start - 2));
    let after = text.get(word.end) == Some(&b' ') && is_letter(text.get(word.end + 1));
    before || after
}

/// How many words of one provider are weighed near a value: the nearest ones, which score best of their kind.
const NEAREST: usize = 8;
/// How far to either side words are weighed one by one, in bytes.
const WINDOW: usize = 2 * BRACKET_REACH;

/// The words around `value`, the nearest of each provider.
fn nearest(document: &Document<'_>, value: Span) -> Vec<WordHit> {
    let window = Span::new(value.start.saturating_sub(WINDOW), value.end.saturating_add(WINDOW));
    let mut hits = document.hits_in(window).to_vec();
    let distance = |hit: &WordHit| hit.span.start.abs_diff(value.start);
    hits.sort_by_key(|hit| (hit.provider, hit.weak, distance(hit)));
    let mut kept: Vec<WordHit> = Vec::new();
    for group in hits.chunk_by(|one, other| (one.provider, one.weak) == (other.provider, other.weak)) {
        kept.extend(&group[..group.len().min(NEAREST)]);
    }
    kept
}

/// What a word costs that stands inside a longer one of somebody else.
const NESTED: u32 = 6;

/// How strongly a believed part at `partner` speaks for `value`, if it stands near.
pub(crate) fn beside(document: &Document<'_>, value: Span, partner: Span) -> Option<u32> {
    let lines = document.line_of(value.start).abs_diff(document.line_of(partner.start));
    (lines <= NEAR_LINES).then(|| NEAR + bounded(lines * 3, 38))
}

/// What stands so near to `partner` that [`beside`] has an answer about it.
pub(crate) fn zone_beside(document: &Document<'_>, partner: Span) -> Span {
    document.lines_about(partner.start, NEAR_LINES)
}

/// How statements begin that bring names from elsewhere.
const IMPORTS: &[&[u8]] = &[b"from ", b"import ", b"use ", b"using ", b"const ", b"require ", b"#include "];
const LONGEST_IMPORT: usize = 200;

/// Whether the word at `hit` stands in the import that brings what is called: `from luno_python.client import Client`.
fn brings(document: &Document<'_>, hit: Span, callee: Span) -> bool {
    let line = document.line_around(hit.start);
    let statement = line.of(document.text);
    let indent = statement.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if line.contains(callee)
        || line.len() > LONGEST_IMPORT
        || !IMPORTS.iter().any(|word| statement[indent..].starts_with(word))
        || (statement[indent..].starts_with(b"const ")
            && memchr::memmem::find(statement, b"require(").is_none())
    {
        return false;
    }
    // `bitstamp.client.Trading` comes with `bitstamp`.
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let called = callee.of(document.text);
    let called = &called[..called.iter().take_while(|byte| is_name(byte)).count()];
    !called.is_empty() && statement.split(|byte| !is_name(byte)).any(|word| word == called)
}

/// More than this is no line that a person wrote.
const LONG_LINE: usize = 400;

fn bounded(number: usize, most: u32) -> u32 {
    u32::try_from(number).unwrap_or(most).min(most)
}

fn tell(document: &Document<'_>, hit: Span, score: u32, place: &str, own_line: usize) -> String {
    let in_path = place == FILE_NAME || place == PATH;
    let text = if in_path { document.path.as_bytes() } else { document.text };
    let word = String::from_utf8_lossy(hit.of(text)).into_owned();
    if in_path || score < NEAR {
        return format!("`{word}` {place}");
    }
    let lines = document.line_of(hit.start).abs_diff(own_line);
    let unit = if lines == 1 { "line" } else { "lines" };
    let direction = if document.line_of(hit.start) < own_line { "above" } else { "below" };
    format!("`{word}` {lines} {unit} {direction}")
}
