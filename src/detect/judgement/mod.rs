//! Step three: what a candidate is, judged by its name, its surroundings, its file.
//!
//! Must not know: how candidates are found, how parts become credentials.
//! Invariant: each candidate becomes at most one part, and overlapping candidates at most one altogether.

mod admission;
mod tokens;
mod whole;

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{Confidence, Span};
use crate::rules::{Kind, Rule, RuleSet, Shape};

use self::admission::{Admitted, Called};
use super::candidates::{Candidate, Clue};
use super::connection::Connection;
use super::document::Document;
use super::evidence::{NOWHERE, Sign, Signs, Weigher, beside, zone_beside};
use super::fingerprint::published_hash;
use super::names::PhraseIndex;
use super::naming::{Naming, callee, name_of};
use super::neighbourhood::{Answers, Copied};
use super::structure::{Scope, scopes};
use super::veto;

/// A candidate that was believed.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) rule: u16,
    pub(crate) span: Span,
    pub(crate) confidence: Confidence,
    /// Whether it stands by itself, or only with another part of the same credential.
    pub(crate) firm: bool,
    /// How near the evidence of the provider is (see `evidence`).
    pub(crate) score: u32,
    pub(crate) told: Vec<String>,
    pub(crate) name: Option<String>,
    /// What the name says apart from the part: equal for the parts of one account.
    pub(crate) stem: String,
    /// Where the innermost scope begins: equal for values written down together.
    pub(crate) scope: usize,
    /// Other rules that the value fits, with their scores.
    pub(crate) rivals: Vec<(u16, u32)>,
    pub(crate) randomness: Option<f32>,
    /// Whether the value is published.
    pub(crate) known: bool,
    pub(crate) connection: Option<Connection>,
    /// What it is if no partner turns up.
    pub(crate) fallback: Option<Box<Part>>,
}

/// Judges candidates; built once and shared.
pub(crate) struct Judge {
    /// Which rules' shapes have nothing rare: hashes and ids have them too.
    common: Vec<bool>,
    /// For a rule whose values are searched for, all rules whose values are searched for in the same way.
    alike: Vec<Vec<u16>>,
    known: Vec<u64>,
    /// What rules call their values.
    names: PhraseIndex,
    /// The names of all headers that carry a part.
    headers: HashSet<Vec<u8>>,
    longest_header: usize,
}

const SHORT_TOKEN: usize = 24;

impl Judge {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let mut known: Vec<u64> = rules.rules.iter().flat_map(|rule| rule.known.iter().copied()).collect();
        known.sort_unstable();
        let headers: HashSet<Vec<u8>> = rules
            .providers
            .iter()
            .flat_map(|provider| provider.headers.iter().map(|(header, _)| header.as_bytes().to_vec()))
            .collect();
        Self {
            common: rules.rules.iter().map(has_common_shape).collect(),
            alike: alike(rules),
            names: PhraseIndex::new(rules),
            known,
            longest_header: headers.iter().map(Vec::len).max().unwrap_or(0),
            headers,
        }
    }

    /// The parts among `candidates`, sorted by place. What is `known` of their neighbourhoods is not asked again, and what
    /// was asked is added.
    pub(crate) fn judge(
        &self,
        rules: &RuleSet,
        document: &Document<'_>,
        candidates: &[Candidate],
        known: Option<&RefCell<Neighbourhoods>>,
    ) -> Vec<Part> {
        let blocks = document.armoured_blocks();
        let lock_file = veto::is_lock_file(document.path.file_name());
        let mut bench = Bench {
            judge: self,
            rules,
            document,
            lock_file,
            called: RefCell::default(),
            partners: Vec::new(),
            known,
        };
        let mut parts: Vec<Part> = candidates.iter().filter_map(|candidate| bench.whole(candidate)).collect();
        // Two lists can hold the same words, as the Chinese ones do.
        parts.dedup_by_key(|part| (part.span, part.rule));
        let mut groups: Vec<&[Candidate]> = candidates
            .chunk_by(|one, other| one.span == other.span)
            .filter(|group| matches!(group[0].clue, Clue::Token(_) | Clue::Anchored(..) | Clue::Random(_)))
            .filter(|group| !blocks.iter().any(|block| block.contains(group[0].span)))
            .collect();
        // Longer tokens first: what is inside a believed one is a piece of it.
        groups.sort_by_key(|group| (std::cmp::Reverse(group[0].span.len()), group[0].span.start));
        let free = |parts: &[Part], span: Span| !parts.iter().any(|part| part.span.overlaps(span));
        for group in &groups {
            if free(&parts, group[0].span) {
                parts.extend(bench.token(group, false));
            }
        }
        // What was believed speaks for the values beside it.
        bench.partners =
            parts.iter().map(|part| (rules.rules[usize::from(part.rule)].provider, part.span)).collect();
        let beside_partners = bench.beside_partners();
        let is_beside = |at: usize| {
            let first = beside_partners.partition_point(|zone| zone.end <= at);
            beside_partners.get(first).is_some_and(|zone| zone.start <= at)
        };
        for group in groups.iter().filter(|group| is_beside(group[0].span.start)) {
            if free(&parts, group[0].span) {
                parts.extend(bench.token(group, false));
            }
        }
        // What is called a password is one, should a reading as somebody's token not hold.
        for part in parts.iter_mut().filter(|part| !part.firm) {
            let first = candidates.partition_point(|candidate| candidate.span.start < part.span.start);
            let same = candidates[first..].iter().take_while(|other| other.span.start == part.span.start);
            let mut same = same.filter(|candidate| candidate.span == part.span);
            let named = same.find_map(|candidate| match &candidate.clue {
                Clue::Chosen(chosen) => bench.chosen(chosen),
                _ => None,
            });
            part.fallback = named.map(Box::new).or(part.fallback.take());
        }
        // A token that identifies itself says more than the URL it is the password of.
        for candidate in candidates {
            if let Clue::Connection(url) = &candidate.clue
                && free(&parts, candidate.span)
            {
                parts.extend(bench.connection(url));
            }
        }
        for candidate in candidates {
            if let Clue::Chosen(chosen) = &candidate.clue
                && free(&parts, candidate.span)
                && !blocks.iter().any(|block| block.contains(candidate.span))
            {
                parts.extend(bench.chosen(chosen));
            }
        }
        for group in &groups {
            if free(&parts, group[0].span) {
                parts.extend(bench.token(group, true));
            }
        }
        parts.sort_by_key(|part| (part.span.start, part.span.end));
        parts
    }

    /// A candidate that could become a part under some path. Asks nothing that needs the whole text searched.
    pub(crate) fn could_hold(
        &self,
        rules: &RuleSet,
        document: &Document<'_>,
        candidates: &[Candidate],
    ) -> Option<Span> {
        let bench = Bench {
            judge: self,
            rules,
            document,
            lock_file: false,
            called: RefCell::default(),
            partners: Vec::new(),
            known: None,
        };
        candidates.chunk_by(|one, other| one.span == other.span).find_map(|group| {
            let whole = |candidate: &Candidate| match &candidate.clue {
                Clue::Key(_) | Clue::Phrase(_) | Clue::Numbers => true,
                Clue::Connection(url) => bench.rule_of_connection(url).is_some(),
                Clue::Chosen(chosen) => bench.rule_of_chosen(chosen).is_some(),
                Clue::Token(_) | Clue::Anchored(..) | Clue::Random(_) | Clue::Encoded(_) | Clue::Spelled => {
                    false
                }
            };
            let could = group.iter().any(whole)
                || bench.admit(group, false).is_some()
                || bench.admit(group, true).is_some();
            could.then_some(group[0].span)
        })
    }

    pub(crate) fn is_known(&self, value: &[u8]) -> bool {
        let listed = |value: &[u8]| self.known.binary_search(&published_hash(value)).is_ok();
        listed(value) || listed(&canonical_hex(value))
    }
}

fn alike(rules: &RuleSet) -> Vec<Vec<u16>> {
    let mut alike = vec![Vec::new(); rules.rules.len()];
    for (index, rule) in (0_u16..).zip(rules.rules.iter()) {
        alike[usize::from(rule.like)].push(index);
    }
    alike
}

fn has_common_shape(rule: &Rule) -> bool {
    let Kind::Shape(shapes) = &rule.kind else { return false };
    let lacks = |shape: &Shape, byte: u8| shape.core_set() & (1 << byte) == 0;
    let prefixed = shapes.iter().all(|shape| shape.prefix >= 2);
    let short = shapes.iter().any(|shape| shape.longest() < SHORT_TOKEN);
    let hexadecimal = shapes.iter().all(Shape::is_hexadecimal);
    // Hashes are written in lower case: 32 capital digits are rare.
    let capital = shapes.iter().all(|shape| lacks(shape, b'a') && lacks(shape, b'-'));
    !prefixed && ((hexadecimal && !capital) || short)
}

/// One document under judgement.
struct Bench<'a> {
    judge: &'a Judge,
    rules: &'a RuleSet,
    document: &'a Document<'a>,
    lock_file: bool,
    /// The last name that was asked about.
    called: RefCell<Option<Called>>,
    /// Providers of parts that were believed already, and where those stand.
    partners: Vec<(u16, Span)>,
    known: Option<&'a RefCell<Neighbourhoods>>,
}

/// What the neighbourhoods of values say, as far as that was asked: it holds in every version that has them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbourhoods {
    /// What tokens are taken for, by rules of their own and by generic ones.
    admitted: [Answers<Option<Admitted>>; 2],
    near: Answers<Near>,
}

impl Neighbourhoods {
    /// What of it holds in a version.
    pub(super) fn carried(&self, copied: &Copied<'_>) -> Self {
        let [own, generic] = &self.admitted;
        Self { admitted: [own.carried(copied), generic.carried(copied)], near: self.near.carried(copied) }
    }

    fn admitted(&self, generic: bool) -> &Answers<Option<Admitted>> {
        &self.admitted[usize::from(generic)]
    }

    fn admitted_mut(&mut self, generic: bool) -> &mut Answers<Option<Admitted>> {
        &mut self.admitted[usize::from(generic)]
    }
}

/// What stands near one value.
#[derive(Clone, Debug)]
struct Near {
    naming: Naming,
    scopes: Vec<Scope>,
    signs: Signs,
}

impl Near {
    /// The same in a text in which what stood at `from` stands at `to`.
    fn moved(&self, from: usize, to: usize) -> Self {
        Self {
            naming: self.naming.moved(from, to),
            scopes: self.scopes.iter().map(|scope| scope.moved(from, to)).collect(),
            signs: self.signs.moved(from, to),
        }
    }
}

/// What stands around one value.
struct Surroundings {
    naming: Naming,
    scopes: Vec<Scope>,
    signs: Signs,
}

impl Bench<'_> {
    fn rule(&self, index: u16) -> &Rule {
        &self.rules.rules[usize::from(index)]
    }

    /// What stands beside partners, sorted and disjoint.
    fn beside_partners(&self) -> Vec<Span> {
        let mut zones: Vec<Span> =
            self.partners.iter().map(|&(_, partner)| zone_beside(self.document, partner)).collect();
        zones.sort_unstable_by_key(|zone| zone.start);
        zones.dedup_by(|zone, last| {
            let is_joined = zone.start <= last.end;
            if is_joined {
                last.end = last.end.max(zone.end);
            }
            is_joined
        });
        zones
    }

    /// What stands near the value, from what is known or anew.
    fn near(&self, span: Span) -> Near {
        let Some(known) = self.known else { return self.near_anew(span, name_of(self.document, span)) };
        if let Some((near, at)) = known.borrow().near.get(span) {
            return near.moved(at, span.start);
        }
        let reads = self.document.reads();
        reads.begin(span);
        let near = Arc::new(self.near_anew(span, name_of(self.document, span)));
        known.borrow_mut().near.keep(span, &near, reads, self.document.text.len());
        near.as_ref().clone()
    }

    fn near_anew(&self, span: Span, mut naming: Naming) -> Near {
        let scopes = scopes(self.document, span);
        naming.callee = naming.callee.or_else(|| callee(self.document, span));
        let weigher = Weigher { document: self.document, value: span, naming: &naming, scopes: &scopes };
        let signs = weigher.near();
        Near { naming, scopes, signs }
    }

    fn surroundings(&self, span: Span) -> Surroundings {
        self.around_near(span, self.near(span))
    }

    /// The surroundings of a value whose name is known already.
    fn around(&self, span: Span, naming: Naming) -> Surroundings {
        let near = if self.known.is_some() { self.near(span) } else { self.near_anew(span, naming) };
        self.around_near(span, near)
    }

    fn around_near(&self, span: Span, near: Near) -> Surroundings {
        let Near { naming, scopes, mut signs } = near;
        Weigher { document: self.document, value: span, naming: &naming, scopes: &scopes }
            .add_far(&mut signs);
        for &(provider, partner) in &self.partners {
            if let Some(score) = beside(self.document, span, partner) {
                signs.keep(provider, Sign::of_partner(score));
            }
        }
        Surroundings { naming, scopes, signs }
    }

    fn part(
        &self,
        rule: u16,
        span: Span,
        confidence: Confidence,
        firm: bool,
        score: u32,
        around: &Surroundings,
    ) -> Part {
        let provider = self.rule(rule).provider;
        let name = around
            .naming
            .span
            .or(around.naming.callee)
            .map(|name| String::from_utf8_lossy(name.of(self.document.text)).trim().to_owned());
        Part {
            rule,
            span,
            confidence,
            firm,
            score,
            told: around.signs.get(provider).map(|sign| sign.told(self.document, span)).into_iter().collect(),
            name: name.filter(|name| !name.is_empty()),
            stem: around.naming.name.stem(),
            scope: around.scopes.first().map_or(0, |scope| scope.body.start),
            rivals: Vec::new(),
            randomness: None,
            known: false,
            connection: None,
            fallback: None,
        }
    }
}

fn score_of(around: &Surroundings, rule: &Rule) -> u32 {
    around.signs.get(rule.provider).map_or(NOWHERE, |sign| sign.score)
}

/// Hexadecimal keys are published in many spellings; packs list 64 lower-case digits.
fn canonical_hex(value: &[u8]) -> Vec<u8> {
    let lower = value.to_ascii_lowercase();
    lower.strip_prefix(b"0x").map_or(lower.clone(), <[u8]>::to_vec)
}
