//! The baseline: secrets that are known and wait for their turn, one line each.
//!
//! ```text
//! # comments
//! salt 32 hex digits
//! covers history (where its entries stand for what is in the history, too)
//! 32 hex digits, rule, optionally `until YYYY-MM-DD`, and a reason
//! ```
//!
//! A line holds the rule and HMAC-SHA-256, keyed with the salt and cut to 128 bits, of the finding's fingerprint. The
//! fingerprint tells the value under its rule and nothing about its place, and holds little of what people chose
//! (see `detect::fingerprint`). Lines are sorted by their hash, so that two branches that add entries seldom touch
//! the same place, and nothing in the file changes when nothing about the secrets does.
//!
//! Must not know: files, clocks, where randomness comes from.
//! Invariants: what is written is read back as the same; a line that cannot be read is an error, never passed over.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::{Day, Fingerprint};

/// A larger baseline is refused.
pub const MAX_BASELINE_BYTES: usize = 32 << 20;

const DOMAIN: &[u8] = b"keyfence baseline 1";

const COVERS_HISTORY: &str = "covers history";

const HEAD: &str = "\
# keyfence baseline, version 1: secrets that are known and do not count until they are dealt with.
# One line for each: keyed hash, rule, `until` and the last day if there is one, reason.
# `keyfence baseline` writes this file; reasons and days may be edited by hand.
";

/// One secret that does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BaselineEntry {
    /// 32 lower-case hex digits.
    pub hash: String,
    /// The rule's id.
    pub rule: String,
    /// The last day on which it does not count.
    pub until: Option<Day>,
    /// Why.
    pub reason: Option<String>,
}

/// A baseline as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    salt: [u8; 16],
    covers_history: bool,
    entries: Vec<BaselineEntry>,
}

impl Baseline {
    /// An empty baseline with that salt, which must be random.
    pub fn new(salt: [u8; 16]) -> Self {
        Self { salt, covers_history: false, entries: Vec::new() }
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// Names the line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BASELINE_BYTES {
            return Err(format!("it is larger than {MAX_BASELINE_BYTES} bytes"));
        }
        let mut salt = None;
        let mut covers_history = false;
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let complain = |what: &str| format!("line {}: {what}", index + 1);
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
            } else if line == COVERS_HISTORY {
                covers_history = true;
            } else if let Some(digits) = line.strip_prefix("salt ") {
                let read = salt_of(digits.trim()).ok_or_else(|| complain("the salt is not 32 hex digits"))?;
                if salt.replace(read).is_some_and(|earlier| earlier != read) {
                    return Err(complain(
                        "a second salt: two baselines were merged that were made apart; keep one side and run \
                         `keyfence baseline update`",
                    ));
                }
            } else if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark)) {
                return Err(complain(
                    "a merge conflict: keep the lines of both sides, the order does not matter",
                ));
            } else {
                entries.push(entry(line).ok_or_else(|| {
                    complain(
                        "not an entry: it must be a hash of 32 hex digits, a rule, and what belongs to it",
                    )
                })?);
            }
        }
        let salt = salt.ok_or("it has no `salt` line, so nothing in it can be compared")?;
        Ok(Self { salt, covers_history, entries: tidy(entries) })
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEAD}salt {}\n", data_encoding::HEXLOWER.encode(&self.salt));
        if self.covers_history {
            text.push_str(&format!("{COVERS_HISTORY}\n"));
        }
        for entry in &self.entries {
            text.push_str(&format!("{} {}", entry.hash, entry.rule));
            if let Some(until) = entry.until {
                text.push_str(&format!(" until {until}"));
            }
            if let Some(reason) = &entry.reason {
                text.push_str(&format!(" {reason}"));
            }
            text.push('\n');
        }
        text
    }

    /// Whether its entries stand for what is in the history, too: then an entry is not stale because no file has its
    /// secret any more.
    pub fn covers_history(&self) -> bool {
        self.covers_history
    }

    /// Says that its entries stand for what is in the history, too.
    pub fn cover_history(&mut self) {
        self.covers_history = true;
    }

    /// All entries, by hash.
    pub fn entries(&self) -> &[BaselineEntry] {
        &self.entries
    }

    /// Where the entry for such a finding is.
    pub fn find(&self, rule: &str, fingerprint: &Fingerprint) -> Option<usize> {
        let hash = self.hash(fingerprint);
        self.entries.binary_search_by(|entry| (&*entry.hash, &*entry.rule).cmp(&(&hash, rule))).ok()
    }

    /// Adds an entry for such a finding; `false` where there is one already, which stays as it is.
    pub fn add(
        &mut self,
        rule: &str,
        fingerprint: &Fingerprint,
        until: Option<Day>,
        reason: Option<&str>,
    ) -> bool {
        let hash = self.hash(fingerprint);
        let place = self.entries.binary_search_by(|entry| (&*entry.hash, &*entry.rule).cmp(&(&hash, rule)));
        let Err(place) = place else { return false };
        let reason = reason.map(one_line).filter(|reason| !reason.is_empty());
        self.entries.insert(place, BaselineEntry { hash, rule: rule.to_owned(), until, reason });
        true
    }

    /// Keeps the entries that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&BaselineEntry) -> bool) {
        self.entries.retain(|entry| keep(entry));
    }

    fn hash(&self, fingerprint: &Fingerprint) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.salt).expect("HMAC takes keys of any length");
        mac.update(DOMAIN);
        mac.update(fingerprint.0.as_bytes());
        data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()[..16])
    }
}

fn salt_of(digits: &str) -> Option<[u8; 16]> {
    data_encoding::HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()
}

fn entry(line: &str) -> Option<BaselineEntry> {
    let (hash, rest) = line.split_once(char::is_whitespace)?;
    if hash.len() != 32 || data_encoding::HEXLOWER.decode(hash.as_bytes()).is_err() {
        return None;
    }
    let (rule, rest) = next_word(rest);
    let (mark, after) = next_word(rest);
    let (until, reason) = if mark == "until" {
        let (day, reason) = next_word(after);
        (Some(Day::parse(day)?), reason)
    } else {
        (None, rest)
    };
    let reason = one_line(reason);
    let reason = (!reason.is_empty()).then_some(reason);
    Some(BaselineEntry { hash: hash.to_owned(), rule: rule.to_owned(), until, reason })
}

fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Sorted, each secret once. Where a merge left two lines for one secret, the one that ends sooner stays.
fn tidy(mut entries: Vec<BaselineEntry>) -> Vec<BaselineEntry> {
    entries.sort_by(|one, other| {
        let key = |entry: &BaselineEntry| (entry.until.is_none(), entry.until);
        (&one.hash, &one.rule, key(one), &one.reason).cmp(&(
            &other.hash,
            &other.rule,
            key(other),
            &other.reason,
        ))
    });
    entries.dedup_by(|later, first| later.hash == first.hash && later.rule == first.rule);
    entries
}

#[cfg(test)]
mod tests {
    use super::Baseline;
    use crate::model::{Day, Fingerprint};

    fn fingerprint(digit: char) -> Fingerprint {
        Fingerprint(String::from(digit).repeat(32))
    }

    fn sample() -> Baseline {
        let mut baseline = Baseline::new([7; 16]);
        assert!(baseline.add("acme-key", &fingerprint('a'), None, Some("  rotated,\n see OPS-12 ")));
        assert!(baseline.add("acme-key", &fingerprint('b'), Day::parse("2027-01-31"), None));
        assert!(baseline.add("acme-secret", &fingerprint('b'), Day::parse("2027-01-31"), Some("until then")));
        assert!(!baseline.add("acme-key", &fingerprint('a'), None, None), "it is there already");
        baseline
    }

    #[test]
    fn what_is_written_is_read_back() {
        let baseline = sample();
        let text = baseline.to_text();
        assert_eq!(Baseline::parse(&text).as_ref(), Ok(&baseline));
        assert!(text.contains("acme-key rotated, see OPS-12\n"), "{text}");
        assert!(text.contains("acme-secret until 2027-01-31 until then\n"), "{text}");
        assert!(!text.contains(&fingerprint('a').0), "a fingerprint is not written down");
        let mut whole = baseline.clone();
        whole.cover_history();
        assert_eq!(Baseline::parse(&whole.to_text()).as_ref(), Ok(&whole));
        assert_ne!(whole, baseline);
    }

    #[test]
    fn entries_are_found_by_value_and_rule_alone() {
        let baseline = sample();
        assert!(baseline.find("acme-key", &fingerprint('a')).is_some());
        for (rule, digit) in [("acme-key", 'c'), ("acme-secret", 'a')] {
            assert_eq!(baseline.find(rule, &fingerprint(digit)), None);
        }
        let other_salt = Baseline::new([8; 16]);
        assert_ne!(baseline.hash(&fingerprint('a')), other_salt.hash(&fingerprint('a')));
    }

    #[test]
    fn order_and_merges_do_not_matter() {
        let text = sample().to_text();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.reverse();
        let sooner = lines[0].split(' ').take(2).chain(["until", "2026-12-01"]).collect::<Vec<_>>().join(" ");
        lines.push(&sooner);
        let merged = Baseline::parse(&lines.join("\r\n")).expect("it is a baseline");
        assert_eq!(merged.entries().len(), 3);
        assert!(merged.entries().iter().any(|entry| entry.until == Day::parse("2026-12-01")));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let text = sample().to_text();
        for (change, expected) in [
            ("<<<<<<< HEAD", "line 8: a merge conflict"),
            ("=======", "line 8: a merge conflict"),
            ("salt 00000000000000000000000000000000", "line 8: a second salt"),
            ("salt x", "line 8: the salt"),
            ("ABC acme-key", "line 8: not an entry"),
            ("0123456789abcdef0123456789abcdef acme-key until 2027-02-30", "line 8: not an entry"),
        ] {
            let message = Baseline::parse(&format!("{text}{change}\n")).expect_err(change);
            assert!(message.starts_with(expected), "{change}: {message}");
        }
        assert!(Baseline::parse("# nothing\n").expect_err("there is no salt").contains("no `salt` line"));
    }
}
