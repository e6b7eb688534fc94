//! Where the pieces of a text went when a version was made from it.
//!
//! Must not know: what the text says.
//! Invariant: every place is told to which all of a stretch went in one piece, and no other.

use crate::model::{CopiedPiece, Span};

/// Finds where a stretch of the base went. A base can be copied in any order and more than once.
pub(super) struct Copies {
    /// By where they come from.
    pieces: Vec<CopiedPiece>,
    /// How far the pieces up to each one reach in the base.
    reached: Vec<usize>,
}

impl Copies {
    pub(super) fn new(pieces: &[CopiedPiece]) -> Self {
        let mut pieces = pieces.to_vec();
        pieces.sort_by_key(|piece| piece.from);
        let mut most = 0;
        let reached = pieces
            .iter()
            .map(|piece| {
                most = most.max(piece.from + piece.length);
                most
            })
            .collect();
        Self { pieces, reached }
    }

    /// Every place where all of `span` went.
    pub(super) fn places(&self, span: Span) -> impl Iterator<Item = usize> {
        let begun = self.pieces.partition_point(|piece| piece.from <= span.start);
        (0..begun)
            .rev()
            .take_while(move |&index| self.reached[index] >= span.end)
            .map(|index| self.pieces[index])
            .filter(move |piece| span.end <= piece.from + piece.length)
            .map(move |piece| span.start - piece.from + piece.to)
    }
}
