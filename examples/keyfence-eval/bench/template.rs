//! How people write files: templates with slots, and the places at which values landed.
//!
//! A data file holds templates behind `=== name` lines: a head of `field: value` lines, `---`, and the text.
//! `«slot»` is filled in, `«slot|form»` in another form, `‹one|other›` is a choice; a line with a slot that this
//! credential does not have is left out; what stands between the lines `«each»` and `«end»` is repeated, and what stands
//! between `«wrap»` and `«/wrap»` is written in base64 behind what the first of these lines begins with.
//!
//! Must not know: rules, randomness beyond choices. Invariant: every value that was filled in is told with its place.

use super::Error;
use super::random::Random;

/// A template.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Where the file stands.
    pub path: String,
    /// What can be put into it: `pair`, `value`, `spaced`, `lines`, `numbers`.
    pub takes: Vec<String>,
    /// Groups of providers for which somebody would write it; all if empty.
    pub groups: Vec<String>,
    /// Rules that stand in no other template.
    pub only: Vec<String>,
    /// Nothing in it says whose it is.
    pub bare: bool,
    /// `utf-16` for a file that is written so.
    pub encoding: String,
    /// The text.
    pub text: String,
}

/// The templates of a data file.
pub fn parse(text: &str) -> Result<Vec<Template>, Error> {
    let list = |value: &str| value.split_whitespace().map(str::to_owned).collect();
    let blocks = text.split("\n=== ").map(|block| block.strip_prefix("=== ").unwrap_or(block));
    blocks
        .filter(|block| !block.trim().is_empty())
        .map(|block| {
            let (head, body) = block.split_once("\n---\n").ok_or("a template has no `---`")?;
            let mut lines = head.lines();
            let mut template = Template {
                name: lines.next().unwrap_or_default().trim().to_owned(),
                text: format!("{}\n", body.trim_end_matches('\n')),
                ..Template::default()
            };
            for (field, value) in lines.filter_map(|line| line.split_once(": ")) {
                match field {
                    "path" => template.path = value.to_owned(),
                    "takes" => template.takes = list(value),
                    "groups" => template.groups = list(value),
                    "only" => template.only = list(value),
                    "bare" => template.bare = value == "yes",
                    "encoding" => template.encoding = value.to_owned(),
                    _ => return Err(format!("{}: unknown field {field}", template.name).into()),
                }
            }
            Ok(template)
        })
        .collect()
}

/// What a slot gives.
pub enum Filling {
    /// Text that is told of.
    Value {
        /// What stands there.
        text: String,
        /// Whose it is, as the one who fills knows it.
        tag: usize,
        /// In which form it is written.
        wrapped: &'static str,
    },
    /// Text of no interest.
    Plain(String),
    /// This credential has none: the line is left out.
    Missing,
}

/// A value in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    /// Its first byte.
    pub start: usize,
    /// Behind its last byte.
    pub end: usize,
    /// See [`Filling::Value`].
    pub tag: usize,
    /// See [`Filling::Value`].
    pub wrapped: &'static str,
}

/// A text and what was planted in it.
#[derive(Clone, Debug, Default)]
pub struct Filled {
    /// The text.
    pub text: String,
    /// The values.
    pub planted: Vec<Planted>,
}

/// Fills a template; `fill` is asked with the slot, the form, and the turn of the repeated part (0 outside of it).
pub fn fill(
    template: &str,
    turns: usize,
    random: &mut Random,
    fill: &mut dyn FnMut(&str, &str, usize, &mut Random) -> Filling,
) -> Filled {
    let mut out = Filled::default();
    let mut lines = template.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim() == "«each»" {
            let body: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "«end»").collect();
            for turn in 0..turns.max(1) {
                body.iter().for_each(|line| add_line(&mut out, line, turn, random, fill));
            }
        } else if let Some(head) = line.strip_suffix("«wrap»") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "«/wrap»").collect();
            let inner = self::fill(&(body.join("\n") + "\n"), turns, random, fill);
            out.text.push_str(head);
            let start = out.text.len();
            out.text.push_str(&data_encoding::BASE64.encode(inner.text.as_bytes()));
            let end = out.text.len();
            out.text.push('\n');
            let wrapped = inner.planted.into_iter();
            out.planted.extend(wrapped.map(|value| Planted { start, end, wrapped: "base64", ..value }));
        } else {
            add_line(&mut out, line, 0, random, fill);
        }
    }
    out
}

fn add_line(
    out: &mut Filled,
    line: &str,
    turn: usize,
    random: &mut Random,
    fill: &mut dyn FnMut(&str, &str, usize, &mut Random) -> Filling,
) {
    let (length, count) = (out.text.len(), out.planted.len());
    let line = choose(line, random);
    let margin: String =
        line.chars().take_while(|letter| matches!(letter, ' ' | '\t' | '#' | '/' | '*' | '>')).collect();
    let mut rest = line.as_str();
    while let Some((before, behind)) = rest.split_once('«') {
        let (slot, after) = behind.split_once('»').unwrap_or((behind, ""));
        out.text.push_str(before);
        let (name, form) = slot.split_once('|').unwrap_or((slot, ""));
        match fill(name, form, turn, random) {
            Filling::Value { text, tag, wrapped } => {
                let start = out.text.len();
                // What goes over several lines keeps the margin of its first one.
                out.text.push_str(&if form == "raw" {
                    text.replace('\n', &format!("\n{margin}"))
                } else {
                    text
                });
                out.planted.push(Planted { start, end: out.text.len(), tag, wrapped });
            }
            Filling::Plain(text) => out.text.push_str(&text),
            Filling::Missing => {
                out.text.truncate(length);
                out.planted.truncate(count);
                return;
            }
        }
        rest = after;
    }
    out.text.push_str(rest);
    out.text.push('\n');
}

/// Makes the choices of a line.
pub fn choose(line: &str, random: &mut Random) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once('‹') {
        let (choices, after) = behind.split_once('›').unwrap_or((behind, ""));
        let choices: Vec<&str> = choices.split('|').collect();
        out.push_str(before);
        out.push_str(random.pick::<&str>(&choices));
        rest = after;
    }
    out + rest
}
