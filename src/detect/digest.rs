//! Digests that are called so: `checksum = "9f86…"`, which lock files and manifests have by the thousand.
//!
//! Their name says directly before them what judgement would say of it, so that they are candidates only for rules whose
//! values prove themselves.
//!
//! Must not know: providers, files.
//! Invariant: what is told depends on the run and [`VALUE_REACH`] bytes before it.

use crate::model::Span;
use crate::rules::RuleSet;

use super::candidates::VALUE_REACH;

/// Digests of 16 to 64 bytes have so many hexadecimal digits.
const LENGTHS: [usize; 6] = [32, 40, 56, 64, 96, 128];
/// What digests are called; each of it vetoes as a name.
const NAMES: [&[u8]; 7] = [b"checksum", b"digest", b"integrity", b"md5", b"sha1", b"sha256", b"sha512"];

/// Whether a rule calls its values, or a provider a header with a part in it, as digests are called.
pub(super) fn are_asked_for(rules: &RuleSet) -> bool {
    let is_digest = |name: &str| NAMES.iter().any(|digest| name.as_bytes().eq_ignore_ascii_case(digest));
    rules.rules.iter().any(|rule| rule.names.iter().any(|name| is_digest(name)))
        || rules.providers.iter().any(|provider| provider.headers.iter().any(|(header, _)| is_digest(header)))
}

/// Whether `run` is a digest by its digits, its length and its name.
pub(super) fn is_named_digest(text: &[u8], run: Span) -> bool {
    LENGTHS.contains(&run.len())
        && is_named(&text[run.start.saturating_sub(VALUE_REACH)..run.start])
        && run.of(text).iter().all(u8::is_ascii_hexdigit)
}

/// Whether `before` ends with one of the names, a separator, and what may stand around them.
fn is_named(before: &[u8]) -> bool {
    let without = |text: &mut &[u8], is_skipped: fn(u8) -> bool| {
        let kept = text.iter().rposition(|&byte| !is_skipped(byte)).map_or(0, |last| last + 1);
        *text = &text[..kept];
    };
    let is_around = |byte: u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'');
    let mut before = before;
    without(&mut before, is_around);
    let Some((b':' | b'=', mut name)) = before.split_last() else { return false };
    without(&mut name, is_around);
    let Some(called) = NAMES.iter().find(|called| ends_with(name, called)) else { return false };
    // `api_digest` is a name of its own; what is cut off could go on.
    let Some(&beside) = name[..name.len() - called.len()].last() else { return false };
    !(beside.is_ascii_alphanumeric() || matches!(beside, b'_' | b'-' | b'.'))
}

fn ends_with(text: &[u8], end: &[u8]) -> bool {
    text.len() >= end.len() && text[text.len() - end.len()..].eq_ignore_ascii_case(end)
}

#[cfg(test)]
mod tests {
    use super::super::names::Name;
    use super::{NAMES, are_asked_for, is_named_digest};
    use crate::model::Span;
    use crate::rules::RuleSet;

    #[test]
    fn no_rule_of_ours_asks_for_digests() {
        assert!(!are_asked_for(&RuleSet::builtin()));
    }

    #[test]
    fn their_names_veto() {
        assert!(NAMES.iter().all(|name| Name::new(name).vetoes()));
    }

    #[test]
    fn digests_are_told_by_their_names() {
        let digits = "9f86d081884c7d659a2feaa0c55ad015";
        for (before, expected) in [
            ("\nchecksum = \"", true),
            ("{\"sha1\": \"", true),
            ("  sha256:  ", true),
            ("\nSHA512='", true),
            ("\napi_digest = \"", false),
            ("\nsecret.digest = \"", false),
            ("\nsecret = \"", false),
            ("checksum = \"", false),
            ("\nchecksum \"", false),
            ("\nchecksum =                       \"", false),
        ] {
            let text = format!("{before}{digits}");
            let run = Span::new(before.len(), text.len());
            assert_eq!(is_named_digest(text.as_bytes(), run), expected, "{before}");
        }
        let text = format!("\nsha1 = {digits}0");
        assert!(!is_named_digest(text.as_bytes(), Span::new(8, text.len())));
    }
}
