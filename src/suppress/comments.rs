//! Comments that allow what stands in their line, or in the line after them.
//!
//! Must not know: languages. A form counts wherever it stands as a word of its own, because comment markers differ
//! and some formats have none.
//! Invariants: a form inside the value does not count; a reason never holds a value that stands near it.

use std::sync::LazyLock;

use regex::bytes::{Captures, Regex};

use crate::model::Finding;

/// How far from the value a form may stand, in bytes: a comment in a minified file must not allow all of it.
const REACH: usize = 4096;

/// How our own forms begin.
const OWN: &[u8] = b"keyfence:allow";

/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 200;

/// A comment that would allow a finding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comment {
    /// What the report calls its form.
    pub(super) form: &'static str,
    /// What the person wrote after it.
    pub(super) reason: Option<String>,
    /// Where it stands, from 1.
    pub(super) line: u32,
}

/// The comments that would allow `finding`, whose span counts from `offset` bytes before `bytes`, the text that
/// detection saw; those of its own lines first.
pub(super) fn beside(finding: &Finding, bytes: &[u8], offset: u64) -> Vec<Comment> {
    let Some(around) = Surroundings::of(finding, bytes, offset) else { return Vec::new() };
    let (first, last) = (finding.place.line, finding.place.end_line);
    let places = [
        (around.before, Side::Before, Target::SameLine, first),
        (around.after, Side::After, Target::SameLine, last),
        (around.line_above, Side::Above, Target::NextLine, first.saturating_sub(1)),
    ];
    let comments = places.into_iter().filter_map(|(text, side, target, line)| {
        let (form, reason) = allowance(text, side, &finding.rule, target)?;
        Some(Comment { form, reason, line })
    });
    comments.collect()
}

/// The lines, from 1, in which one of our own forms stands.
pub(super) fn lines_of_own_forms(bytes: &[u8]) -> Vec<u32> {
    let mut lines = Vec::new();
    let (mut counted, mut line) = (0, 1_u32);
    for at in memchr::memmem::find_iter(bytes, OWN) {
        let line_ends = memchr::memchr_iter(b'\n', &bytes[counted..at]).count();
        line = line.saturating_add(u32::try_from(line_ends).unwrap_or(u32::MAX));
        counted = at;
        // The byte before tells whether the form is a word of its own.
        let text = &bytes[at.saturating_sub(2)..bytes.len().min(at + REACH)];
        let is_own = |captures: &Captures<'_>| {
            captures.name("keyfence").or(captures.name("keyfence_next")).is_some_and(|form| form.start() <= 2)
        };
        if lines.last() != Some(&line)
            && PATTERN.captures(first_line_or_all(text)).as_ref().is_some_and(is_own)
        {
            lines.push(line);
        }
    }
    lines
}

/// `text` up to the line end after its third byte: the two before belong to the line above at most.
fn first_line_or_all(text: &[u8]) -> &[u8] {
    let end = text.iter().skip(2).position(|&byte| is_line_end(byte)).map_or(text.len(), |at| at + 2);
    &text[..end]
}

/// The text beside a value: of its first line what stands before it, of its last line what stands after it.
struct Surroundings<'a> {
    line_above: &'a [u8],
    before: &'a [u8],
    after: &'a [u8],
}

impl<'a> Surroundings<'a> {
    /// `None` where the span does not lie in `bytes`.
    fn of(finding: &Finding, bytes: &'a [u8], chunk_offset: u64) -> Option<Self> {
        let offset = usize::try_from(chunk_offset).ok()?;
        let start = finding.span.start.checked_sub(offset)?;
        let end = finding.span.end.checked_sub(offset)?;
        let head = bytes.get(..start)?;
        let tail = bytes.get(end..)?;
        let before = last_line(head);
        Some(Self {
            line_above: line_above(&head[..head.len() - before.len()]),
            before,
            after: first_line(tail),
        })
    }
}

/// What stands after the last line end, at most [`REACH`] bytes of it.
fn last_line(text: &[u8]) -> &[u8] {
    let near = &text[text.len().saturating_sub(REACH)..];
    let start = near.iter().rposition(|&byte| is_line_end(byte)).map_or(0, |at| at + 1);
    &near[start..]
}

/// What stands before the first line end, at most [`REACH`] bytes of it.
fn first_line(text: &[u8]) -> &[u8] {
    let near = &text[..text.len().min(REACH)];
    let end = near.iter().position(|&byte| is_line_end(byte)).unwrap_or(near.len());
    &near[..end]
}

/// The last whole line of `text`, which ends with a line end; nothing where it does not.
fn line_above(text: &[u8]) -> &[u8] {
    let whole =
        text.strip_suffix(b"\r\n").or_else(|| text.strip_suffix(b"\n")).or_else(|| text.strip_suffix(b"\r"));
    whole.map_or(&[], last_line)
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// Where a form stands in relation to the value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Before,
    After,
}

/// Which line a form speaks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    SameLine,
    NextLine,
}

/// A comment form of keyfence or of another tool.
struct Form {
    /// The name of its group in [`FORMS`]'s pattern.
    group: &'static str,
    /// What the report calls it.
    name: &'static str,
    target: Target,
    pattern: &'static str,
}

const fn form(group: &'static str, name: &'static str, target: Target, pattern: &'static str) -> Form {
    Form { group, name, target, pattern }
}

/// Longer forms stand before those they begin with.
const FORMS: [Form; 14] = [
    form("keyfence_next", "keyfence:allow-next-line", Target::NextLine, r"keyfence:allow-next-line"),
    form("keyfence", "keyfence:allow", Target::SameLine, r"keyfence:allow"),
    form("gitleaks", "gitleaks:allow", Target::SameLine, r"gitleaks:allow"),
    form("betterleaks", "betterleaks:allow", Target::SameLine, r"betterleaks:allow"),
    form("trufflehog", "trufflehog:ignore", Target::SameLine, r"trufflehog:ignore"),
    form("kingfisher", "kingfisher:ignore", Target::SameLine, r"kingfisher:ignore"),
    form("keyhog_allow", "keyhog:allow", Target::SameLine, r"keyhog:allow"),
    form("keyhog", "keyhog:ignore", Target::SameLine, r"keyhog:ignore"),
    form("ggignore", "ggignore", Target::SameLine, r"ggignore"),
    form("ggshield", "ggshield:ignore", Target::SameLine, r"ggshield:ignore"),
    form(
        "pragma_next",
        "pragma: allowlist nextline secret",
        Target::NextLine,
        r"pragma: ?(?:allow|white)list[ -]nextline[ -]secret",
    ),
    form("pragma", "pragma: allowlist secret", Target::SameLine, r"pragma: ?(?:allow|white)list[ -]secret"),
    form(
        "secretlint_next",
        "secretlint-disable-next-line",
        Target::NextLine,
        r"secretlint-disable-next-line",
    ),
    form("secretlint", "secretlint-disable-line", Target::SameLine, r"secretlint-disable-line"),
];

/// One pattern for all forms: a form as a word of its own, with the rule ids of our own form in `ids`.
/// Built when the first finding is judged: a clean scan never pays for it.
static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let forms: Vec<String> =
        FORMS.iter().map(|form| format!("(?P<{}>{})", form.group, form.pattern)).collect();
    // One slash alone is a path, two or `/*` begin a comment. One hyphen goes on with the word, two begin `-->`.
    let pattern = format!(
        r#"(?-u)(?:^|//|[\s#*;!%(\[{{<>"'`,]|--)(?:{})(?P<ids>\[[^\]]*\]|)(?P<end>$|--|[\s*"'`,;.:)\]}}<\\])"#,
        forms.join("|")
    );
    Regex::new(&pattern).expect("the pattern is made of constants and a test runs every form")
});

/// The first form in `text` that speaks about `target` and about `rule`.
fn allowance(text: &[u8], side: Side, rule: &str, target: Target) -> Option<(&'static str, Option<String>)> {
    let mut from = 0;
    while let Some(captures) = PATTERN.captures_at(text, from) {
        let form = FORMS.iter().find(|form| captures.name(form.group).is_some())?;
        if form.target == target && names_rule(form, &captures, rule) {
            let end = captures.name("end").map_or(text.len(), |end| end.start());
            return Some((form.name, reason(&text[end..], side)));
        }
        // What ended this form may begin the next.
        from = captures.name("end").map_or(text.len(), |end| end.start());
    }
    None
}

/// Our own forms may name rules, and then speak of no other; the rules that other tools name are theirs.
fn names_rule(form: &Form, captures: &Captures<'_>, rule: &str) -> bool {
    let ids = captures.name("ids").map_or(&b""[..], |ids| ids.as_bytes());
    if !form.group.starts_with("keyfence") || ids.is_empty() {
        return true;
    }
    let inner = ids[1..ids.len() - 1].split(|&byte| byte == b',');
    inner.map(<[u8]>::trim_ascii).any(|id| id == rule.as_bytes())
}

/// What the person wrote after the form. Where the value follows in the same line, only a closed comment ends
/// before it.
fn reason(rest: &[u8], side: Side) -> Option<String> {
    let text = String::from_utf8_lossy(rest);
    let closed = ["*/", "-->", "\"", "`", "\\n"].iter().filter_map(|closer| text.find(closer)).min();
    let words = match (closed, side) {
        (Some(end), _) => &text[..end],
        (None, Side::Before) => return None,
        (None, Side::Above | Side::After) => &text,
    };
    let words = words.trim_matches(|edge: char| edge.is_whitespace() || "-:,;)]}'".contains(edge));
    if words.is_empty() {
        return None;
    }
    let kept: Vec<&str> =
        words.split_whitespace().map(|word| if looks_like_value(word) { "…" } else { word }).collect();
    Some(kept.join(" ").chars().take(LONGEST_REASON).collect())
}

/// Another value may stand in the comment; letters and digits of that length are not a word of a reason.
fn looks_like_value(word: &str) -> bool {
    let is_run = |character: char| character.is_ascii_alphanumeric() || "+=_-".contains(character);
    word.split(|character| !is_run(character)).any(|run| {
        run.len() >= 16
            && run.bytes().any(|byte| byte.is_ascii_digit())
            && run.bytes().any(|byte| byte.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Beside, Comments, SuppressOptions, Suppressor};
    use super::{FORMS, lines_of_own_forms};
    use crate::model::{
        Allowance, Confidence, Evidence, FilePath, Finding, Fingerprint, Focus, Place, Provenance, Role,
        Secret, Severity, Span, Verdict,
    };

    /// The text, with the value between `⟨` and `⟩` (removed before it is judged), and who allows it with what
    /// reason; `None` where it stays open. The rule is `acme-key`.
    type Case = (&'static str, Option<(&'static str, Option<&'static str>)>);

    const CASES: &[Case] = &[
        // Our own form.
        ("k = '⟨V⟩'  # keyfence:allow[acme-key] made up", Some(("keyfence:allow", Some("made up")))),
        ("k = '⟨V⟩'  # keyfence:allow[other, acme-key]: why", Some(("keyfence:allow", Some("why")))),
        ("k = '⟨V⟩'  # keyfence:allow don't care", Some(("keyfence:allow", Some("don't care")))),
        ("k = '⟨V⟩'  # keyfence:allow", Some(("keyfence:allow", None))),
        ("k = '⟨V⟩'  # keyfence:allow[other-key] x", None),
        ("k = '⟨V⟩'  # keyfence:allow[] x", None),
        ("k = '⟨V⟩'  # keyfence:allow[acme-key x", None),
        ("k = '⟨V⟩'  # keyfence:allow[acme] x", None),
        (
            "k = '⟨V⟩'  # keyfence:allow[other] keyfence:allow[acme-key] x",
            Some(("keyfence:allow", Some("x"))),
        ),
        ("k = '⟨V⟩'  # keyfence:allow[other] gitleaks:allow", Some(("gitleaks:allow", None))),
        // Comment syntaxes.
        ("k := \"⟨V⟩\" //keyfence:allow x", Some(("keyfence:allow", Some("x")))),
        ("<a>⟨V⟩</a> <!--keyfence:allow x --><b>", Some(("keyfence:allow", Some("x")))),
        ("/* keyfence:allow x */ k = \"⟨V⟩\"", Some(("keyfence:allow", Some("x")))),
        ("keyfence:allow k = ⟨V⟩", Some(("keyfence:allow", None))),
        ("{\"k\": \"⟨V⟩\", \"_allow\": \"keyfence:allow[acme-key] x\"}", Some(("keyfence:allow", Some("x")))),
        ("  \"k = '⟨V⟩'  # keyfence:allow\\n\",", Some(("keyfence:allow", None))),
        ("select '⟨V⟩' --keyfence:allow x", Some(("keyfence:allow", Some("x")))),
        // A word of its own, beside the value, in the same line.
        ("k = '⟨V⟩'  # xkeyfence:allow", None),
        ("k = '⟨V⟩'  # keyfence:allowed", None),
        ("k = '⟨V⟩'  # keyfence: allow", None),
        ("k = '⟨V⟩'  # keyfence:allow-all", None),
        ("k = '⟨V⟩'  # keyfence:allow-next-lines", None),
        ("<a>⟨V⟩</a><!--keyfence:allow-->", Some(("keyfence:allow", None))),
        ("k = '⟨V⟩'  # nosec", None),
        ("u = 'https://h/gitleaks:allow' + '⟨V⟩'", None),
        ("u = https://gitleaks:allow@host ⟨V⟩", None),
        ("k = '⟨V keyfence:allow⟩'", None),
        ("k = '⟨V⟩'\n# keyfence:allow", None),
        ("# keyfence:allow\nk = '⟨V⟩'", None),
        ("# keyfence:allow\rk = '⟨V⟩'", None),
        // Other tools.
        ("k = '⟨V⟩' # gitleaks:allow", Some(("gitleaks:allow", None))),
        ("k = '⟨V⟩' # betterleaks:allow", Some(("betterleaks:allow", None))),
        ("k = '⟨V⟩' # trufflehog:ignore", Some(("trufflehog:ignore", None))),
        ("k = '⟨V⟩' # kingfisher:ignore", Some(("kingfisher:ignore", None))),
        ("k = '⟨V⟩' # keyhog:allow", Some(("keyhog:allow", None))),
        ("k = '⟨V⟩' # keyhog:ignore", Some(("keyhog:ignore", None))),
        ("k = '⟨V⟩' # ggignore", Some(("ggignore", None))),
        ("k = '⟨V⟩' # ggshield:ignore", Some(("ggshield:ignore", None))),
        ("k = '⟨V⟩' # pragma: allowlist secret", Some(("pragma: allowlist secret", None))),
        ("k = '⟨V⟩' # pragma:whitelist secret", Some(("pragma: allowlist secret", None))),
        ("k = '⟨V⟩' // secretlint-disable-line", Some(("secretlint-disable-line", None))),
        ("k = '⟨V⟩' // secretlint-disable", None),
        // Forms that speak about the next line.
        (
            "# keyfence:allow-next-line[acme-key] made up\nK=⟨V⟩",
            Some(("keyfence:allow-next-line", Some("made up"))),
        ),
        (
            "; keyfence:allow-next-line[other, acme-key]: why\r\nK=⟨V⟩",
            Some(("keyfence:allow-next-line", Some("why"))),
        ),
        ("# keyfence:allow-next-line\nK=⟨V⟩", Some(("keyfence:allow-next-line", None))),
        ("<!-- keyfence:allow-next-line x -->\n<k>⟨V⟩", Some(("keyfence:allow-next-line", Some("x")))),
        ("A=b # keyfence:allow-next-line x\rK=⟨V⟩", Some(("keyfence:allow-next-line", Some("x")))),
        (
            "key: | # keyfence:allow-next-line x\n  ⟨-----BEGIN\nV\n-----END⟩",
            Some(("keyfence:allow-next-line", Some("x"))),
        ),
        ("# keyfence:allow-next-line[other-key] x\nK=⟨V⟩", None),
        ("# keyfence:allow-next-line[] x\nK=⟨V⟩", None),
        ("# keyfence:allow-next-line[acme-key x\nK=⟨V⟩", None),
        ("# keyfence:allow-next-lines\nK=⟨V⟩", None),
        ("# xkeyfence:allow-next-line\nK=⟨V⟩", None),
        ("# keyfence:allow-next-line x\n\nK=⟨V⟩", None),
        ("# keyfence:allow-next-line x\n# more\nK=⟨V⟩", None),
        ("K=⟨V⟩ # keyfence:allow-next-line x", None),
        ("K=⟨V⟩\n# keyfence:allow-next-line x", None),
        ("⟨-----BEGIN keyfence:allow-next-line\nV\n-----END⟩", None),
        ("# pragma: allowlist nextline secret\nk = '⟨V⟩'", Some(("pragma: allowlist nextline secret", None))),
        (
            "# pragma: allowlist nextline secret\r\nk = '⟨V⟩'",
            Some(("pragma: allowlist nextline secret", None)),
        ),
        ("// secretlint-disable-next-line\nk = '⟨V⟩'", Some(("secretlint-disable-next-line", None))),
        ("k = '⟨V⟩' # pragma: allowlist nextline secret", None),
        ("# pragma: allowlist nextline secret\n\nk = '⟨V⟩'", None),
        ("# pragma: allowlist secret\nk = '⟨V⟩'", None),
        // Values of several lines: first line, last line, line above the first.
        ("# keyfence:allow\n⟨-----BEGIN\nV\n-----END⟩\n", None),
        ("/* keyfence:allow x */ k = `⟨-----BEGIN\nV\n-----END⟩`", Some(("keyfence:allow", Some("x")))),
        ("k = `⟨-----BEGIN\nV\n-----END⟩` // keyfence:allow x", Some(("keyfence:allow", Some("x")))),
        ("⟨-----BEGIN\nV gitleaks:allow\n-----END⟩", None),
        (
            "# pragma: allowlist nextline secret\n⟨-----BEGIN\nV\n-----END⟩",
            Some(("pragma: allowlist nextline secret", None)),
        ),
        // A reason holds no value that stands near.
        (
            "{\"a\": \"⟨V⟩\", \"_\": \"keyfence:allow\", \"b\": \"second1second2second3\"}",
            Some(("keyfence:allow", None)),
        ),
        (
            "a = ⟨V⟩ # keyfence:allow like b=second1second2second3 was",
            Some(("keyfence:allow", Some("like … was"))),
        ),
        (
            "a = ⟨V⟩ # keyfence:allow https://example.com/issues/12",
            Some(("keyfence:allow", Some("https://example.com/issues/12"))),
        ),
    ];

    fn finding(start: usize, end: usize) -> Finding {
        Finding {
            rule: "acme-key".into(),
            provider: "acme".into(),
            alternatives: Vec::new(),
            part: "key".into(),
            role: Role::Token,
            severity: Severity::High,
            confidence: Confidence::Likely,
            verdict: Verdict::Open,
            provenance: Arc::new(Provenance::file(FilePath::from("a"))),
            span: Span::new(start, end),
            place: Place { line: 1, column: 1, end_line: 1, end_column: 2 },
            secret: Secret::new(b"V"),
            masked: String::new(),
            evidence: Evidence::default(),
            fingerprint: Fingerprint(String::new()),
            credential: 0,
        }
    }

    fn judge(suppressor: &Suppressor, finding: &Finding, bytes: &[u8], offset: u64) -> Verdict {
        suppressor.judge(finding, &Beside { bytes, offset, focus: &Focus::Whole })
    }

    fn marked(text: &str) -> (Vec<u8>, usize, usize) {
        let (before, rest) = text.split_once('⟨').expect("the value begins");
        let (value, after) = rest.split_once('⟩').expect("the value ends");
        let start = before.len();
        ([before, value, after].concat().into_bytes(), start, start + value.len())
    }

    #[test]
    fn comments_allow_their_line_and_nothing_else() {
        let suppressor = Suppressor::default();
        for (text, expected) in CASES {
            let (bytes, start, end) = marked(text);
            let expected = match expected {
                None => Verdict::Open,
                Some((by, reason)) => Verdict::Allowed {
                    kind: Allowance::Comment,
                    by: (*by).into(),
                    reason: reason.map(str::to_owned),
                },
            };
            assert_eq!(judge(&suppressor, &finding(start, end), &bytes, 0), expected, "{text}");
            let in_a_piece = finding(start + 1000, end + 1000);
            assert_eq!(judge(&suppressor, &in_a_piece, &bytes, 1000), expected, "{text} in a piece");
        }
    }

    #[test]
    fn every_form_has_a_case() {
        for form in &FORMS {
            let has = |case: &Case| case.1.is_some_and(|(by, _)| by == form.name);
            assert!(CASES.iter().any(has), "{}", form.name);
        }
    }

    #[test]
    fn verdicts_that_are_made_stay() {
        let (bytes, start, end) = marked("k = ⟨V⟩ # keyfence:allow");
        for verdict in [Verdict::Known, Verdict::Test] {
            let made = Finding { verdict: verdict.clone(), ..finding(start, end) };
            assert_eq!(judge(&Suppressor::default(), &made, &bytes, 0), verdict);
        }
        let deaf =
            Suppressor::new(SuppressOptions { comments: Comments::Ignored, ..SuppressOptions::default() });
        assert_eq!(judge(&deaf, &finding(start, end), &bytes, 0), Verdict::Open);
    }

    #[test]
    fn far_comments_and_wrong_spans_allow_nothing() {
        let suppressor = Suppressor::default();
        let far = format!("k = V{} keyfence:allow", ",".repeat(5000));
        assert_eq!(judge(&suppressor, &finding(4, 5), far.as_bytes(), 0), Verdict::Open);
        for (start, end, offset) in [(4, 500, 0), (500, 501, 0), (4, 5, 10)] {
            assert_eq!(
                judge(&suppressor, &finding(start, end), b"k = V # keyfence:allow", offset),
                Verdict::Open
            );
        }
    }

    #[test]
    fn comments_that_come_with_what_is_checked_can_be_refused() {
        let gate = Suppressor::new(SuppressOptions { comments: Comments::Old, ..SuppressOptions::default() });
        let (bytes, start, end) = marked("# keyfence:allow-next-line x\nk = '⟨V⟩' # gitleaks:allow");
        let mut asked = finding(start, end);
        asked.place = Place { line: 2, column: 6, end_line: 2, end_column: 7 };
        for (added, by) in [
            (vec![(1, 2)], None),
            (vec![(1, 1)], Some("gitleaks:allow")),
            (vec![(2, 2)], Some("keyfence:allow-next-line")),
            (vec![(9, 9)], Some("gitleaks:allow")),
        ] {
            let focus = Focus::Lines(added.clone());
            let verdict = gate.judge(&asked, &Beside { bytes: &bytes, offset: 0, focus: &focus });
            let actual = match &verdict {
                Verdict::Allowed { by, .. } => Some(by.as_str()),
                _ => None,
            };
            assert_eq!(actual, by, "{added:?}");
        }
        let lines: Vec<_> = gate.notices().iter().map(|notice| (notice.kind.as_str(), notice.line)).collect();
        assert_eq!(lines, [("comment-refused", Some(1)), ("comment-refused", Some(2))]);
    }

    #[test]
    fn a_reason_can_be_asked_for() {
        let strict = Suppressor::new(SuppressOptions { require_reason: true, ..SuppressOptions::default() });
        for (text, is_open) in [("k = ⟨V⟩ # keyfence:allow", true), ("k = ⟨V⟩ # keyfence:allow why", false)]
        {
            let (bytes, start, end) = marked(text);
            assert_eq!(judge(&strict, &finding(start, end), &bytes, 0).is_open(), is_open, "{text}");
        }
        assert_eq!(strict.notices().len(), 1);
    }

    #[test]
    fn own_forms_are_counted_by_line() {
        for (text, expected) in [
            ("", &[][..]),
            ("# keyfence:allow", &[1]),
            ("\n\n# keyfence:allow x\n# keyfence:allow-next-line\n", &[3, 4]),
            ("// keyfence:allow[a] keyfence:allow[b]", &[1]),
            ("xkeyfence:allow keyfence:allowed", &[]),
            ("\r\nkeyfence:allow\r\n", &[2]),
        ] {
            assert_eq!(lines_of_own_forms(text.as_bytes()), expected, "{text:?}");
        }
    }
}
