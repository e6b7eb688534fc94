//! The local half of detection: what could be a credential, judged by its own bytes alone.
//!
//! Must not know: how candidates are found; names, files, providers' words, which only judge them.
//! Invariant: every candidate depends on at most its rule's reach before and after it, so that a window with that margin
//! gives the same.

use crate::model::Span;
use crate::rules::{ARMOUR_REACH, PASSWORD_REACH, PemKind, RuleSet, URL_REACH};

use super::connection::Connection;
use super::decode::{self, Form};
use super::numbers;
use super::password::Chosen;
use super::phrase::Phrase;
use super::randomness;

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
    /// A token that this rule's shape admits and whose checks hold, and those of every rule like it.
    Token(u16),
    /// The same for a rule with a literal in its shape, and where the literal stands.
    Anchored(u16, usize),
    /// A random-looking token, for this generic rule.
    Random(u16),
    /// A private key.
    Key(PemKind),
    /// A seed phrase. What few candidates have is apart: most are tokens, and lie side by side.
    Phrase(Box<Phrase>),
    /// A URL with a password.
    Connection(Box<Connection>),
    /// A key pair as an array of numbers.
    Numbers,
    /// What people chose and named.
    Chosen(Box<Chosen>),
    /// Something written in another form.
    Encoded(Form),
    /// Something in which every character is an escape.
    Spelled,
}

/// A literal that says what could stand here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) at: usize,
    pub(crate) kind: AnchorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnchorKind {
    /// The first line of a key block.
    Armour,
    /// What stands before the authority of a URL.
    Authority,
    /// An escape by number.
    Escape,
    /// So many telling letters in the name of a chosen value.
    Name(usize),
    /// So many characters of a rule's literal.
    Literal(u16, usize),
}

impl Anchor {
    /// How many bytes the literal has at most.
    pub(crate) const LONGEST: usize = ARMOUR.len();

    /// How many bytes it has.
    pub(crate) fn len(self) -> usize {
        match self.kind {
            AnchorKind::Armour => ARMOUR.len(),
            AnchorKind::Authority => AUTHORITY.len(),
            AnchorKind::Escape => ESCAPE.len(),
            AnchorKind::Name(length) | AnchorKind::Literal(_, length) => length,
        }
    }

    /// What decides about the candidate here: so many bytes before and after `at`.
    pub(crate) fn reach(self) -> (usize, usize) {
        match self.kind {
            AnchorKind::Armour => (0, ARMOUR_REACH),
            AnchorKind::Authority => (SCHEME_REACH, URL_REACH),
            AnchorKind::Escape => (decode::SPELLED_BEFORE, decode::SPELLED),
            AnchorKind::Name(_) | AnchorKind::Literal(..) => (PASSWORD_REACH, PASSWORD_REACH),
        }
    }
}

impl Candidate {
    pub(crate) fn of_phrase(phrase: Phrase) -> Self {
        Self { span: phrase.span, clue: Clue::Phrase(Box::new(phrase)) }
    }

    /// The anchor it was found by, if it was.
    pub(crate) fn anchor(&self) -> Option<usize> {
        match &self.clue {
            Clue::Key(_) | Clue::Spelled => Some(self.span.start),
            Clue::Connection(url) => Some(url.scheme.end),
            Clue::Chosen(chosen) => Some(chosen.anchor),
            Clue::Anchored(_, at) => Some(*at),
            Clue::Token(_) | Clue::Random(_) | Clue::Phrase(_) | Clue::Numbers | Clue::Encoded(_) => None,
        }
    }

    /// Whether it was found in a run of token characters.
    pub(crate) fn is_of_run(&self) -> bool {
        matches!(self.clue, Clue::Token(_) | Clue::Random(_) | Clue::Encoded(_))
    }

    /// The same, in a text in which what stood at `from` stands at `to`.
    pub(crate) fn moved(&self, from: usize, to: usize) -> Self {
        let shift = |span: Span| span.moved(from, to);
        let clue = match &self.clue {
            Clue::Phrase(phrase) => {
                Clue::Phrase(Box::new(Phrase { span: shift(phrase.span), ..(**phrase).clone() }))
            }
            Clue::Connection(url) => Clue::Connection(Box::new(Connection {
                scheme: shift(url.scheme),
                user: shift(url.user),
                password: shift(url.password),
                host: shift(url.host),
            })),
            Clue::Anchored(rule, at) => Clue::Anchored(*rule, at + to - from),
            Clue::Chosen(chosen) => Clue::Chosen(Box::new(Chosen {
                anchor: chosen.anchor + to - from,
                name: shift(chosen.name),
                value: shift(chosen.value),
            })),
            other @ (Clue::Token(_)
            | Clue::Random(_)
            | Clue::Key(_)
            | Clue::Numbers
            | Clue::Encoded(_)
            | Clue::Spelled) => other.clone(),
        };
        Self { span: shift(self.span), clue }
    }
}

/// By place, and by rule where several rules admit the same token.
pub(crate) fn sort(found: &mut [Candidate]) {
    found.sort_by_key(|candidate| (candidate.span.start, candidate.span.end, candidate.clue.order()));
}

/// How far before a value its separator is looked for, in bytes.
pub(crate) const VALUE_REACH: usize = 24;
/// How far before `://` a scheme is looked for, and one byte that ends it.
const SCHEME_REACH: usize = 25;
pub(crate) const ARMOUR: &str = "-----BEGIN";
pub(crate) const AUTHORITY: &str = "://";
pub(crate) const ESCAPE: &str = "\\u00";

impl Clue {
    /// Puts clues of one place in an order that does not depend on how they were found.
    fn order(&self) -> (u8, u16) {
        match self {
            Self::Token(rule) | Self::Anchored(rule, _) => (0, *rule),
            Self::Random(rule) => (1, *rule),
            Self::Key(_) => (2, 0),
            Self::Phrase(phrase) => (3, phrase.tongue as u16),
            Self::Connection(_) => (4, 0),
            Self::Numbers => (5, 0),
            Self::Chosen(_) => (6, 0),
            Self::Encoded(form) => (7, *form as u16),
            Self::Spelled => (8, 0),
        }
    }

    /// Names the clue without its value.
    pub(crate) fn label(&self, rules: &RuleSet) -> String {
        match self {
            Self::Token(rule) | Self::Anchored(rule, _) | Self::Random(rule) => {
                rules.rules[usize::from(*rule)].id.to_string()
            }
            Self::Key(kind) => format!("{kind:?}"),
            Self::Phrase(phrase) => format!("phrase of {}", phrase.words.len()),
            Self::Connection(_) => "connection".to_owned(),
            Self::Numbers => format!("{} numbers", numbers::PAIR),
            Self::Chosen(_) => "chosen value".to_owned(),
            Self::Encoded(form) => form.title().to_owned(),
            Self::Spelled => "spelled in escapes".to_owned(),
        }
    }
}
