//! Reports made by hand, with invented values that are computed and stand nowhere.
//!
//! Invariant: every sample is what the waist could make: sorted, each finding in one credential, guides for all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keyfence::model::{
    Allowance, Confidence, Coverage, CredentialSet, CredentialState, Evidence, FilePath, Finding,
    Fingerprint, Guide, Place, Problem, ProblemKind, Provenance, Report, Role, ScanMode, Secret, Severity,
    SkipReason, Span, Verdict,
};
use sha2::{Digest, Sha256};

/// Provider, part, role, severity and the public prefix of each rule used here.
const RULES: [(&str, &str, &str, Role, Severity, &str); 9] = [
    ("binance-api-key", "binance", "api key", Role::Identifier, Severity::Low, ""),
    ("binance-api-secret", "binance", "secret", Role::Secret, Severity::High, ""),
    ("okx-api-key", "okx", "api key", Role::Identifier, Severity::Low, ""),
    ("okx-secret-key", "okx", "secret key", Role::Secret, Severity::High, ""),
    ("okx-passphrase", "okx", "passphrase", Role::Passphrase, Severity::Medium, ""),
    ("bybit-api-secret", "bybit", "secret", Role::Secret, Severity::High, ""),
    ("github-token", "github", "token", Role::Token, Severity::High, "ghp_"),
    ("private-key-pem", "private-key", "private key", Role::PrivateKey, Severity::Critical, ""),
    ("generic-secret", "generic", "secret", Role::Token, Severity::Medium, ""),
];

/// Title, power and revoke page of each provider.
const GUIDES: [(&str, &str, &str, Option<&str>); 6] = [
    (
        "binance",
        "Binance",
        "trade on the Binance account, and withdraw if the key has that right and its address list allows it",
        Some("https://www.binance.com/en/my/settings/api-management"),
    ),
    ("okx", "OKX", "trade on the OKX account", Some("https://www.okx.com/account/my-api")),
    ("bybit", "Bybit", "trade on the Bybit account", Some("https://www.bybit.com/app/user/api-management")),
    (
        "github",
        "GitHub",
        "read and change the repositories it reaches",
        Some("https://github.com/settings/tokens"),
    ),
    ("private-key", "Private key", "prove to be its owner wherever its public half is trusted", None),
    ("generic", "Secret of an unknown service", "use the service it belongs to in your name", None),
];

/// Letters and digits that look random, the same for the same seed.
pub fn invented(seed: &str, length: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let blocks = (0u8..).flat_map(|block| Sha256::digest([seed.as_bytes(), &[block]].concat()).to_vec());
    blocks.map(|byte| ALPHABET[usize::from(byte) % ALPHABET.len()]).take(length).collect()
}

/// An open finding of `rule` in its usual form.
pub fn finding(rule: &str, path: &str, line: u32) -> Finding {
    let &(_, provider, part, role, severity, prefix) =
        RULES.iter().find(|known| known.0 == rule).expect("the samples use rules of the table");
    let value = [prefix.as_bytes(), &invented(rule, 40)].concat();
    let name = format!("{provider}_{part}").replace([' ', '-'], "_").to_uppercase();
    Finding {
        rule: rule.into(),
        provider: provider.into(),
        alternatives: Vec::new(),
        part: part.into(),
        role,
        severity,
        confidence: Confidence::Likely,
        verdict: Verdict::Open,
        provenance: Arc::new(Provenance::file(FilePath::from(path))),
        span: Span::new(12, 12 + value.len()),
        place: Place { line, column: 13, end_line: line, end_column: 13 + value.len() as u32 },
        masked: format!("{prefix}… ({} characters)", value.len()),
        fingerprint: fingerprint(rule, &value),
        secret: Secret::new(&value),
        evidence: Evidence {
            name: Some(name),
            context: vec![format!("`{provider}` in its name")],
            checks: Vec::new(),
            randomness: Some(0.25),
        },
        credential: 0,
    }
}

fn fingerprint(rule: &str, value: &[u8]) -> Fingerprint {
    Fingerprint(hex(&Sha256::digest([rule.as_bytes(), value].concat()))[..32].to_owned())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Credentials of one part each, all different, in a few directories.
pub fn many(number: u32) -> Vec<Vec<Finding>> {
    const RULES: [&str; 4] = ["private-key-pem", "github-token", "github-token", "bybit-api-secret"];
    const DIRECTORIES: [&str; 5] = ["services/pay", "services/pay/old", "deploy", "bot", "."];
    let one = |index: u32| {
        let path = format!("{}/file{index}.env", DIRECTORIES[index as usize % DIRECTORIES.len()]);
        let mut finding = finding(RULES[index as usize * RULES.len() / number as usize], &path, index + 1);
        finding.fingerprint = fingerprint(&finding.rule, &index.to_be_bytes());
        vec![finding]
    };
    (0..number).map(one).collect()
}

/// The same finding with a verdict.
pub fn judged(finding: Finding, verdict: Verdict) -> Finding {
    Finding { verdict, ..finding }
}

pub fn allowed(by: &str, reason: Option<&str>) -> Verdict {
    Verdict::Allowed { kind: Allowance::Comment, by: by.into(), reason: reason.map(Into::into) }
}

/// The report of these credentials, given worst first.
pub fn report(credentials: Vec<Vec<Finding>>) -> Report {
    let mut all: Vec<(usize, Finding)> = Vec::new();
    for (number, parts) in credentials.into_iter().enumerate() {
        all.extend(parts.into_iter().map(|part| (number, part)));
    }
    all.sort_by(|(_, one), (_, other)| {
        let key = |finding: &Finding| (finding.provenance.path.clone(), finding.place.line);
        key(one).cmp(&key(other))
    });
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, (number, _)) in all.iter().enumerate() {
        members.entry(*number).or_default().push(index);
    }
    let findings: Vec<Finding> =
        all.into_iter().map(|(credential, finding)| Finding { credential, ..finding }).collect();
    let sets = members.into_values().map(|members| credential_of(&findings, members)).collect();
    Report {
        credentials: sets,
        coverage: coverage(ScanMode::Tree, 1204, 12_340_000),
        guides: guides(),
        threshold: Some(Confidence::Likely),
        elapsed: Duration::from_millis(20),
        findings,
        ..Report::default()
    }
}

fn credential_of(findings: &[Finding], members: Vec<usize>) -> CredentialSet {
    let parts: Vec<&Finding> = members.iter().map(|&index| &findings[index]).collect();
    let alone =
        |role| matches!(role, Role::Token | Role::PrivateKey | Role::Mnemonic | Role::ConnectionString);
    let needed = if parts[0].provider == "okx" { 3 } else { 2 };
    let complete = parts.len() >= needed || alone(parts[0].role);
    let worst = parts.iter().map(|part| part.severity).max().expect("a credential has parts");
    let place = parts.iter().map(|part| format!("{:?}{:?}", part.provenance.path, part.fingerprint));
    CredentialSet {
        id: hex(&Sha256::digest(place.collect::<String>()))[..16].to_owned(),
        provider: parts[0].provider.clone(),
        state: if complete { CredentialState::Complete } else { CredentialState::Half },
        severity: if complete && parts.len() > 1 { Severity::Critical } else { worst },
        findings: members,
        exposure: None,
    }
}

fn guides() -> BTreeMap<String, Guide> {
    let guide = |&(provider, title, power, revoke): &(&str, &str, &str, Option<&str>)| {
        let steps = vec![
            "Delete the key where it was made; type the address, never follow a search result.".to_owned(),
            "Make a new key with the fewest rights that the program needs.".to_owned(),
        ];
        let guide = Guide { title: title.into(), power: power.into(), revoke: revoke.map(Into::into), steps };
        (provider.to_owned(), guide)
    };
    GUIDES.iter().map(guide).collect()
}

pub fn coverage(mode: ScanMode, files: u64, bytes: u64) -> Coverage {
    Coverage { mode, files, bytes, ..Coverage::default() }
}

/// The same report as a hook would have it.
pub fn staged(mut report: Report) -> Report {
    report.coverage = coverage(ScanMode::Staged, 3, 2_150);
    for finding in &mut report.findings {
        let blob = hex(&Sha256::digest(finding.provenance.path.as_bytes()))[..40].to_owned();
        finding.provenance = Arc::new(Provenance::blob(finding.provenance.path.clone(), blob));
    }
    report
}

pub fn binance_pair(path: &str, line: u32) -> Vec<Finding> {
    vec![finding("binance-api-key", path, line), finding("binance-api-secret", path, line + 1)]
}

pub fn okx_set(paths: [&str; 3]) -> Vec<Finding> {
    ["okx-api-key", "okx-secret-key", "okx-passphrase"]
        .into_iter()
        .zip(paths)
        .map(|(rule, path)| finding(rule, path, 7))
        .collect()
}

/// A private key over nine lines.
pub fn pem(path: &str) -> Finding {
    let (begin, end) =
        (["-----BEGIN EC PRI", "VATE KEY-----"].concat(), ["-----END EC PRI", "VATE KEY-----"].concat());
    let body = invented("pem", 7 * 64);
    let lines: Vec<&[u8]> =
        [begin.as_bytes()].into_iter().chain(body.chunks(64)).chain([end.as_bytes()]).collect();
    let value = lines.join(&b'\n');
    let mut finding = finding("private-key-pem", path, 3);
    finding.place = Place { line: 3, column: 1, end_line: 11, end_column: 29 };
    finding.span = Span::new(40, 40 + value.len());
    finding.secret = Secret::new(&value);
    finding.masked = format!("{begin}…");
    finding.confidence = Confidence::Certain;
    finding.evidence = Evidence { checks: vec!["private-key".into()], ..Evidence::default() };
    finding
}

pub fn alternatives() -> Finding {
    let mut finding = finding("bybit-api-secret", "bots/grid.yaml", 12);
    finding.alternatives = vec!["mexc".into(), "bitget".into()];
    finding.evidence.name = Some("apiSecret".into());
    finding.evidence.context = vec!["`bybit` 4 lines above".into()];
    finding
}

/// Everything that is found and does not count.
pub fn not_counted() -> Vec<Vec<Finding>> {
    let key = |path: &str, verdict| judged(finding("binance-api-key", path, 4), verdict);
    vec![
        vec![key("tests/a.py", allowed("keyfence:allow", Some("made up for tests")))],
        vec![judged(finding("github-token", "tests/b.py", 9), allowed("gitleaks:allow", None))],
        vec![key("docs/signing.md", Verdict::Known)],
        vec![judged(finding("generic-secret", "testnet/bot.py", 2), Verdict::Test)],
    ]
}

pub fn problems() -> Vec<Problem> {
    vec![
        Problem::at(ProblemKind::Unreadable, FilePath::from("data/locked.csv"), "permission denied")
            .with_hint("read it as its owner, or leave it out with an ignore file"),
        Problem::at(
            ProblemKind::NotFound,
            FilePath::from("src/missing"),
            "there is no such file or directory",
        ),
        Problem::at(ProblemKind::BadObject, FilePath::from("bot.py"), "the object is damaged")
            .with_object("4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
    ]
}

pub fn skips() -> BTreeMap<SkipReason, u64> {
    [
        (SkipReason::Ignored, 1812),
        (SkipReason::LeftOut, 4),
        (SkipReason::TooLarge, 1),
        (SkipReason::Symlink, 2),
        (SkipReason::GitDirectory, 1),
    ]
    .into()
}

/// A report whose every text from a file tries to act; each of its words begins with `§`.
pub fn hostile() -> Report {
    let word = "§\u{1b}[2J §\r\n::error::x §##[group]y §\u{9b}31m §\u{202e}gpj §\0\u{7f}\u{2066}";
    let mut path = word.as_bytes().to_vec();
    path.extend(b" \xc2\xa7\xff\xfe/.env");
    let mut one = finding("github-token", "x", 1);
    one.provenance = Arc::new(Provenance::file(FilePath::from_bytes(path.clone())));
    one.evidence = Evidence {
        name: Some(word.repeat(3)),
        context: vec![word.into()],
        checks: Vec::new(),
        randomness: Some(f32::NAN),
    };
    let mut copy = one.clone();
    copy.place.line = 2;
    let other = judged(finding("binance-api-key", "y", 9), allowed("keyfence:allow", Some(word)));
    let mut report = report(vec![vec![one], vec![copy], vec![other]]);
    report.problems = vec![
        Problem::at(ProblemKind::Unreadable, FilePath::from_bytes(path), word)
            .with_hint("look at it yourself"),
    ];
    report
}
