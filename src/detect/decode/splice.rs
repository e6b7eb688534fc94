//! A text in which encoded runs are replaced by what they hold, and the way back.
//!
//! Must not know: which runs are worth it.
//! Invariant: a place in the new text leads back to the same place outside the replaced runs, and to the whole run
//! inside one.

use zeroize::Zeroizing;

use crate::model::Span;

use super::runs::decode;

/// What all runs of one text may hold together, in bytes.
const MOST: usize = 1 << 20;
/// How often a text may be wrapped in another.
const DEEPEST: usize = 3;

/// A text with its runs replaced.
pub(crate) struct Splice {
    /// The new text.
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// Where the replaced runs stood, and where what they hold stands now; sorted.
    pieces: Vec<(Span, Span)>,
}

impl Splice {
    /// Replaces `runs` (sorted, apart from each other); `None` if there are none.
    pub(crate) fn new(text: &[u8], runs: &[Span]) -> Option<Self> {
        let mut new = Zeroizing::new(Vec::with_capacity(text.len()));
        let mut pieces = Vec::new();
        let (mut at, mut held) = (0, 0);
        for &run in runs {
            let Some(decoded) = decode(run.of(text)) else { continue };
            held += decoded.len();
            if run.start < at || held > MOST {
                continue;
            }
            new.extend_from_slice(&text[at..run.start]);
            let start = new.len();
            // A line end that closes the text inside would cut off what follows the run.
            new.extend_from_slice(decoded.trim_ascii_end());
            pieces.push((run, Span::new(start, new.len())));
            at = run.end;
        }
        new.extend_from_slice(&text[at..]);
        (!pieces.is_empty()).then_some(Self { text: new, pieces })
    }

    /// The span in the old text of `span` in the new one.
    fn origin(&self, span: Span) -> Span {
        let start = self.place(span.start, |old, _| old.start);
        let end = self.place(span.end.saturating_sub(1).max(span.start), |old, _| old.end - 1);
        Span::new(start, (end + 1).max(start))
    }

    /// The old place of `at`: `inside` tells it for what stands in a replaced run.
    fn place(&self, at: usize, inside: impl Fn(Span, Span) -> usize) -> usize {
        let behind = self.pieces.partition_point(|(_, new)| new.start <= at);
        match behind.checked_sub(1).map(|last| self.pieces[last]) {
            Some((old, new)) if at < new.end => inside(old, new),
            Some((old, new)) => at - new.end + old.end,
            None => at,
        }
    }
}

/// Splices on top of each other.
#[derive(Default)]
pub(crate) struct Layers(Vec<Splice>);

impl Layers {
    /// The innermost text, if anything was replaced.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        self.0.last().map(|splice| splice.text.as_slice())
    }

    pub(crate) fn push(&mut self, splice: Splice) {
        self.0.push(splice);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.0.len() == DEEPEST
    }

    /// The span in the first text of `span` in the innermost one.
    pub(crate) fn origin(&self, span: Span) -> Span {
        self.0.iter().rev().fold(span, |span, splice| splice.origin(span))
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::{Layers, Splice};
    use crate::model::Span;

    fn wrapped(inner: &str) -> (String, Span) {
        let run = BASE64.encode(inner.as_bytes());
        (format!("a: {run}\nb: 2\n"), Span::new(3, 3 + run.len()))
    }

    #[test]
    fn what_stands_in_a_run_is_told_where_the_run_stands() {
        let (text, run) = wrapped("KEY=one two three four\n");
        let splice = Splice::new(text.as_bytes(), &[run]).expect("there is a run");
        assert_eq!(splice.text.as_slice(), b"a: KEY=one two three four\nb: 2\n");
        assert_eq!(splice.origin(Span::new(7, 10)), run);
        assert_eq!(splice.origin(Span::new(0, 1)), Span::new(0, 1));
        let last = splice.text.len() - 2;
        assert_eq!(splice.origin(Span::new(last, last + 1)), Span::new(text.len() - 2, text.len() - 1));
        assert_eq!(splice.origin(Span::new(0, splice.text.len())), Span::new(0, text.len()));
    }

    #[test]
    fn layers_lead_back_to_the_outermost_run() {
        let (inner, inner_run) = wrapped("something that is long enough");
        let (text, run) = wrapped(&inner);
        let mut layers = Layers::default();
        layers.push(Splice::new(text.as_bytes(), &[run]).expect("there is a run"));
        let moved = Span::new(inner_run.start + 3, inner_run.end + 3);
        let second = Splice::new(layers.text().expect("one layer"), &[moved]).expect("there is a run");
        layers.push(second);
        let at = layers.text().expect("two layers").windows(9).position(|window| window == b"something");
        let at = at.expect("the inner text is there");
        assert_eq!(layers.origin(Span::new(at, at + 9)), run);
    }
}
