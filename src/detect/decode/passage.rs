//! What was read, and where each byte of it stands.
//!
//! Must not know: rules, what is looked for.
//! Invariant: passages that are handed out are sorted and disjoint, and all together no longer than [`MOST`].

use crate::model::Span;

use super::super::candidates::{Candidate, Clue};
use super::{Form, base64, escapes, gzip, hexadecimal, joined, percent};

/// How much is read in one text at most, in bytes.
const MOST: usize = 1 << 20;
/// How far beside a passage its companions stand at most, in bytes.
const NEAR: usize = 512;

/// Something written in another form, in plain words.
#[derive(Clone, Debug)]
pub(crate) struct Passage {
    /// Where it stands.
    pub(crate) from: Span,
    pub(crate) form: Form,
    /// Its words.
    pub(crate) bytes: Vec<u8>,
    /// Where each byte of them begins.
    pub(crate) origins: Vec<usize>,
}

impl Passage {
    /// The same in a text in which what stood at `from` stands at `to`.
    pub(crate) fn moved(&self, from: usize, to: usize) -> Self {
        let origins = self.origins.iter().map(|&origin| origin + to - from).collect();
        Self { from: self.from.moved(from, to), origins, ..self.clone() }
    }

    /// Without the line end that `echo` and editors leave behind.
    pub(super) fn trimmed(mut self) -> Self {
        let kept = self.bytes.trim_ascii_end().len();
        self.bytes.truncate(kept);
        self.origins.truncate(kept);
        self
    }

    /// Whether what is read at `span` was not there before: in forms that keep most bytes, one that was changed is
    /// in it or beside it.
    pub(crate) fn is_new(&self, span: Span) -> bool {
        if self.form.stands_alone() {
            return true;
        }
        let first = span.start.saturating_sub(2);
        let last = (span.end + 2).min(self.origins.len());
        let near = &self.origins[first..last];
        let whole = last < self.origins.len() || near.last().is_none_or(|&at| at + 1 == self.from.end);
        !whole || near.windows(2).any(|pair| pair[1] != pair[0] + 1)
    }
}

/// The passages of `text` that `candidates` tell of and `wanted` wants.
pub(crate) fn passages(
    text: &[u8],
    candidates: &[Candidate],
    mut wanted: impl FnMut(&Passage) -> bool,
) -> Vec<Passage> {
    let mut found: Vec<Passage> = Vec::new();
    let mut length = 0;
    // Up to where each form was read: one passage can hold several runs.
    let mut read_to = [0; 6];
    for (span, form) in candidates.iter().filter_map(|candidate| written(text, candidate)) {
        let done = &mut read_to[form as usize];
        if span.start < *done {
            continue;
        }
        let Some(passage) = read(text, span, form) else { continue };
        *done = passage.from.end.max(span.end);
        if length + passage.bytes.len() <= MOST && wanted(&passage) {
            length += passage.bytes.len();
            found.push(passage);
        }
    }
    disjoint(found)
}

/// `chosen`, and the short values beside them that are written in the same form: passphrases are shorter than anything
/// else, and so are halves of ids. `chosen` are sorted and disjoint.
pub(crate) fn with_companions(text: &[u8], chosen: Vec<Passage>) -> Vec<Passage> {
    let mut all = chosen.clone();
    for (form, companions) in [
        (Form::Base64, base64::companions as fn(&[u8], Span) -> Vec<Passage>),
        (Form::Joined, joined::companions),
    ] {
        let mut read_to = 0;
        for place in chosen.iter().filter(|passage| passage.form == form).map(|passage| passage.from) {
            let window =
                Span::new(place.start.saturating_sub(NEAR).max(read_to), text.len().min(place.end + NEAR));
            if window.start < window.end {
                all.extend(companions(text, window));
                read_to = window.end;
            }
        }
    }
    // A companion that is chosen already, or overlaps what is, says nothing new.
    let is_free = |passage: &Passage| {
        let next = chosen.partition_point(|other| other.from.end <= passage.from.start);
        chosen.get(next).is_none_or(|other| other.from == passage.from || !other.from.overlaps(passage.from))
    };
    all.retain(is_free);
    disjoint(all)
}

/// Sorted, and of those that overlap the one that begins first; what is inside it is read after it.
fn disjoint(mut passages: Vec<Passage>) -> Vec<Passage> {
    passages.sort_by_key(|passage| (passage.from.start, std::cmp::Reverse(passage.from.end), passage.form));
    let mut end = 0;
    passages.retain(|passage| {
        let free = passage.from.start >= end;
        end = if free { passage.from.end } else { end };
        free
    });
    passages
}

/// The words that the whole of `candidate` stands for, if it is written in base64 or hexadecimal.
pub(crate) fn words_of(text: &[u8], candidate: &Candidate) -> Option<Vec<u8>> {
    let (span, form) = encoded(candidate).filter(|(_, form)| form.stands_alone())?;
    read(text, span, form).map(|passage| passage.bytes)
}

/// What is written in another form, and which one: also a named value that goes on in another literal.
fn written(text: &[u8], candidate: &Candidate) -> Option<(Span, Form)> {
    match &candidate.clue {
        Clue::Chosen(chosen) => {
            joined::goes_on_after(text, chosen.value).then_some((chosen.value, Form::Joined))
        }
        _ => encoded(candidate),
    }
}

fn encoded(candidate: &Candidate) -> Option<(Span, Form)> {
    match candidate.clue {
        Clue::Encoded(form) => Some((candidate.span, form)),
        Clue::Spelled => Some((candidate.span, Form::Escapes)),
        _ => None,
    }
}

fn read(text: &[u8], run: Span, form: Form) -> Option<Passage> {
    match form {
        Form::Joined => joined::read(text, run),
        Form::Escapes => escapes::read(text, run),
        Form::Percent => percent::read(text, run),
        Form::Base64 => base64::read(text, run),
        Form::Hexadecimal => hexadecimal::read(text, run),
        Form::Gzip => gzip::read(text, run),
    }
}

/// Writes a passage from the front to the end of what it is read from.
pub(super) struct Writer {
    passage: Passage,
    at: usize,
    changed: bool,
}

impl Writer {
    pub(super) fn new(from: Span, form: Form) -> Self {
        let passage = Passage {
            from,
            form,
            bytes: Vec::with_capacity(from.len()),
            origins: Vec::with_capacity(from.len()),
        };
        Self { passage, at: from.start, changed: false }
    }

    /// The next place to read, until the end.
    pub(super) fn next(&self) -> Option<usize> {
        (self.at < self.passage.from.end).then_some(self.at)
    }

    /// Puts down what `taken` bytes stand for.
    pub(super) fn put(&mut self, bytes: &[u8], taken: usize) {
        self.passage.bytes.extend_from_slice(bytes);
        self.passage.origins.extend(std::iter::repeat_n(self.at, bytes.len()));
        self.changed |= bytes.len() != taken;
        self.at += taken;
    }

    /// Leaves out what stands before `at`.
    pub(super) fn skip_to(&mut self, at: usize) {
        self.changed |= at > self.at;
        self.at = self.at.max(at);
    }

    /// The passage, if it is not what was there before.
    pub(super) fn finish(self) -> Option<Passage> {
        self.changed.then_some(self.passage)
    }
}
