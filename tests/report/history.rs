//! Samples of what history tells, sound and hostile.
//!
//! Invariant: as in `samples`; names are invented, object ids are computed.

use std::sync::Arc;

use keyfence::model::{
    Commit, ContentKind, CredentialSet, Exposure, FilePath, Finding, Notice, NoticeKind, Occurrence, Problem,
    ProblemKind, Provenance, Reach, Report, ScanMode,
};
use sha2::{Digest, Sha256};

use super::samples::{allowed, binance_pair, coverage, finding, hex, judged, okx_set, report};

const DAY: i64 = 86_400;

/// 2026-03-02, 09:30 UTC.
pub const BEGIN: i64 = 1_772_443_800;

/// When the samples' reports were made.
pub const MADE_AT: i64 = BEGIN + 90 * DAY;

pub fn commit(seed: &str, author: &str, days: i64) -> Commit {
    let id = hex(&Sha256::digest(seed))[..40].to_owned();
    Commit { id, author: author.to_owned(), time: BEGIN + days * DAY, offset: 120, is_root: false }
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn occurrence(path: &str, kind: ContentKind, seed: &str, versions: u64) -> Occurrence {
    let id = |kind: &str| Some(hex(&Sha256::digest(format!("{kind}{seed}")))[..40].to_owned());
    Occurrence { kind, path: FilePath::from(path), line: 4, blob: id("blob"), commit: id(""), versions }
}

/// Pushed and still there.
pub fn pushed(path: &str) -> Exposure {
    Exposure {
        reach: Reach::Pushed,
        first_seen: Some(commit("a", "Ada Lovelace <ada@example.org>", 0)),
        last_seen: Some(commit("d", "Ben <ben@example.org>", 80)),
        removed_by: None,
        commits: 1_204,
        references: texts(&[
            "refs/heads/dev",
            "refs/heads/main",
            "refs/heads/next",
            "refs/heads/old",
            "v1.0",
        ]),
        tips: texts(&["refs/heads/main", "refs/heads/next"]),
        remotes: texts(&["refs/remotes/origin/main"]),
        occurrences: vec![
            occurrence(path, ContentKind::File, "a", 7),
            occurrence("config/old.env", ContentKind::File, "b", 1),
        ],
    }
}

/// Pushed and removed, which changes nothing.
pub fn removed(path: &str) -> Exposure {
    Exposure {
        removed_by: Some(commit("e", "Cy <cy@example.org>", 31)),
        last_seen: Some(commit("d", "Ben <ben@example.org>", 30)),
        tips: Vec::new(),
        commits: 4,
        occurrences: vec![occurrence(path, ContentKind::File, "c", 1)],
        ..pushed(path)
    }
}

/// In the latest commit of a local branch only.
pub fn local(path: &str) -> Exposure {
    Exposure {
        reach: Reach::Local,
        first_seen: Some(commit("f", "Ada Lovelace <ada@example.org>", 89)),
        last_seen: Some(commit("f", "Ada Lovelace <ada@example.org>", 89)),
        removed_by: None,
        commits: 1,
        references: texts(&["refs/heads/feature"]),
        tips: texts(&["refs/heads/feature"]),
        remotes: Vec::new(),
        occurrences: vec![occurrence(path, ContentKind::File, "f", 1)],
    }
}

/// In the message of a commit that nothing leads to.
pub fn unreachable() -> Exposure {
    Exposure {
        reach: Reach::Unreachable,
        references: Vec::new(),
        tips: Vec::new(),
        occurrences: vec![occurrence("message of a commit", ContentKind::CommitMessage, "g", 1)],
        ..local("")
    }
}

/// One credential of each kind of exposure.
pub fn exposed() -> Report {
    let mut message = finding("github-token", "message of a commit", 4);
    message.provenance = Arc::new(Provenance {
        kind: ContentKind::CommitMessage,
        commit: Some(commit("f", "", 0).id),
        ..Provenance::clone(&message.provenance)
    });
    let credentials = vec![
        binance_pair("src/bot.py", 4),
        okx_set(["config/keys.json", "config/keys.json", ".env"]),
        vec![finding("bybit-api-secret", "grid.yaml", 4)],
        vec![message],
        vec![judged(finding("generic-secret", "tests/a.py", 3), allowed("keyfence:allow", Some("made up")))],
    ];
    let exposures = [pushed("src/bot.py"), removed("config/keys.json"), local("grid.yaml"), unreachable()];
    with_history(report(credentials), exposures)
}

fn with_history(mut report: Report, exposures: impl IntoIterator<Item = Exposure>) -> Report {
    report.coverage = coverage(ScanMode::History, 48_211, 912_340_000);
    report.made_at = Some(MADE_AT);
    for (set, exposure) in report.credentials.iter_mut().zip(exposures) {
        *set = CredentialSet { exposure: Some(exposure), ..set.clone() };
    }
    report
}

/// What people put into names to make readers act. Each begins with `§`, so that a test can follow it.
pub const HOSTILE: [&str; 14] = [
    "§=HYPERLINK(\"//x\")",
    "§</code></title></style></script><script>alert(1)</script>",
    "§<img src=x onerror=alert(1)>",
    "§\" onclick=\"alert(1)",
    "§' autofocus onfocus='alert(1)",
    "§`` ` ```[x](javascript:alert(1)) @everyone #1 https://example.org",
    "§| a | b |",
    "§]]>&#x3c;!--",
    "§\r\n::error file=x::stolen",
    "§%0A::error::stolen",
    "§##[error]x ##vso[task.setvariable]y",
    "§\u{1b}[2J\u{1b}]8;;http://x\u{7}\u{9b}31m",
    "§\u{202e}gpj\u{2066}\u{200b}\u{0}",
    "§\u{fffe}\u{ffff}\\\"\\u0000{{7*7}}${{ secrets.X }}",
];

/// Every text from a file or a commit is hostile and holds the finding's own value.
pub fn hostile() -> Report {
    let mut credentials = Vec::new();
    let mut exposures = Vec::new();
    for (index, word) in HOSTILE.iter().enumerate() {
        let rule = ["github-token", "binance-api-secret", "generic-secret"][index % 3];
        let (finding, exposure) = hostile_finding(rule, word, index as u32 + 1);
        credentials.push(vec![finding]);
        exposures.push(exposure);
    }
    let formula = format!("={}", HOSTILE[0]);
    let (mut leading, exposure) = hostile_finding("github-token", &formula, 90);
    leading.provenance = Arc::new(Provenance::file(FilePath::from(formula.as_str())));
    credentials.push(vec![leading]);
    exposures.push(exposure);
    let all = HOSTILE.concat();
    let reason = format!("{all}{}", value(&finding("github-token", "x", 1)));
    credentials.push(vec![judged(finding("binance-api-key", "y", 9), allowed(&all, Some(&reason)))]);
    let mut report = with_history(report(credentials), exposures);
    let path = FilePath::from(reason.as_str());
    report.problems = vec![Problem::at(ProblemKind::Unreadable, path.clone(), &reason).with_hint(&reason)];
    report.notices =
        vec![Notice { kind: NoticeKind::UnusedAllow, path: Some(path), line: Some(1), message: reason }];
    report
}

fn value(finding: &Finding) -> String {
    String::from_utf8_lossy(finding.secret.expose()).into_owned()
}

fn hostile_finding(rule: &str, word: &str, line: u32) -> (Finding, Exposure) {
    let mut finding = finding(rule, "x", line);
    let text = format!("{word}/{}/{word}", value(&finding));
    finding.provenance = Arc::new(Provenance::file(FilePath::from(text.as_str())));
    // Each is a credential of its own, although some share a value.
    finding.fingerprint.0 = hex(&Sha256::digest(word))[..32].to_owned();
    finding.evidence.name = Some(text.clone());
    finding.evidence.context = vec![text.clone()];
    finding.alternatives = vec![word.to_owned()];
    let who = commit(word, &text, 1);
    let exposure = Exposure {
        reach: Reach::Pushed,
        first_seen: Some(who.clone()),
        last_seen: Some(who.clone()),
        removed_by: Some(who),
        commits: 2,
        references: vec![text.clone()],
        tips: Vec::new(),
        remotes: vec![text.clone()],
        occurrences: vec![occurrence(&text, ContentKind::File, word, 2)],
    };
    (finding, exposure)
}
