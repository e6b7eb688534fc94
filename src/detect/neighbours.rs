//! Who stands near whom in a text: what can belong together at all.
//!
//! Must not know: what stands there.
//! Invariant: asking costs the same wherever so much stands in a text that everything is near everything.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::model::Span;

use super::document::Document;

/// What is farther apart than this does not belong together.
pub(crate) const FARTHEST_LINES: usize = 25;
/// Of so many neighbours on each side one is asked; where more than that stand in 25 lines, none of them is anybody's
/// in particular.
const MOST: usize = 128;

/// The part of a text that is near `place`.
fn around(document: &Document<'_>, place: usize) -> Range<usize> {
    let line = document.line_of(place);
    let last = (line + FARTHEST_LINES).min(document.line_count() - 1);
    document.line(line.saturating_sub(FARTHEST_LINES)).start..document.line(last).end
}

/// Of things that stand at these places, in order, those near the one with this number; itself among them.
pub(crate) fn near(
    document: &Document<'_>,
    count: usize,
    place: impl Fn(usize) -> usize,
    number: usize,
) -> Range<usize> {
    let around = around(document, place(number));
    let before =
        (number.saturating_sub(MOST)..number).rev().take_while(|&other| place(other) >= around.start);
    let after = (number + 1..count.min(number + 1 + MOST)).take_while(|&other| place(other) <= around.end);
    number - before.count()..number + 1 + after.count()
}

/// Things by where they stand, one after the other put down.
#[derive(Default)]
pub(crate) struct Places(BTreeMap<usize, Vec<usize>>);

impl Places {
    /// Puts a thing down.
    pub(crate) fn put(&mut self, place: usize, thing: usize) {
        self.0.entry(place).or_default().push(thing);
    }

    /// The things near `place`, each once, in the order of their numbers.
    pub(crate) fn near(&self, document: &Document<'_>, place: usize) -> Vec<usize> {
        let around = around(document, place);
        let before = self.0.range(around.start..place).rev().flat_map(|(_, things)| things).take(MOST);
        let after = self.0.range(place..=around.end.max(place)).flat_map(|(_, things)| things).take(MOST);
        let mut things: Vec<usize> = before.chain(after).copied().collect();
        things.sort_unstable();
        things.dedup();
        things
    }
}

/// Passages that are taken.
#[derive(Default)]
pub(crate) struct Taken {
    /// Where they begin and end; of those that begin at one place the longest.
    ends: BTreeMap<usize, usize>,
    longest: usize,
}

impl Taken {
    /// Takes a passage.
    pub(crate) fn take(&mut self, span: Span) {
        let end = self.ends.entry(span.start).or_default();
        *end = (*end).max(span.end);
        self.longest = self.longest.max(span.len());
    }

    /// Whether any of them overlaps this one.
    pub(crate) fn overlaps(&self, span: Span) -> bool {
        let from = span.start.saturating_sub(self.longest);
        from < span.end && self.ends.range(from..span.end).any(|(_, &end)| span.start < end)
    }
}
