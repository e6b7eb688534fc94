//! Reports as people and programs get them: golden files, the promise of the schema, and that no value gets out.
//!
//! `KEYFENCE_BLESS=1 cargo test --test report` writes the golden files anew; read the difference as a new user would.
#![cfg(feature = "cli")]

#[path = "report/samples.rs"]
mod samples;
#[path = "report/schema.rs"]
mod schema;

use std::fs;
use std::path::{Path, PathBuf};

use keyfence::model::{Confidence, Outcome, Report, ScanMode, Verdict};
use keyfence::report::{HookStage, HumanStyle, JsonOptions, Occasion, escape, write_human, write_json};
use samples::{binance_pair, coverage, finding, judged, not_counted, okx_set, pem, problems, report, staged};
use serde_json::{Value, json};

const PLAIN: HumanStyle = HumanStyle {
    width: 100,
    color: false,
    show_secrets: false,
    show_known: false,
    brief: false,
    occasion: Occasion::Scan,
};

/// A report and how it is written down.
struct Scene {
    name: &'static str,
    report: Report,
    style: HumanStyle,
}

fn scan(name: &'static str, report: Report) -> Scene {
    Scene { name, report, style: PLAIN }
}

fn styled(name: &'static str, report: Report, style: HumanStyle) -> Scene {
    Scene { name, report, style }
}

fn hook(name: &'static str, stage: HookStage, report: Report) -> Scene {
    let way_past = "git commit --no-verify".to_owned();
    Scene { name, report, style: HumanStyle { occasion: Occasion::Hook { stage, way_past }, ..PLAIN } }
}

fn scenes() -> Vec<Scene> {
    [clean_scenes(), leak_scenes(), incomplete_scenes(), hook_scenes(), style_scenes()]
        .into_iter()
        .flatten()
        .collect()
}

fn clean_scenes() -> Vec<Scene> {
    let with_coverage = |mode, files, bytes, binary| {
        let mut report = report(Vec::new());
        report.coverage = coverage(mode, files, bytes);
        report.coverage.binary = binary;
        report
    };
    let mut skips = report(Vec::new());
    skips.coverage.skipped = samples::skips();
    skips.coverage.binary = 17;
    skips.below_threshold = 3;
    vec![
        scan("clean", report(Vec::new())),
        scan("clean-skips", skips),
        scan("clean-one-binary", with_coverage(ScanMode::Stdin, 1, 900, 1)),
        scan("clean-all-binary", with_coverage(ScanMode::Staged, 2, 900, 2)),
        scan("clean-nothing", with_coverage(ScanMode::Staged, 0, 0, 0)),
        scan("clean-not-counted", report(not_counted())),
    ]
}

fn leak_scenes() -> Vec<Scene> {
    let several = [binance_pair("a/.env", 1), binance_pair("b/.env", 1), binance_pair("c/d.py", 8)];
    let more = [binance_pair("e.py", 1), binance_pair("f.py", 1)];
    let mixed = [vec![binance_pair("src/bot.py", 12)], not_counted()].concat();
    vec![
        scan("leak-complete", report(vec![binance_pair("src/bot.py", 12)])),
        scan("leak-half-secret", report(vec![vec![finding("binance-api-secret", "src/bot.py", 12)]])),
        scan("leak-half-identifier", report(vec![vec![finding("binance-api-key", "src/bot.py", 12)]])),
        scan("leak-files", report(vec![okx_set(["config/keys.json", "src/secrets.ts", ".env"])])),
        scan("leak-alternatives", report(vec![vec![samples::alternatives()]])),
        scan("leak-pem", report(vec![vec![pem("deploy/values.yaml")]])),
        scan("leak-not-yet-many", report(samples::many(20))),
        scan("leak-many", report(samples::many(25))),
        styled("leak-many-brief", report(samples::many(25)), HumanStyle { brief: true, ..PLAIN }),
        scan("leak-duplicates", report([several.as_slice(), &more].concat())),
        scan("leak-mixed-verdicts", report(mixed)),
    ]
}

fn incomplete_scenes() -> Vec<Scene> {
    let mut only = report(Vec::new());
    only.problems = problems();
    let mut with_allowed = report(not_counted());
    with_allowed.problems = problems()[..1].to_vec();
    let mut both = report(vec![binance_pair("src/bot.py", 12)]);
    both.problems = problems();
    vec![
        scan("incomplete", only.clone()),
        scan("incomplete-not-counted", with_allowed),
        hook("incomplete-hook", HookStage::PreCommit, staged(only)),
        scan("incomplete-and-leak", both),
    ]
}

fn hook_scenes() -> Vec<Scene> {
    let bot = || staged(report(vec![binance_pair("src/bot.py", 12)]));
    let odd = [vec![finding("github-token", "*.env", 1)], vec![finding("bybit-api-secret", "!x y.env", 2)]];
    let many = [
        binance_pair("src/bot.py", 12),
        okx_set(["config/keys.json", "config/keys.json", "config/keys.json"]),
        vec![pem("deploy/key.pem")],
        vec![finding("github-token", "ci/.env", 4)],
    ];
    let mut message = report(vec![vec![finding("github-token", "COMMIT_EDITMSG", 3)]]);
    message.coverage = coverage(ScanMode::Message, 1, 180);
    vec![
        hook("hook-pre-commit", HookStage::PreCommit, bot()),
        hook("hook-first-commit", HookStage::FirstCommit, staged(report(vec![binance_pair(".env", 1)]))),
        hook("hook-merge", HookStage::PreMergeCommit, bot()),
        hook("hook-message", HookStage::CommitMessage, message),
        hook("hook-many", HookStage::PreCommit, staged(report(many.to_vec()))),
        hook("hook-odd-names", HookStage::PreCommit, staged(report(odd.to_vec()))),
    ]
}

fn style_scenes() -> Vec<Scene> {
    let pair = || report(vec![binance_pair("src/bot.py", 12)]);
    let known = [vec![binance_pair("src/bot.py", 12)], not_counted()].concat();
    vec![
        styled("style-narrow", pair(), HumanStyle { width: 60, ..PLAIN }),
        styled("style-wide", pair(), HumanStyle { width: 120, ..PLAIN }),
        styled("style-color", pair(), HumanStyle { color: true, ..PLAIN }),
        styled("style-show-known", report(known), HumanStyle { show_known: true, ..PLAIN }),
        styled("hostile", samples::hostile(), PLAIN),
        hook("hostile-hook", HookStage::PreCommit, staged(samples::hostile())),
    ]
}

fn human(report: &Report, style: &HumanStyle) -> String {
    let mut bytes = Vec::new();
    write_human(report, style, &mut bytes).expect("writing to memory cannot fail");
    String::from_utf8(bytes).expect("a report for people is UTF-8")
}

fn machine(report: &Report, show_secrets: bool) -> String {
    let mut bytes = Vec::new();
    write_json(report, &JsonOptions { show_secrets }, &mut bytes).expect("writing to memory cannot fail");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

fn golden(name: &str, extension: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report").join(format!("{name}.{extension}"))
}

/// Compares with the golden file, or writes it.
fn compare(path: &Path, actual: &str, failures: &mut Vec<String>) {
    if std::env::var_os("KEYFENCE_BLESS").is_some() {
        fs::write(path, actual).expect("the golden file can be written");
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected != actual {
        failures.push(format!("{}\n--- expected\n{expected}\n--- actual\n{actual}", path.display()));
    }
}

#[test]
fn golden_files() {
    const IN_JSON: [&str; 6] =
        ["clean-skips", "leak-complete", "leak-mixed-verdicts", "incomplete", "hook-pre-commit", "hostile"];
    let mut failures = Vec::new();
    for scene in scenes() {
        let text = human(&scene.report, &scene.style).replace('\u{1b}', "␛");
        compare(&golden(scene.name, "txt"), &text, &mut failures);
        if IN_JSON.contains(&scene.name) {
            compare(&golden(scene.name, "json"), &machine(&scene.report, false), &mut failures);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_golden_file_has_a_scene() {
    let names: Vec<&str> = scenes().iter().map(|scene| scene.name).collect();
    for entry in fs::read_dir(golden("", "").with_file_name("")).expect("the golden files are there") {
        let path = entry.expect("the directory can be read").path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let is_golden = path.extension().is_some_and(|extension| extension != "rs");
        assert!(!is_golden || names.contains(&name), "{name} belongs to no scene");
    }
}

#[test]
fn json_keeps_the_promise_of_the_schema() {
    let schema = schema_file();
    for scene in scenes() {
        for show_secrets in [false, true] {
            let value: Value =
                serde_json::from_str(&machine(&scene.report, show_secrets)).expect("valid JSON");
            assert_eq!(schema::violations(&schema, &value), [""; 0], "{}", scene.name);
            let shown = value["findings"].as_array().expect("findings are a list");
            assert!(shown.iter().all(|finding| finding["value"].is_string() == show_secrets));
        }
    }
}

#[test]
fn schema_refuses_what_it_does_not_promise() {
    let schema = schema_file();
    let sound: Value = serde_json::from_str(&machine(&samples::hostile(), false)).expect("valid JSON");
    let breaks: [(&str, Value); 8] = [
        ("/version", json!(2)),
        ("/outcome", json!("fine")),
        ("/coverage/files", json!(-1)),
        ("/findings/0/line", json!(0)),
        ("/findings/0/verdict", json!(null)),
        ("/findings/0/fingerprint", json!("x")),
        ("/findings/0/evidence", json!({"name": null, "context": [], "checks": []})),
        ("/coverage/skipped", json!({"bored": 1})),
    ];
    for (pointer, wrong) in breaks {
        let mut broken = sound.clone();
        assert_eq!(schema::violations(&schema, &broken), [""; 0]);
        *broken.pointer_mut(pointer).expect("the field is there") = wrong;
        assert!(!schema::violations(&schema, &broken).is_empty(), "{pointer}");
    }
}

/// What the issue wrote down is required, whatever else is there.
#[test]
fn schema_holds_the_promised_fields() {
    let schema = schema_file();
    let promised = [
        ("/required", "version outcome findings credentials problems coverage"),
        (
            "/$defs/finding/required",
            "rule provider part role severity confidence verdict path line column end_line end_column blob commit \
             credential evidence fingerprint",
        ),
        ("/$defs/credential/required", "id provider state severity findings"),
    ];
    for (pointer, fields) in promised {
        let required = schema.pointer(pointer).and_then(Value::as_array).expect("a list of names");
        for field in fields.split_whitespace() {
            assert!(required.contains(&json!(field)), "{pointer}: {field}");
        }
    }
}

fn schema_file() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.schema.json");
    serde_json::from_str(&fs::read_to_string(path).expect("the schema is there")).expect("the schema is JSON")
}

/// Every scene in every style that is not asked to show values.
fn every_output() -> Vec<(String, String, Report)> {
    let mut outputs = Vec::new();
    for scene in scenes() {
        outputs.push((format!("{} json", scene.name), machine(&scene.report, false), scene.report.clone()));
        for width in [1, 20, 33, 60, 100, 300] {
            for (color, show_known) in [(false, true), (true, false)] {
                let style = HumanStyle { width, color, show_known, ..scene.style.clone() };
                let label = format!("{} at {width}", scene.name);
                outputs.push((label, human(&scene.report, &style), scene.report.clone()));
            }
        }
    }
    outputs
}

/// The bytes nobody may see: of a PEM block what stands between its first and its last line.
fn hidden_bytes(value: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = value.split(|&byte| byte == b'\n').collect();
    if lines.len() > 2 { lines[1..lines.len() - 1].join(&b'\n') } else { value.to_vec() }
}

fn disguises(value: &[u8]) -> Vec<Vec<u8>> {
    let base64 = |from: usize| data_encoding::BASE64_NOPAD.encode(&value[from..]).into_bytes();
    let hex = data_encoding::HEXLOWER.encode(value);
    let upper = hex.to_uppercase();
    let reversed = value.iter().rev().copied().collect();
    vec![value.to_vec(), base64(0), base64(1), base64(2), hex.into_bytes(), upper.into_bytes(), reversed]
}

#[test]
fn no_piece_of_a_value_gets_out() {
    const PIECE: usize = 8;
    for (label, output, report) in every_output() {
        let pieces_of_output: std::collections::HashSet<&[u8]> = output.as_bytes().windows(PIECE).collect();
        for finding in &report.findings {
            for disguise in disguises(&hidden_bytes(finding.secret.expose())) {
                assert!(disguise.len() >= PIECE, "a sample's value is long enough to be looked for");
                let seen = disguise.windows(PIECE).any(|piece| pieces_of_output.contains(piece));
                assert!(!seen, "{label}: a piece of {} is seen", finding.rule);
            }
        }
    }
}

#[test]
fn values_are_seen_only_where_they_are_asked_for() {
    let report = report(vec![binance_pair("src/bot.py", 12)]);
    let style = HumanStyle { show_secrets: true, ..PLAIN };
    for output in [human(&report, &style), machine(&report, true)] {
        for finding in &report.findings {
            assert!(output.contains(&escape(finding.secret.expose())), "{}", finding.rule);
        }
    }
}

#[test]
fn nothing_from_a_file_acts() {
    let hides = |character: char| matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let paint = regex::Regex::new("\u{1b}\\[(1;)?[39][0-9]m").expect("a valid pattern");
    for (label, output, _) in every_output() {
        let ours = output.replace("\u{1b}[0m", "").replace("\u{1b}[1m", "");
        let unpainted = paint.replace_all(&ours, "");
        for line in unpainted.lines() {
            assert!(
                !line.chars().any(|character| character.is_control() || hides(character)),
                "{label}: {line:?}"
            );
            assert!(!line.starts_with('§'), "{label}: {line}");
            assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{label}: {line}");
        }
    }
}

#[test]
fn only_a_clean_report_looks_clean() {
    for scene in scenes() {
        let text = human(&scene.report, &scene.style);
        let outcome = scene.report.outcome();
        let looks_clean = text.contains("No secrets found") || text.contains("Nothing to look at");
        assert_eq!(looks_clean, outcome == Outcome::Clean, "{}:\n{text}", scene.name);
        assert_eq!(text.contains("INCOMPLETE"), !scene.report.problems.is_empty(), "{}:\n{text}", scene.name);
    }
}

#[test]
fn a_credential_takes_few_lines() {
    let readable = |scene: &Scene| scene.style.width == PLAIN.width && !scene.style.color;
    for scene in scenes().into_iter().filter(readable).filter(|scene| !scene.name.starts_with("hostile")) {
        let text = human(&scene.report, &scene.style);
        for block in text.split("\n\n").filter(|block| block.contains("\n  why   ")) {
            let parts = block.lines().filter(|line| line.contains(" characters)  (")).count();
            let copies = usize::from(block.contains("\n  also  "));
            assert!(block.lines().count() <= 6.max(parts + 4) + copies, "{}:\n{block}", scene.name);
        }
    }
}

#[test]
fn lines_fit_unless_a_word_is_longer() {
    for scene in scenes().iter().filter(|scene| !scene.name.starts_with("hostile")) {
        for width in [60, 80, 100, 120] {
            let style = HumanStyle { width, color: false, ..scene.style.clone() };
            for line in human(&scene.report, &style).lines() {
                let can_be_copied = line.starts_with("       ") || line.contains("https://");
                assert!(can_be_copied || line.chars().count() <= width, "{} at {width}: {line}", scene.name);
            }
        }
    }
}

#[test]
fn less_sure_findings_are_said_to_be_there() {
    let mut found = report(vec![vec![judged(finding("generic-secret", "a.py", 1), Verdict::Open)]]);
    found.below_threshold = 1;
    for (threshold, option) in [
        (Confidence::Certain, "--confidence likely or possible"),
        (Confidence::Likely, "--confidence possible"),
    ] {
        found.threshold = Some(threshold);
        let text = human(&found, &PLAIN);
        assert!(text.contains(&format!("1 less certain finding ({option} lists")), "{text}");
    }
}
