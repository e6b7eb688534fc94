//! Whether a token is taken for anything: what its name, its call and its header say before anybody looks around.
//!
//! Must not know: scopes, how near a provider is.
//! Invariant: what is not admitted although the file is no lock file becomes no part under any path.

use std::sync::Arc;

use crate::model::{Severity, Span};
use crate::rules::{Kind, Need, PASSWORD_REACH, Rule};

use super::super::candidates::{Candidate, Clue};
use super::super::checks::Check;
use super::super::names::Name;
use super::super::naming::{Naming, Standing, name_of};
use super::super::placeholder::{is_blank, is_placeholder};
use super::super::veto;
use super::Bench;

/// The rules that a name speaks for.
pub(super) struct Called {
    /// Where the name and the call stand.
    name: (Option<Span>, Option<Span>),
    /// In ascending order.
    rules: Vec<u16>,
}

/// What a token is taken for.
#[derive(Clone, Debug)]
pub(crate) enum Admitted {
    /// It identifies or proves itself, under one of these rules.
    Proved(Vec<u16>),
    /// Its name and surroundings decide between these rules.
    Named(Vec<u16>, Naming),
}

impl Admitted {
    /// The same in a text in which what stood at `from` stands at `to`.
    fn moved(&self, from: usize, to: usize) -> Self {
        match self {
            Self::Proved(rules) => Self::Proved(rules.clone()),
            Self::Named(rules, naming) => Self::Named(rules.clone(), naming.moved(from, to)),
        }
    }
}

impl Bench<'_> {
    /// What a token could be by itself and by what stands near it, before anybody is asked who is named where.
    pub(super) fn admit(&self, group: &[Candidate], generic: bool) -> Option<Admitted> {
        let is_asked = |candidate: &Candidate| match candidate.clue {
            Clue::Token(_) | Clue::Anchored(..) => !generic,
            Clue::Random(_) => generic,
            _ => false,
        };
        if !group.iter().any(is_asked) {
            return None;
        }
        // What a lock file's name rules out holds under no other path.
        let Some(known) = self.known.filter(|_| !self.lock_file) else {
            return self.admit_anew(group, generic);
        };
        let span = group[0].span;
        if let Some((answer, at)) = known.borrow().admitted(generic).get(span) {
            return answer.as_ref().as_ref().map(|admitted| admitted.moved(at, span.start));
        }
        let reads = self.document.reads();
        reads.begin(span);
        // Which clues there are was told by what stands so near.
        let (start, end) = (span.start.saturating_sub(PASSWORD_REACH), span.end + PASSWORD_REACH);
        self.document.note(Span::new(start, end));
        let answer = Arc::new(self.admit_anew(group, generic));
        known.borrow_mut().admitted_mut(generic).keep(span, &answer, reads, self.document.text.len());
        answer.as_ref().clone()
    }

    fn admit_anew(&self, group: &[Candidate], generic: bool) -> Option<Admitted> {
        let span = group[0].span;
        let value = span.of(self.document.text);
        let mut rules: Vec<u16> = Vec::new();
        for candidate in group {
            match candidate.clue {
                Clue::Token(rule) if !generic => {
                    rules.extend_from_slice(&self.judge.alike[usize::from(rule)])
                }
                Clue::Anchored(rule, _) if !generic => rules.push(rule),
                Clue::Random(rule) if generic => rules.push(rule),
                _ => {}
            }
        }
        let mut proved: Vec<u16> =
            rules.iter().copied().filter(|&rule| self.rule(rule).need == Need::Nothing).collect();
        if !proved.is_empty() {
            proved.sort_unstable();
            let has_sum = proved.iter().any(|&rule| has_sum(self.rule(rule)));
            return (!is_blank(value, has_sum)).then_some(Admitted::Proved(proved));
        }
        let naming = name_of(self.document, span);
        // A lock file is full of checksums; what a provider's own name stands before is none.
        if self.lock_file && !rules.iter().any(|&rule| self.is_called_by_provider(rule, &naming)) {
            return None;
        }
        if self.says_nothing(&rules, &naming) {
            return None;
        }
        rules.sort_unstable();
        let vetoed = naming.name.vetoes() && !self.is_header(&naming);
        let rules: Vec<u16> = rules
            .into_iter()
            .filter(|&rule| !vetoed || naming.name.is_public_part(&self.rule(rule).names))
            .filter(|&rule| !self.is_invented(rule, &naming))
            .collect();
        if rules.is_empty() {
            return None;
        }
        let is_whole_jwt =
            rules.iter().all(|&rule| self.rule(rule).checks.iter().any(|check| check == "jwt"));
        if (!is_whole_jwt && veto::is_vetoed(self.document, span)) || is_placeholder(value) {
            return None;
        }
        Some(Admitted::Named(rules, naming))
    }

    /// Whether the name says that the value was made up, where nothing but the name speaks for it. Of what empties a wallet
    /// not even that is believed.
    fn is_invented(&self, rule: u16, naming: &Naming) -> bool {
        let rule = self.rule(rule);
        rule.need == Need::Name && rule.severity <= Severity::Medium && naming.name.says_invented()
    }

    /// Whether the rule can be believed at all here: its provider is named somewhere, or its shape is rare.
    pub(super) fn can_speak(&self, rule: u16) -> bool {
        let common = self.judge.common[usize::from(rule)];
        let rule = self.rule(rule);
        // The provider's words are searched in the whole text, so they are asked for last.
        rule.need == Need::Name
            || matches!(rule.kind, Kind::Random(..))
            || !common
            || self.partners.iter().any(|&(provider, _)| provider == rule.provider)
            || self.document.names(rule.provider)
    }

    /// Whether the value's name, or the call it is handed to, is one of the rule's own names.
    pub(super) fn names_match(&self, index: u16, naming: &Naming) -> bool {
        let rule = self.rule(index);
        self.is_called(index, naming)
            || (!naming.name.is_empty()
                && naming.name.role() == Some(rule.role)
                && !matches!(rule.need, Need::Name | Need::Both)
                && !matches!(rule.kind, Kind::Random(..)))
    }

    /// Whether the name has one of the rule's phrases. Many rules ask for one value after the other, so all rules that its
    /// name speaks for are found at once and kept.
    fn is_called(&self, rule: u16, naming: &Naming) -> bool {
        let positional = matches!(naming.standing, Standing::Positional(_));
        let name = (naming.span, naming.callee.filter(|_| positional));
        let mut called = self.called.borrow_mut();
        if called.as_ref().is_none_or(|called| called.name != name) {
            let mut rules = self.judge.names.owners(&naming.name);
            if let (_, Some(callee)) = name {
                rules.extend(self.judge.names.owners(&Name::new(callee.of(self.document.text))));
                rules.sort_unstable();
            }
            *called = Some(Called { name, rules });
        }
        called.as_ref().is_some_and(|called| called.rules.binary_search(&rule).is_ok())
    }

    /// Whether the value's name holds a word of the provider and says what it is, as `BINANCE_API_SECRET` does.
    fn is_called_by_provider(&self, rule: u16, naming: &Naming) -> bool {
        let provider = &self.rules.providers[usize::from(self.rule(rule).provider)];
        naming.standing == Standing::Named
            && naming.name.role().is_some()
            && provider.words.iter().any(|word| naming.name.has(word))
    }

    /// Whether a value of a common shape has a name that means no credential. Asked early: such values are many.
    fn says_nothing(&self, rules: &[u16], naming: &Naming) -> bool {
        let unnamed = naming.standing == Standing::Named
            && naming.name.role().is_none()
            && !self.is_header(naming)
            && !rules.iter().any(|&rule| self.names_match(rule, naming));
        let plain = rules.iter().all(|&rule| {
            self.judge.common[usize::from(rule)] || matches!(self.rule(rule).kind, Kind::Random(..))
        });
        (unnamed || naming.standing == Standing::Loose) && plain
    }

    fn is_header(&self, naming: &Naming) -> bool {
        naming.span.is_some_and(|span| {
            let name = span.of(self.document.text);
            name.len() <= self.judge.longest_header && self.judge.headers.contains(&name.to_ascii_lowercase())
        })
    }
}

/// Whether what fits the rule has a sum of its own.
fn has_sum(rule: &Rule) -> bool {
    rule.checks.iter().any(|check| Check::parse(check).is_some_and(Check::is_sum))
}
