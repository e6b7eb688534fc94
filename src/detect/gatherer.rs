//! The search for candidates: runs, literals, lists of numbers, stretches of words.
//!
//! Must not know: names, files, providers' words; those only judge candidates.
//! Invariant: the prefilter loses nothing ([`Gatherer::gather`] equals the slow search of the tests).

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use fearless_simd::{Level, Simd, dispatch};

use crate::model::Span;
use crate::rules::pattern::AsciiSet;
use crate::rules::word_list::{Tongue, Tongues};
use crate::rules::{Kind, Need, Rule, RuleSet, Shape};

use super::candidates::{
    ARMOUR, AUTHORITY, Anchor, AnchorKind, Candidate, Clue, ESCAPE, RANDOM_ENOUGH, VALUE_REACH, sort,
};
use super::checks;
use super::connection;
use super::decode;
use super::digest::{self, is_named_digest};
use super::numbers;
use super::password;
use super::pem;
use super::phrase;
use super::probes::Probe;
use super::randomness;
use super::shapes::{self, ShapeTable};
use super::stretches;
use super::strides::{Block, strides};
use super::tokens;
use super::tongue;

/// What is looked for under every rule set, before the names of chosen values.
const FIXED: [&str; 3] = [ARMOUR, AUTHORITY, ESCAPE];
/// So many literals are found by vectors.
const FEW_LITERALS: usize = 64;

/// Finds candidates; built once and shared.
pub(crate) struct Gatherer {
    shapes: ShapeTable,
    /// What a rule asks of its values; most rules are never asked in a run.
    asked: Box<[OnceLock<Asked>]>,
    anchors: AhoCorasick,
    /// Which rules' literals are behind the anchors that are the same for all rule sets.
    literals: Vec<u16>,
    phrases: bool,
    numbers: bool,
    /// Whether what is called a digest could be what a rule asks for.
    asks_for_digests: OnceLock<bool>,
    token_bytes: OnceLock<[bool; 256]>,
}

/// What a rule asks of a value beyond its shape.
struct Asked {
    checks: Vec<checks::Check>,
    /// Whether its values are told from names by how random they look: not where the shape says it all, nor in hexadecimal,
    /// where letters say nothing.
    random: bool,
}

impl Asked {
    fn of(rule: &Rule) -> Self {
        let checks = rule.checks.iter().filter_map(|name| checks::Check::parse(name)).collect();
        Self { checks, random: wants_random(rule) }
    }
}

impl Gatherer {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        Self {
            shapes: ShapeTable::new(rules),
            asked: rules.rules.iter().map(|_| OnceLock::new()).collect(),
            anchors: automaton(rules),
            literals: literals(rules).map(|(rule, _)| rule).collect(),
            phrases: rules.rules.iter().any(|rule| matches!(rule.kind, Kind::Mnemonic(_))),
            numbers: rules.rules.iter().any(|rule| matches!(rule.kind, Kind::Numbers(_))),
            asks_for_digests: OnceLock::new(),
            token_bytes: OnceLock::new(),
        }
    }

    /// Puts the candidates of `text` into `found`, sorted by place.
    pub(crate) fn gather(&self, rules: &RuleSet, text: &[u8], found: &mut Vec<Candidate>) {
        self.gather_with_anchors(rules, text, found, |_| {});
    }

    /// The same, and calls `visit` with every anchor.
    pub(crate) fn gather_with_anchors(
        &self,
        rules: &RuleSet,
        text: &[u8],
        found: &mut Vec<Candidate>,
        mut visit: impl FnMut(Anchor),
    ) {
        found.clear();
        dispatch!(Level::new(), simd => self.runs_lists_and_stretches(simd, rules, text, found));
        self.anchors_in(text, Span::new(0, text.len()), |anchor| {
            visit(anchor);
            found.extend(self.anchored(rules, text, anchor))
        });
        sort(found);
        // Two alternatives of one shape can admit the same value.
        found.dedup();
    }

    /// Adds the key pairs that are written as numbers in `range`, and perhaps some that reach out of it.
    pub(crate) fn numbers_in(&self, text: &[u8], range: Span, found: &mut Vec<Candidate>) {
        if self.numbers {
            numbers::pairs_about(text, range, |span| found.push(Candidate { span, clue: Clue::Numbers }));
        }
    }

    /// Adds the tokens, the pairs of numbers and the phrases of a text. All are told by the kinds of its bytes, which are
    /// read once.
    #[inline(always)]
    fn runs_lists_and_stretches<S: Simd>(
        &self,
        simd: S,
        rules: &RuleSet,
        text: &[u8],
        found: &mut Vec<Candidate>,
    ) {
        let mut runs = tokens::Runs::default();
        let mut search = stretches::Search::default();
        let mut lists = numbers::Lists::default();
        let (mut last, mut probe) = (LastToken::default(), Probe::default());
        let (mut strides, mut block) = (strides(simd, text), Block::default());
        while block.fill(&mut strides) {
            for (base, kinds) in block.strides() {
                runs.step(text, base, kinds, &mut |run| self.tokens_of(rules, text, run, &mut last, found));
            }
            if self.numbers {
                let mut visit = |span| found.push(Candidate { span, clue: Clue::Numbers });
                for (base, kinds) in block.numeric() {
                    lists.step(text, base, kinds, &mut visit);
                }
            }
            if self.phrases {
                let mut visit = |stretch| phrases_in(text, stretch, &mut probe, found);
                for (base, kinds) in block.strides() {
                    search.step(text, base, kinds, &mut visit);
                }
            }
        }
        if self.phrases {
            search.finish(text, &mut |stretch| phrases_in(text, stretch, &mut probe, found));
        }
    }

    /// Adds the tokens of the runs in `range`, whose borders no run crosses.
    pub(crate) fn tokens_in(&self, rules: &RuleSet, text: &[u8], range: Span, found: &mut Vec<Candidate>) {
        let mut last = LastToken::default();
        tokens::for_each_run(range.of(text), |run| {
            let run = Span::new(run.start + range.start, run.end + range.start);
            self.tokens_of(rules, text, run, &mut last, found);
        });
    }

    /// Adds the tokens of a run.
    #[inline(never)]
    fn tokens_of(
        &self,
        rules: &RuleSet,
        text: &[u8],
        run: Span,
        last: &mut LastToken,
        found: &mut Vec<Candidate>,
    ) {
        let first = found.len();
        let mut found_at = |rule, span| found.extend(self.token(rules, text, (rule, span), last));
        match self.is_digest(rules, text, run) {
            true => self.shapes.proved(rules, text, run, &mut found_at),
            false => self.shapes.matches(rules, text, run, &mut found_at),
        }
        let form = decode::recognise(text, run);
        found.extend(form.map(|form| Candidate { span: run, clue: Clue::Encoded(form) }));
        // Runs come in order: where each is sorted by itself, little is left to sort in the end.
        sort(&mut found[first..]);
    }

    /// Whether a run is a digest that only what proves itself is looked for in.
    fn is_digest(&self, rules: &RuleSet, text: &[u8], run: Span) -> bool {
        is_named_digest(text, run) && !self.asks_for_digests.get_or_init(|| digest::are_asked_for(rules))
    }

    /// Calls `visit` with every anchor that stands wholly in `range`.
    pub(crate) fn anchors_in(&self, text: &[u8], range: Span, mut visit: impl FnMut(Anchor)) {
        for anchor in self.anchors.find_iter(range.of(text)) {
            let kind = match anchor.pattern().as_usize() {
                0 => AnchorKind::Armour,
                1 => AnchorKind::Authority,
                2 => AnchorKind::Escape,
                index => match index.checked_sub(FIXED.len() + password::TELLING.len()) {
                    Some(literal) => AnchorKind::Literal(self.literals[literal], anchor.len()),
                    None => AnchorKind::Name(anchor.len()),
                },
            };
            visit(Anchor { at: range.start + anchor.start(), kind });
        }
    }

    /// Whether phrases are looked for at all.
    pub(crate) fn wants_phrases(&self) -> bool {
        self.phrases
    }

    /// Every byte that may stand in a token of any shape, between its first and its last.
    pub(crate) fn token_bytes(&self, rules: &RuleSet) -> &[bool; 256] {
        self.token_bytes.get_or_init(|| token_bytes(rules))
    }

    fn asked(&self, rules: &RuleSet, rule: usize) -> &Asked {
        self.asked[rule].get_or_init(|| Asked::of(&rules.rules[rule]))
    }

    /// The candidate at an anchor.
    pub(crate) fn anchored(&self, rules: &RuleSet, text: &[u8], anchor: Anchor) -> Option<Candidate> {
        Some(match anchor.kind {
            AnchorKind::Armour => {
                let key = pem::read(text, anchor.at)?;
                Candidate { span: key.span, clue: Clue::Key(key.kind) }
            }
            AnchorKind::Authority => {
                let url = connection::read(text, anchor.at)?;
                Candidate { span: url.password, clue: Clue::Connection(Box::new(url)) }
            }
            AnchorKind::Escape => Candidate { span: decode::spelled(text, anchor.at)?, clue: Clue::Spelled },
            AnchorKind::Name(_) => {
                let chosen = password::read(text, anchor.at)?;
                Candidate { span: chosen.value, clue: Clue::Chosen(Box::new(chosen)) }
            }
            AnchorKind::Literal(rule, length) => {
                let span = self.around(rules, text, rule, Span::new(anchor.at, anchor.at + length))?;
                Candidate { span, clue: Clue::Anchored(rule, anchor.at) }
            }
        })
    }

    /// The value of `rule` around its literal.
    fn around(&self, rules: &RuleSet, text: &[u8], rule: u16, literal: Span) -> Option<Span> {
        let index = usize::from(rule);
        let Kind::Anchored(_, shapes) = &rules.rules[index].kind else { return None };
        let value = shapes.iter().find_map(|shape| shapes::around(shape, text, literal))?;
        let checks = &self.asked(rules, index).checks;
        checks.iter().all(|&check| checks::run(check, value.of(text))).then_some(value)
    }

    fn token(
        &self,
        rules: &RuleSet,
        text: &[u8],
        (rule, span): (u16, Span),
        last: &mut LastToken,
    ) -> Option<Candidate> {
        let value = span.of(text);
        let index = usize::from(rule);
        if matches!(rules.rules[index].kind, Kind::Random(..)) {
            return (stands_as_value(text, span.start) && randomness::is_random(value))
                .then_some(Candidate { span, clue: Clue::Random(rule) });
        }
        let asked = self.asked(rules, index);
        last.turn_to(span);
        if asked.random && last.score(value) <= language_limit(span.len()) {
            return None;
        }
        asked
            .checks
            .iter()
            .all(|&check| last.check(check, value))
            .then_some(Candidate { span, clue: Clue::Token(rule) })
    }
}

/// The search for what is looked for by a literal: what is [`FIXED`], then [`password::TELLING`], then the rules' own.
fn automaton(rules: &RuleSet) -> AhoCorasick {
    let own = literals(rules).map(|(_, literal)| literal);
    let patterns: Vec<&str> = FIXED.iter().chain(&password::TELLING).copied().chain(own).collect();
    // So few are found by vectors alone, and a larger machine would only take its time to be built.
    let kind = (patterns.len() <= FEW_LITERALS).then_some(AhoCorasickKind::NoncontiguousNFA);
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .kind(kind)
        .build(patterns)
        .expect("a few literals always make an automaton")
}

/// Adds the phrases in a stretch.
#[inline(never)]
fn phrases_in(text: &[u8], stretch: Span, probe: &mut Probe, found: &mut Vec<Candidate>) {
    let tongues = probe.tongues_in(text, stretch);
    let english = Tongues::of(Tongue::English);
    let mut visit = |phrase| found.push(Candidate::of_phrase(phrase));
    if tongues.meets(english) {
        phrase::phrases_in(text, stretch, &mut visit);
    }
    if tongues != Tongues::NONE && tongues != english {
        tongue::phrases_in(text, stretch, &mut visit);
    }
}

/// Whether what stands directly before could give a value its name: a separator, an opening bracket, an operator, a
/// line's beginning, or the scheme of an authorization header.
fn stands_as_value(text: &[u8], start: usize) -> bool {
    let before = &text[start.saturating_sub(VALUE_REACH)..start];
    let skipped = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\');
    let gap = before.iter().rev().take_while(skipped).count();
    let Some(last) = before.iter().rev().nth(gap) else { return true };
    let scheme = [b"earer ".as_slice(), b"oken ", b"asic ", b"pikey ", b"piKey ", b"Bot "]
        .iter()
        .any(|word| before.ends_with(word));
    let flag = gap > 0
        && before[..before.len() - gap]
            .rsplit(|byte| matches!(byte, b' ' | b'"'))
            .next()
            .is_some_and(|word| word.starts_with(b"-"));
    // A prefix of a literal (`b"…"`, `f'…'`) stands between the separator and the quote.
    let quoted = gap > 0 && before[before.len() - gap..].iter().any(|byte| matches!(byte, b'"' | b'\''));
    matches!(last, b'=' | b':' | b'>' | b'(' | b',' | b'[' | b'{' | b'|' | b'?' | b'\n' | b'\r')
        || scheme
        || flag
        || quoted
}

fn wants_random(rule: &Rule) -> bool {
    let Kind::Shape(shapes) = &rule.kind else { return false };
    rule.need != Need::Nothing && rule.checks.is_empty() && !shapes.iter().all(Shape::is_hexadecimal)
}

/// What was asked of the last token: several rules ask for the same.
#[derive(Default)]
struct LastToken {
    span: Option<Span>,
    score: Option<f32>,
    checks: Vec<(checks::Check, bool)>,
}

impl LastToken {
    /// Forgets what was asked of another token.
    fn turn_to(&mut self, span: Span) {
        if self.span != Some(span) {
            self.span = Some(span);
            self.score = None;
            self.checks.clear();
        }
    }

    fn score(&mut self, value: &[u8]) -> f32 {
        *self.score.get_or_insert_with(|| randomness::score(value))
    }

    fn check(&mut self, check: checks::Check, value: &[u8]) -> bool {
        if let Some(&(_, holds)) = self.checks.iter().find(|(asked, _)| *asked == check) {
            return holds;
        }
        let holds = checks::run(check, value);
        self.checks.push((check, holds));
        holds
    }
}

/// The z-score below which a value of that length is language even where a key is expected. The usual limit loses one
/// random value in a hundred; long names and words lie so far below it that long values can be given more room.
pub(crate) fn language_limit(length: usize) -> f32 {
    if length >= LONG_TOKEN { 2.0 * RANDOM_ENOUGH } else { RANDOM_ENOUGH - 1.0 }
}

/// Names longer than this have z-scores below -6 (see the data card of the trigram table).
const LONG_TOKEN: usize = 32;

/// The literals of rules that are searched for by one, with their rules.
fn literals(rules: &RuleSet) -> impl Iterator<Item = (u16, &str)> {
    rules.rules.iter().enumerate().flat_map(|(index, rule)| {
        let index = u16::try_from(index).expect("compiling rules refuses more than 65,535 of them");
        let anchors = match &rule.kind {
            Kind::Anchored(anchors, _) => anchors.as_ref(),
            _ => &[],
        };
        anchors.iter().map(move |anchor| (index, anchor.as_ref()))
    })
}

fn token_bytes(rules: &RuleSet) -> [bool; 256] {
    let mut bytes = [false; 256];
    let shapes = rules.rules.iter().filter_map(|rule| match &rule.kind {
        Kind::Shape(shapes) | Kind::Anchored(_, shapes) => Some(shapes),
        _ => None,
    });
    let items = shapes.flat_map(|shapes| shapes.iter()).flat_map(|shape| shape.items.iter());
    let set = items.fold(0, |set: AsciiSet, item| set | item.set);
    for byte in 0..=255 {
        // Padding and dots tell whether a run is encoded text.
        bytes[usize::from(byte)] = tokens::is_token_byte(byte)
            || matches!(byte, b'=' | b'.')
            || (byte < 128 && set >> byte & 1 == 1);
    }
    bytes
}
