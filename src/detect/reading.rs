//! A text as far as it can be read: as it stands, and with what is written in another form in plain words.
//!
//! A passage is put in plain words only where that brings something to light. Then the whole text is judged anew, so
//! that the name outside speaks for the value inside, and parts inside and outside make one credential.
//!
//! Must not know: codecs, files, how findings are written.
//! Invariant: a text in which no passage holds anything is judged as it stands, as if there were no passages.

use std::cell::RefCell;

use crate::model::{Confidence, FilePath, Span};
use crate::rules::{Kind, Need, RuleSet};

use super::candidates::{Candidate, Clue};
use super::decode::{self, DEEPEST, Layers, Passage, Unfolded};
use super::document::Document;
use super::evidence::STRUCTURE;
use super::gatherer::{Gatherer, language_limit};
use super::judgement::{Judge, Neighbourhoods, Part};
use super::placeholder::{is_no_password, is_placeholder};
use super::randomness;
use super::tokens::is_token_byte;
use super::words::WordIndex;

/// So much around a passage is looked at first, beyond what tells whether there is anything; in bytes.
const EXCERPT: usize = 16 << 10;

/// Reads one text; everything it borrows is shared.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) rules: &'a RuleSet,
    pub(crate) gatherer: &'a Gatherer,
    pub(crate) judge: &'a Judge,
    pub(crate) words: &'a WordIndex,
    pub(crate) path: &'a FilePath,
}

/// What was read.
#[derive(Default)]
pub(crate) struct Reading {
    /// The texts that were unfolded; none where the text was judged as it stands.
    pub(crate) layers: Layers,
    /// What was believed, with its places in the innermost text.
    pub(crate) parts: Vec<Part>,
}

impl<'a> Reader<'a> {
    /// Reads the text of `document`, whose candidates are `candidates`; see [`Judge::judge`] for `known`.
    pub(crate) fn read(
        &self,
        document: &Document<'_>,
        candidates: &[Candidate],
        known: Option<&RefCell<Neighbourhoods>>,
    ) -> Reading {
        self.read_at(document, candidates, 0, known)
    }

    fn read_at(
        &self,
        document: &Document<'_>,
        candidates: &[Candidate],
        depth: usize,
        known: Option<&RefCell<Neighbourhoods>>,
    ) -> Reading {
        let text = document.text;
        let mut parts = if candidates.iter().all(is_encoded) {
            Vec::new()
        } else {
            self.judge.judge(self.rules, document, candidates, known)
        };
        parts.retain(|part| !self.looks_random(part) || !self.stands_for_words(text, part.span, candidates));
        let passages = self.passages(text, candidates, &self.claimed(&parts), depth);
        self.unfold(text, passages, &parts, depth).unwrap_or(Reading { layers: Layers::default(), parts })
    }

    /// The reading with those passages unfolded that something is found in; `None` if there are none.
    fn unfold(&self, text: &[u8], passages: Vec<Passage>, plain: &[Part], depth: usize) -> Option<Reading> {
        if passages.is_empty() {
            return None;
        }
        if !self.could_be_fruitful(text, &passages) {
            return None;
        }
        let all = Unfolded::new(text, &passages);
        let reading = self.read_unfolded(&all, depth);
        let fruitful = self.fruitful(plain, &all, &reading);
        if fruitful.is_empty() {
            return None;
        }
        let chosen: Vec<Passage> = fruitful.iter().map(|&number| passages[number].clone()).collect();
        let chosen = decode::with_companions(text, chosen);
        let places = |passages: &[Passage]| passages.iter().map(|passage| passage.from).collect::<Vec<_>>();
        if places(&chosen) == places(&passages) {
            return Some(Reading { layers: Layers::over(all, reading.layers), parts: reading.parts });
        }
        let some = Unfolded::new(text, &chosen);
        let reading = self.read_unfolded(&some, depth);
        Some(Reading { layers: Layers::over(some, reading.layers), parts: reading.parts })
    }

    fn read_unfolded(&self, unfolded: &Unfolded, depth: usize) -> Reading {
        let text = &unfolded.text;
        self.read_at(&self.document(text), &self.gathered(text), depth + 1, None)
    }

    /// Whether a part could be found in a passage. Most hold nothing, and only their neighbourhoods are looked at.
    fn could_be_fruitful(&self, text: &[u8], passages: &[Passage]) -> bool {
        let margin = self.rules.reach() + EXCERPT;
        let is_near = |one: &Passage, other: &Passage| other.from.start < one.from.end + 2 * margin;
        let whole = Span::new(0, text.len());
        for near in passages.chunk_by(is_near) {
            let start = near[0].from.start.saturating_sub(margin);
            let excerpt = Span::new(start, text.len().min(near[near.len() - 1].from.end + margin));
            match self.could_be_fruitful_in(text, excerpt, near) {
                Some(false) => {}
                Some(true) => return true,
                None => return self.could_be_fruitful_in(text, whole, passages).unwrap_or(true),
            }
        }
        false
    }

    /// The same for passages in a piece of `text`; `None` if more than that must be looked at.
    fn could_be_fruitful_in(&self, text: &[u8], excerpt: Span, passages: &[Passage]) -> Option<bool> {
        let is_cut = (excerpt.start > 0, excerpt.end < text.len());
        let moved: Vec<Passage> = passages.iter().map(|passage| passage.moved(excerpt.start, 0)).collect();
        let unfolded = &Unfolded::new(excerpt.of(text), &moved);
        let text = &unfolded.text;
        let reaches_out = |span: Span| (is_cut.0 && span.start == 0) || (is_cut.1 && span.end >= text.len());
        let mut inside: Vec<Candidate> = Vec::new();
        for zone in self.zones(unfolded) {
            if reaches_out(zone) {
                return None;
            }
            let near =
                self.gathered(zone.of(text)).into_iter().map(|candidate| candidate.moved(0, zone.start));
            inside.extend(near.filter(|candidate| unfolded.touched(candidate.span).next().is_some()));
        }
        if inside.is_empty() || inside.iter().any(is_encoded) {
            return Some(!inside.is_empty());
        }
        let document = self.document(text);
        document.reads().begin(inside[0].span);
        let could_hold = self.judge.could_hold(self.rules, &document, &inside).is_some();
        let (read, first_line) = document.reads().end(text.len())?;
        let is_told_here = !reaches_out(read) && (!first_line || !is_cut.0);
        is_told_here.then_some(could_hold)
    }

    /// The passages and what decides about candidates in them, without overlaps. No run of token bytes is cut.
    fn zones(&self, unfolded: &Unfolded) -> Vec<Span> {
        let text = &unfolded.text;
        let reach = self.rules.reach();
        let in_token = |byte: &&u8| is_token_byte(**byte);
        let mut zones: Vec<Span> = Vec::new();
        for words in unfolded.words() {
            let start = words.start.saturating_sub(reach);
            let start = start - text[..start].iter().rev().take_while(in_token).count();
            let end = (words.end + reach).min(text.len());
            let end = end + text[end..].iter().take_while(in_token).count();
            match zones.last_mut() {
                Some(last) if start <= last.end => last.end = last.end.max(end),
                _ => zones.push(Span::new(start, end)),
            }
        }
        zones
    }

    /// The numbers of the passages that parts were found in. Where a `plain` value is known for what it is, a random
    /// one inside it says less, and so does one of somebody who is named farther away.
    fn fruitful(&self, plain: &[Part], unfolded: &Unfolded, reading: &Reading) -> Vec<usize> {
        let says_less = |inner: &Part, outer: &Part| {
            self.is_generic(inner) || (outer.score < STRUCTURE && inner.score > outer.score)
        };
        let mut numbers = Vec::new();
        for part in &reading.parts {
            let span = reading.layers.original(part.span);
            let place = unfolded.original(span);
            let mut known =
                plain.iter().filter(|plain| plain.span.overlaps(place) && !self.is_generic(plain));
            if !known.any(|outer| says_less(part, outer)) {
                numbers.extend(unfolded.touched(span).map(|(number, _)| number));
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn is_generic(&self, part: &Part) -> bool {
        matches!(self.rules.rules[usize::from(part.rule)].kind, Kind::Random(..))
    }

    /// Where anything could be found in `text` under some path.
    pub(crate) fn could_hold(&self, text: &[u8], candidates: &[Candidate]) -> Option<Span> {
        self.could_hold_at(text, candidates, 0)
    }

    fn could_hold_at(&self, text: &[u8], candidates: &[Candidate], depth: usize) -> Option<Span> {
        if !candidates.iter().all(is_encoded)
            && let Some(place) = self.judge.could_hold(self.rules, &self.document(text), candidates)
        {
            return Some(place);
        }
        let passages = self.passages(text, candidates, &[], depth);
        let first = passages.first()?.from;
        let unfolded = Unfolded::new(text, &passages);
        self.could_hold_at(&unfolded.text, &self.gathered(&unfolded.text), depth + 1).map(|_| first)
    }

    /// The passages of `text` outside `claimed` that hold candidates themselves.
    fn passages(
        &self,
        text: &[u8],
        candidates: &[Candidate],
        claimed: &[Span],
        depth: usize,
    ) -> Vec<Passage> {
        if depth == DEEPEST
            || !candidates.iter().any(|candidate| is_encoded(candidate) || is_chosen(candidate))
        {
            return Vec::new();
        }
        // A password needs no candidate inside: its name outside says what it is.
        let chosen: Vec<Span> = candidates
            .iter()
            .filter(|candidate| is_chosen(candidate))
            .map(|candidate| candidate.span)
            .collect();
        let overlaps =
            |spans: &[Span], passage: &Passage| spans.iter().any(|span| passage.from.overlaps(*span));
        decode::passages(text, candidates, |passage| {
            !overlaps(claimed, passage)
                && (overlaps(&chosen, passage)
                    || self.gathered(&passage.bytes).iter().any(|candidate| passage.is_new(candidate.span)))
        })
    }

    /// What identifies or proves itself is read as it stands.
    fn claimed(&self, parts: &[Part]) -> Vec<Span> {
        parts.iter().filter(|part| self.proves_itself(part)).map(|part| part.span).collect()
    }

    /// Whether the part is believed for its characters, beside what stands around it.
    fn looks_random(&self, part: &Part) -> bool {
        let kind = &self.rules.rules[usize::from(part.rule)].kind;
        matches!(kind, Kind::Shape(_) | Kind::Random(..)) && !self.proves_itself(part)
    }

    fn proves_itself(&self, part: &Part) -> bool {
        part.confidence == Confidence::Certain
            || self.rules.rules[usize::from(part.rule)].need == Need::Nothing
    }

    /// Whether the value at `span` looks random only because words are encoded in it.
    fn stands_for_words(&self, text: &[u8], span: Span, candidates: &[Candidate]) -> bool {
        let first = candidates.partition_point(|candidate| candidate.span.start < span.start);
        let same = candidates[first..].iter().take_while(|candidate| candidate.span.start == span.start);
        same.filter(|candidate| candidate.span.end <= span.end)
            .filter_map(|candidate| decode::words_of(text, candidate))
            .any(|words| says_nothing(&words) && self.gathered(&words).is_empty())
    }

    /// `text` under judgement.
    pub(crate) fn document<'t>(&self, text: &'t [u8]) -> Document<'t>
    where
        'a: 't,
    {
        Document::new(text, self.path, self.words)
    }

    fn gathered(&self, text: &[u8]) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        self.gatherer.gather(self.rules, text, &mut candidates);
        candidates
    }
}

fn is_encoded(candidate: &Candidate) -> bool {
    matches!(candidate.clue, Clue::Encoded(_) | Clue::Spelled)
}

fn is_chosen(candidate: &Candidate) -> bool {
    matches!(candidate.clue, Clue::Chosen(_))
}

/// Whether `words` hold a place, refer to something, or are language.
fn says_nothing(words: &[u8]) -> bool {
    is_placeholder(words) || is_no_password(words) || randomness::score(words) <= language_limit(words.len())
}
