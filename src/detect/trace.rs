//! The candidates of a version, found from those of the version it was made from.
//!
//! Versions of a file share nearly all their bytes. What stands, reach included, inside one copied piece was found
//! there before; only what an inserted byte or a seam could have changed is looked at again.
//!
//! Must not know: where versions come from, what candidates mean.
//! Invariant: the trace of a version is the same whether it was carried or found in full (a property test).

use std::sync::OnceLock;

use crate::model::{CopiedPiece, Span};
use crate::rules::word_list::Tongue;
use crate::rules::{NUMBERS_REACH, RuleSet};

use super::candidates::{Anchor, AnchorKind, Candidate, Clue, VALUE_REACH, sort};
use super::copies::Copies;
use super::decode;
use super::gatherer::Gatherer;
use super::judgement::Neighbourhoods;
use super::neighbourhood::Copied;
use super::phrase::phrases_around;
use super::tongue;
use super::words::{WORD_REACH, WordHit, WordIndex, put_in_order};

/// What was found in a text by what stands near it alone, to be carried into versions made from it.
#[derive(Debug, Default)]
pub struct Trace {
    pub(super) candidates: Vec<Candidate>,
    anchors: Vec<Anchor>,
    length: usize,
    /// Whether places in the text are not places in the bytes, so that nothing can be carried.
    opaque: bool,
    /// A place where something could be held, if one was found already.
    pub(super) witness: OnceLock<Option<Span>>,
    /// Providers' words, if they were asked for.
    pub(super) words: OnceLock<Vec<WordHit>>,
    /// What the neighbourhoods of values say, if that was asked.
    pub(super) neighbourhoods: OnceLock<Neighbourhoods>,
}

/// Two traces are the same if the same was found; what was asked of them since is not compared.
impl PartialEq for Trace {
    fn eq(&self, other: &Self) -> bool {
        (&self.candidates, &self.anchors, self.length, self.opaque)
            == (&other.candidates, &other.anchors, other.length, other.opaque)
    }
}

impl Trace {
    /// Whether there is nothing to judge.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// The trace of a text that stands for other bytes.
    pub(super) fn opaque(candidates: Vec<Candidate>) -> Self {
        Self { candidates, opaque: true, ..Self::default() }
    }

    /// The trace of `text`, found in full.
    pub(super) fn full(gatherer: &Gatherer, rules: &RuleSet, text: &[u8]) -> Self {
        let mut trace = Self { length: text.len(), ..Self::default() };
        let anchors = &mut trace.anchors;
        gatherer.gather_with_anchors(rules, text, &mut trace.candidates, |anchor| anchors.push(anchor));
        trace
    }

    /// The trace of `text`, which was made from the text of `base` by copying `pieces` (sorted by where they went).
    pub(super) fn carried(
        gatherer: &Gatherer,
        rules: &RuleSet,
        text: &[u8],
        base: &Self,
        pieces: &[CopiedPiece],
    ) -> Self {
        if base.opaque {
            return Self::full(gatherer, rules, text);
        }
        let changes = changes(pieces, base.length, text.len());
        let fresh: usize = changes.iter().map(|change| change.len() + CHANGE_COST).sum();
        if fresh * 2 > text.len() {
            return Self::full(gatherer, rules, text);
        }
        let version = Version { gatherer, rules, text, base, copies: Copies::new(pieces), changes: &changes };
        let witness = base.witness.get().copied().flatten().and_then(|span| version.moved(span));
        let mut trace = Self { length: text.len(), ..Self::default() };
        version.tokens(&mut trace.candidates);
        version.anchors(&mut trace);
        if gatherer.wants_phrases() {
            version.phrases(&mut trace.candidates);
        }
        version.numbers(&mut trace.candidates);
        sort(&mut trace.candidates);
        trace.candidates.dedup();
        // Where something could be held before, it is asked again when the version is judged.
        if witness.is_some() {
            trace.witness = OnceLock::from(witness);
        }
        trace
    }

    /// Whether nothing can be carried from here.
    pub(super) fn is_opaque(&self) -> bool {
        self.opaque
    }

    /// Whether armour begins anywhere in the text.
    pub(super) fn has_armour(&self) -> bool {
        self.anchors.iter().any(|anchor| anchor.kind == AnchorKind::Armour)
    }

    /// What the neighbourhoods of values say that were copied to `text` whole; `None` if nobody knows it of this one.
    pub(super) fn carried_neighbourhoods(
        &self,
        text: &[u8],
        pieces: &[CopiedPiece],
    ) -> Option<Neighbourhoods> {
        let known = self.neighbourhoods.get().filter(|_| !self.opaque)?;
        Some(known.carried(&Copied::new(&Copies::new(pieces), self.length, text)))
    }

    /// Providers' words in `text`, which was made from the text of this trace by copying `pieces`; `None` if those of
    /// this one are not known or little was copied.
    pub(super) fn carried_words(
        &self,
        index: &WordIndex,
        text: &[u8],
        pieces: &[CopiedPiece],
    ) -> Option<Vec<WordHit>> {
        let known = self.words.get().filter(|_| !self.opaque)?;
        let changes = changes(pieces, self.length, text.len());
        let zone = |change: &Span| {
            let in_run = |byte: &&u8| byte.is_ascii_alphanumeric();
            let before = text[..change.start].iter().rev().take_while(in_run).count();
            let after = text[change.end..].iter().take_while(in_run).count();
            let start = change.start.saturating_sub(before + WORD_REACH);
            Span::new(start, (change.end + after + WORD_REACH).min(text.len()))
        };
        let zones = joined(changes.iter().map(zone), 0);
        let longest = index.longest();
        let mut hits = Vec::with_capacity(known.len());
        for zone in &zones {
            let range = Span::new(zone.start.saturating_sub(longest), (zone.end + longest).min(text.len()));
            let first = hits.len();
            index.find_in(text, range, &mut hits);
            let mut kept = first;
            for at in first..hits.len() {
                if zone.start <= hits[at].span.end && hits[at].span.start <= zone.end {
                    hits.swap(kept, at);
                    kept += 1;
                }
            }
            hits.truncate(kept);
        }
        let copies = Copies::new(pieces);
        for hit in known {
            for to in copies.places(hit.span) {
                let span = Span::new(to, to + hit.span.len());
                if !touches_any(&zones, span) {
                    hits.push(WordHit { span, ..*hit });
                }
            }
        }
        put_in_order(&mut hits);
        Some(hits)
    }
}

/// What looking around a change costs, as so many bytes of text.
const CHANGE_COST: usize = 128;

/// Around changes that are no farther apart, in bytes, the words are read at once.
const WORDS_APART: usize = 192;

/// `spans` (sorted) without gaps of `apart` bytes or less.
fn joined(spans: impl Iterator<Item = Span>, apart: usize) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::with_capacity(spans.size_hint().0);
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end + apart => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

/// Where bytes were inserted, or where two bytes stand side by side that did not before (an empty span).
fn changes(pieces: &[CopiedPiece], base_length: usize, length: usize) -> Vec<Span> {
    let mut changes = Vec::with_capacity(pieces.len() + 1);
    let mut end = 0;
    for piece in pieces {
        if piece.to > 0 || piece.from > 0 {
            changes.push(Span::new(end, piece.to));
        }
        end = piece.end();
    }
    let is_whole_end = pieces.last().is_some_and(|last| last.from + last.length == base_length);
    if end < length || !is_whole_end {
        changes.push(Span::new(end, length));
    }
    changes
}

/// One version under way.
struct Version<'a> {
    gatherer: &'a Gatherer,
    rules: &'a RuleSet,
    text: &'a [u8],
    base: &'a Trace,
    copies: Copies,
    changes: &'a [Span],
}

impl Version<'_> {
    /// Tokens outside every window around a change are carried, the windows are looked at again. No token crosses the
    /// border of a window: it stands before a byte that no token holds.
    fn tokens(&self, found: &mut Vec<Candidate>) {
        let windows = self.windows();
        let outside = |span: Span| !touches_any(&windows, span);
        self.carry(found, |candidate, span| candidate.is_of_run() && outside(span));
        for &window in &windows {
            self.gatherer.tokens_in(self.rules, self.text, window, found);
        }
    }

    /// Where a stretch of the base stands now, if all of it was copied somewhere.
    fn moved(&self, span: Span) -> Option<Span> {
        let to = self.copies.places(span).next()?;
        Some(Span::new(to, to + span.len()))
    }

    fn windows(&self) -> Vec<Span> {
        let in_token = self.gatherer.token_bytes(self.rules);
        let window = |change: &Span| {
            // Whether a token is a value, or a piece of one, is told by what stands shortly before and after it.
            let near = change.start.saturating_sub(decode::AFTER_REACH);
            let before = self.text[..near].iter().rev().take_while(|&&byte| in_token[usize::from(byte)]);
            let start = near - before.count();
            let near = (change.end + VALUE_REACH.max(decode::BEFORE_REACH)).min(self.text.len());
            let after = self.text[near..].iter().take_while(|&&byte| in_token[usize::from(byte)]);
            Span::new(start, near + after.count())
        };
        joined(self.changes.iter().map(window), 0)
    }

    /// Anchors are carried with what was found at them, unless a change is within their reach.
    fn anchors(&self, trace: &mut Trace) {
        for anchor in &self.base.anchors {
            for to in self.copies.places(Span::new(anchor.at, anchor.at + anchor.len())) {
                trace.anchors.push(Anchor { at: to, ..*anchor });
            }
        }
        for change in self.changes {
            let start = change.start.saturating_sub(Anchor::LONGEST);
            let end = (change.end + Anchor::LONGEST).min(self.text.len());
            self.gatherer.anchors_in(self.text, Span::new(start, end), |anchor| trace.anchors.push(anchor));
        }
        trace.anchors.sort_by_key(|anchor| anchor.at);
        trace.anchors.dedup();
        let (near, far): (Vec<Anchor>, Vec<Anchor>) =
            trace.anchors.iter().partition(|anchor| self.is_near_change(anchor));
        trace.candidates.extend(
            near.into_iter().filter_map(|anchor| self.gatherer.anchored(self.rules, self.text, anchor)),
        );
        self.carry(&mut trace.candidates, |candidate, span| {
            let offset = candidate.anchor().map(|at| at as isize - candidate.span.start as isize);
            let at = offset.and_then(|offset| span.start.checked_add_signed(offset));
            at.is_some_and(|at| far.binary_search_by_key(&at, |anchor| anchor.at).is_ok())
        });
    }

    fn is_near_change(&self, anchor: &Anchor) -> bool {
        let (before, after) = anchor.reach();
        touches_any(self.changes, Span::new(anchor.at.saturating_sub(before), anchor.at + after))
    }

    /// Runs of list words near a change are looked at again, the phrases of all others are carried.
    fn phrases(&self, found: &mut Vec<Candidate>) {
        let mut covered: Vec<(Tongue, Span)> = Vec::new();
        let mut fresh = Vec::new();
        // What stands between changes that are near each other is looked at once, and not for each of them.
        for change in joined(self.changes.iter().copied(), WORDS_APART) {
            let mut visit = |phrase| fresh.push(Candidate::of_phrase(phrase));
            phrases_around(self.text, change, &mut |run| covered.push((Tongue::English, run)), &mut visit);
            tongue::phrases_around(
                self.text,
                change,
                &mut |tongue, run| covered.push((tongue, run)),
                &mut visit,
            );
        }
        covered.sort_by_key(|&(tongue, run)| (tongue, run.start));
        let runs: Vec<Span> = covered.iter().map(|&(_, run)| run).collect();
        let runs_of = |tongue: Tongue| {
            let first = covered.partition_point(|&(other, _)| other < tongue);
            &runs[first..covered.partition_point(|&(other, _)| other <= tongue)]
        };
        self.carry(found, |candidate, span| {
            let Clue::Phrase(phrase) = &candidate.clue else { return false };
            !touches_any(runs_of(phrase.tongue), span) && !touches_any(self.changes, span)
        });
        found.append(&mut fresh);
    }

    /// Numbers near a change are looked at again, the pairs of all others are carried.
    fn numbers(&self, found: &mut Vec<Candidate>) {
        let zone = |change: &Span| {
            let start = change.start.saturating_sub(NUMBERS_REACH);
            Span::new(start, (change.end + NUMBERS_REACH).min(self.text.len()))
        };
        let zones = joined(self.changes.iter().map(zone), 0);
        let first = found.len();
        for zone in &zones {
            // A pair that only touches the zone has its probe outside.
            let start = zone.start.saturating_sub(NUMBERS_REACH);
            let end = (zone.end + NUMBERS_REACH).min(self.text.len());
            self.gatherer.numbers_in(self.text, Span::new(start, end), found);
        }
        let mut kept = found.split_off(first);
        kept.retain(|candidate| touches_any(&zones, candidate.span));
        kept.dedup();
        found.append(&mut kept);
        self.carry(found, |candidate, span| candidate.clue == Clue::Numbers && !touches_any(&zones, span));
    }

    /// Adds the candidates of the base that stand in copied pieces and that `keep` wants at their new place.
    fn carry(&self, found: &mut Vec<Candidate>, keep: impl Fn(&Candidate, Span) -> bool) {
        for candidate in &self.base.candidates {
            for to in self.copies.places(candidate.span) {
                let span = Span::new(to, to + candidate.span.len());
                if keep(candidate, span) {
                    found.push(candidate.moved(candidate.span.start, to));
                }
            }
        }
    }
}

/// Whether `span` overlaps or adjoins one of `spans`, which are sorted.
fn touches_any(spans: &[Span], span: Span) -> bool {
    // Runs of words may overlap each other, so that ends are not sorted; windows and changes are disjoint.
    let first = spans.partition_point(|other| other.end < span.start);
    spans[first..].iter().take_while(|other| other.start <= span.end).any(|other| other.end >= span.start)
}
