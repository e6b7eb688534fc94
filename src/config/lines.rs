//! In which line of a configuration file each key and each entry stands.
//!
//! The reader that understands the files does not tell where it met what, but its errors do. So this walk refuses
//! every key and every word once it has met it, takes the line from the error, and goes on.
//!
//! Must not know: what keys mean. Invariant: a document that cannot be walked has no lines, and is no error.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Lines by place, such as `rules.disable[0]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines(BTreeMap<String, u32>);

impl Lines {
    /// Where everything stands in the file with that text.
    pub fn of(text: &str) -> Self {
        let mut lines = BTreeMap::new();
        let walk = Node { place: String::new(), lines: &mut lines };
        match walk.deserialize(serde_yaml::Deserializer::from_str(text)) {
            Ok(_) => Self(lines),
            Err(_) => Self::default(),
        }
    }

    /// The line of a key, or of an entry of its list; a list of one word may be written as the word alone.
    pub fn get(&self, place: &str) -> Option<u32> {
        let alone = place.strip_suffix("[0]").filter(|_| !self.0.contains_key(place));
        self.0.get(alone.unwrap_or(place)).copied()
    }
}

/// What stands at one place.
struct Node<'a> {
    place: String,
    lines: &'a mut BTreeMap<String, u32>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    /// The first line that is known of it.
    type Value = Option<u32>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match deserializer.deserialize_any(self) {
            Err(error) => line_of_refusal(&error).map(Some).ok_or(error),
            ok => ok,
        }
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Option<u32>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a configuration")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut first = None;
        while let Some((key, line)) = map.next_key_seed(Key)? {
            let place = if self.place.is_empty() { key } else { format!("{}.{key}", self.place) };
            map.next_value_seed(Node { place: place.clone(), lines: self.lines })?;
            self.lines.insert(place, line);
            first = first.or(Some(line));
        }
        Ok(first)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut first = None;
        for index in 0.. {
            let place = format!("{}[{index}]", self.place);
            let Some(line) = list.next_element_seed(Node { place: place.clone(), lines: self.lines })? else {
                break;
            };
            self.lines.extend(line.map(|line| (place, line)));
            first = first.or(line);
        }
        Ok(first)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Err(refusal(""))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Err(refusal(""))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(refusal(""))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Err(refusal(""))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(refusal(""))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Err(refusal(""))
    }
}

/// The name of a key, with its line.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = (String, u32);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let error = match deserializer.deserialize_str(self) {
            Ok(never) => return Ok(never),
            Err(error) => error,
        };
        let text = error.to_string();
        let name = text.split(MARK).nth(1).map(str::to_owned);
        name.zip(line_of_refusal(&error)).ok_or(error)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = (String, u32);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Err(refusal(name))
    }
}

/// Stands around what a refusal holds; no key of ours has it.
const MARK: char = '\u{1f}';

fn refusal<E: Error>(name: &str) -> E {
    E::custom(format!("{MARK}{name}{MARK}"))
}

/// The line of an error, if it is a refusal of ours.
fn line_of_refusal(error: &impl Error) -> Option<u32> {
    let text = error.to_string();
    let (_, place) = text.rsplit_once(MARK)?;
    match place.strip_prefix(" at line ") {
        Some(line) => line.split(' ').next()?.parse().ok(),
        // The reader names the first place of all in another way.
        None => Some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn every_way_to_write_it_has_its_line() {
        let text = "\
confidence: likely

# a comment
rules: { disable: [a, b],
  enable: c }
allow:
  - path: tests/
    reason: |
      confidence: certain
      not a key
  # between
  -
    rule: [x]
    until: 2027-01-31
  - { value: 'a: b',
      reason: y }
max_file_size: 64M
comments: true
";
        let lines = Lines::of(text);
        for (place, line) in [
            ("confidence", 1),
            ("rules", 4),
            ("rules.disable[0]", 4),
            ("rules.disable[1]", 4),
            ("rules.enable[0]", 5),
            ("allow", 6),
            ("allow[0]", 7),
            ("allow[0].reason", 8),
            ("allow[1]", 13),
            ("allow[1].until", 14),
            ("allow[2]", 15),
            ("allow[2].reason", 16),
            ("max_file_size", 17),
            ("comments", 18),
        ] {
            assert_eq!(lines.get(place), Some(line), "{place}: {lines:?}");
        }
        for nowhere in ["allow[3]", "packs", "rules.disable[2]"] {
            assert_eq!(lines.get(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn anchors_and_what_cannot_be_walked() {
        let shared = Lines::of("allow:\n  - &first { path: a }\n  - *first\n  - path: b\n");
        assert_eq!(shared.get("allow[2]"), Some(4), "{shared:?}");
        for text in ["", "# nothing\n", "a: [", "- a\n", "x", "? [a]\n: b\n"] {
            assert_eq!(Lines::of(text).get("allow"), None, "{text:?}");
        }
    }
}
