//! Lines for a terminal: colour, width, wrapping.
//!
//! Must not know: findings, rules, what the words mean.
//! Invariant: a word is never broken, so paths, links and commands can be copied whatever the width.

use colored::Color;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ink {
    color: Option<Color>,
    bold: bool,
}

impl Ink {
    pub(super) const BOLD: Self = Self { color: None, bold: true };

    pub(super) const fn of(color: Color) -> Self {
        Self { color: Some(color), bold: false }
    }

    pub(super) const fn strong(color: Color) -> Self {
        Self { color: Some(color), bold: true }
    }
}

/// Paints, or leaves everything plain. Whether it paints is asked of the caller and not of the process, so that two
/// reports of one process can differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Painter {
    pub(super) color: bool,
}

impl Painter {
    pub(super) fn paint(self, text: &str, ink: Ink) -> String {
        let codes = ink.bold.then(|| "1".into()).into_iter().chain(ink.color.map(|color| color.to_fg_str()));
        let codes: Vec<_> = codes.collect();
        if !self.color || codes.is_empty() || text.is_empty() {
            return text.to_owned();
        }
        format!("\x1b[{}m{text}\x1b[0m", codes.join(";"))
    }
}

/// How many columns a text takes, counted in characters.
pub(super) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Breaks `words` between blanks so that no line is wider than `width`, unless a single word is. The first line
/// leaves `taken` columns for what stands before it.
pub(super) fn wrap(words: &str, width: usize, taken: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = taken;
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let line = lines.last_mut().expect("there is a line from the start");
        let gap = usize::from(!line.is_empty());
        if used + gap + columns(word) > width && !line.is_empty() {
            used = columns(word);
            lines.push(word.to_owned());
            continue;
        }
        if gap == 1 {
            line.push(' ');
        }
        line.push_str(word);
        used += gap + columns(word);
    }
    lines
}

/// A paragraph: `lead` before the first line, as many blanks before the others. `lead` is shorter than the width.
pub(super) fn paragraph(lead: &str, words: &str, width: usize) -> Vec<String> {
    let indent = columns(lead);
    let wrapped = wrap(words, width.saturating_sub(indent).max(20), 0);
    let blank = " ".repeat(indent);
    wrapped
        .iter()
        .enumerate()
        .map(|(index, line)| format!("{}{line}", if index == 0 { lead } else { &blank }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Ink, Painter, paragraph};

    #[test]
    fn words_stay_whole() {
        assert_eq!(
            paragraph("- ", "read the/very/long/path/of/a/file.py and go", 24),
            ["- read", "  the/very/long/path/of/a/file.py", "  and go"]
        );
    }

    #[test]
    fn plain_means_no_escape() {
        let ink = Ink::strong(colored::Color::Red);
        assert_eq!(Painter { color: false }.paint("x", ink), "x");
        assert_eq!(Painter { color: true }.paint("x", ink), "\u{1b}[1;31mx\u{1b}[0m");
    }
}
