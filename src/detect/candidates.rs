//! The local half of detection: what could be a credential, judged by its own bytes alone.
//!
//! Must not know: names, files, providers' words; those only judge candidates.
//! Invariants: the prefilter loses nothing ([`gather`] equals the slow search of the tests), and every candidate
//! depends on at most its rule's reach before and after it, so that a window with that margin gives the same.

use aho_corasick::AhoCorasick;

use crate::model::Span;
use crate::rules::{Kind, PemKind, RuleSet};

use super::checks;
use super::connection::{self, Connection};
use super::pem;
use super::phrase::{self, Phrase};
use super::randomness;
use super::shapes::ShapeTable;
use super::tokens;

/// Below this z-score a value looks like language.
pub(crate) const RANDOM_ENOUGH: f32 = randomness::LANGUAGE;

/// Something that could be a credential.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    /// The value.
    pub(crate) span: Span,
    /// What it could be.
    pub(crate) clue: Clue,
}

/// What a candidate could be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Clue {
    /// A token that this rule's shape admits and whose checks hold.
    Token(u16),
    /// A random-looking token, for this generic rule.
    Random(u16),
    /// A private key.
    Key(PemKind),
    /// A seed phrase.
    Phrase(Phrase),
    /// A URL with a password.
    Connection(Connection),
}

/// Finds candidates; built once and shared.
pub(crate) struct Gatherer {
    shapes: ShapeTable,
    checks: Vec<Vec<checks::Check>>,
    anchors: AhoCorasick,
    phrases: bool,
}

const ARMOUR: &str = "-----BEGIN";
const AUTHORITY: &str = "://";

impl Gatherer {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        Self {
            shapes: ShapeTable::new(rules),
            checks: rules
                .rules
                .iter()
                .map(|rule| rule.checks.iter().filter_map(|name| checks::Check::parse(name)).collect())
                .collect(),
            anchors: AhoCorasick::new([ARMOUR, AUTHORITY]).expect("two literals always make an automaton"),
            phrases: rules.rules.iter().any(|rule| matches!(rule.kind, Kind::Mnemonic(_))),
        }
    }

    /// Puts the candidates of `text` into `found`, sorted by place.
    pub(crate) fn gather(&self, rules: &RuleSet, text: &[u8], found: &mut Vec<Candidate>) {
        found.clear();
        tokens::for_each_run(text, |run| {
            self.shapes.matches(rules, text, run, &mut |rule, span| {
                found.extend(self.token(rules, text, rule, span))
            });
        });
        for anchor in self.anchors.find_iter(text) {
            found.extend(anchored(text, anchor.start(), anchor.pattern().as_usize() == 0));
        }
        if self.phrases {
            phrase::for_each_phrase(text, |phrase| {
                found.push(Candidate { span: phrase.span, clue: Clue::Phrase(phrase) })
            });
        }
        found.sort_by_key(|candidate| (candidate.span.start, candidate.span.end));
    }

    fn token(&self, rules: &RuleSet, text: &[u8], rule: u16, span: Span) -> Option<Candidate> {
        let value = span.of(text);
        let index = usize::from(rule);
        if matches!(rules.rules[index].kind, Kind::Random(..)) {
            return randomness::is_random(value).then_some(Candidate { span, clue: Clue::Random(rule) });
        }
        self.checks[index]
            .iter()
            .all(|&check| checks::run(check, value))
            .then_some(Candidate { span, clue: Clue::Token(rule) })
    }
}

fn anchored(text: &[u8], at: usize, is_armour: bool) -> Option<Candidate> {
    if is_armour {
        let key = pem::read(text, at)?;
        return Some(Candidate { span: key.span, clue: Clue::Key(key.kind) });
    }
    let url = connection::read(text, at)?;
    Some(Candidate { span: url.password, clue: Clue::Connection(url) })
}

impl Clue {
    /// Names the clue without its value.
    pub(crate) fn label(&self, rules: &RuleSet) -> String {
        match self {
            Self::Token(rule) | Self::Random(rule) => rules.rules[usize::from(*rule)].id.to_string(),
            Self::Key(kind) => format!("{kind:?}"),
            Self::Phrase(phrase) => format!("phrase of {}", phrase.words.len()),
            Self::Connection(_) => "connection".to_owned(),
        }
    }
}
