//! Every format as its readers get it: their schemas and parsers accept it, nothing in it acts, no value gets out.
//!
//! `KEYFENCE_BLESS=1 cargo test --test formats` writes the golden files under `tests/formats/` anew.
#![cfg(feature = "cli")]

#[path = "formats/browser.rs"]
mod browser;
#[path = "formats/debugger.rs"]
mod debugger;
#[path = "report/history.rs"]
mod history;
#[path = "report/samples.rs"]
#[allow(dead_code, reason = "shared with the tests of the other reports")]
mod samples;

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keyfence::model::Report;
use keyfence::report::{
    HumanStyle, JsonOptions, Occasion, write_code_quality, write_csv, write_github, write_gitlab, write_html,
    write_human, write_json, write_jsonl, write_junit, write_markdown, write_sarif,
};
use serde_json::Value;

type Writer = fn(&Report, &mut dyn Write) -> std::io::Result<()>;

const STYLE: HumanStyle = HumanStyle {
    width: 100,
    color: false,
    show_secrets: false,
    show_known: true,
    brief: false,
    occasion: Occasion::Scan,
};

/// Name, ending of the golden file, writer.
const FORMATS: [(&str, &str, Writer); 11] = [
    ("human", "txt", |report, out| write_human(report, &STYLE, out)),
    ("json", "json", |report, out| write_json(report, &JsonOptions::default(), out)),
    ("jsonl", "jsonl", |report, out| write_jsonl(report, &JsonOptions::default(), out)),
    ("sarif", "sarif", write_sarif),
    ("github", "github.txt", write_github),
    ("gitlab", "gitlab.json", write_gitlab),
    ("gitlab-codequality", "codequality.json", write_code_quality),
    ("junit", "xml", write_junit),
    ("csv", "csv", write_csv),
    ("markdown", "md", write_markdown),
    ("html", "html", write_html),
];

fn scenes() -> Vec<(&'static str, Report)> {
    let mut incomplete = samples::report(Vec::new());
    incomplete.problems = samples::problems();
    let mut plain =
        samples::report([vec![samples::binance_pair("src/bot.py", 12)], samples::not_counted()].concat());
    plain.credentials.iter_mut().for_each(|set| set.exposure = None);
    vec![
        ("clean", samples::report(Vec::new())),
        ("incomplete", incomplete),
        ("leak", plain),
        ("history", history::exposed()),
        ("hostile", history::hostile()),
    ]
}

fn written(writer: Writer, report: &Report) -> String {
    let mut bytes = Vec::new();
    writer(report, &mut bytes).expect("writing to memory cannot fail");
    String::from_utf8(bytes).expect("every format is UTF-8")
}

fn format(name: &str) -> Writer {
    FORMATS.iter().find(|format| format.0 == name).expect("the format is in the table").2
}

fn every_output() -> impl Iterator<Item = (&'static str, &'static str, Report, String)> {
    FORMATS.into_iter().flat_map(|(name, _, writer)| {
        scenes().into_iter().map(move |(scene, report)| {
            let text = written(writer, &report);
            (name, scene, report, text)
        })
    })
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats").join(name)
}

#[test]
fn golden_files() {
    let bless = std::env::var_os("KEYFENCE_BLESS").is_some();
    let mut wrong = Vec::new();
    for (name, ending, writer) in FORMATS {
        let actual = written(writer, &history::exposed()).replace(env!("CARGO_PKG_VERSION"), "VERSION");
        let file = here(&format!("history.{ending}"));
        if bless {
            fs::write(&file, &actual).expect("the golden file can be written");
        } else if fs::read_to_string(&file).unwrap_or_default() != actual {
            wrong.push(format!("{name}: {} differs:\n{actual}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn schemas_hold() {
    for (name, file) in [
        ("sarif", "sarif-2.1.0.json"),
        ("gitlab", "gitlab-secret-detection.json"),
        ("gitlab-codequality", "gitlab-codequality.json"),
    ] {
        let text = fs::read_to_string(here("schemas").join(file)).expect("the schema is there");
        // A pattern of the official file has a bracket too many, which readers of regular expressions refuse.
        let text = text.replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}$");
        let schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
        let validator =
            jsonschema::options().should_validate_formats(true).build(&schema).expect("the schema is sound");
        for (scene, report) in scenes() {
            let value: Value = serde_json::from_str(&written(format(name), &report)).expect("it is JSON");
            let broken: Vec<String> = validator
                .iter_errors(&value)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(broken.is_empty(), "{name} of {scene}: {broken:#?}");
        }
        assert!(
            validator.iter_errors(&serde_json::json!({"version": 1, "x": [{}]})).next().is_some(),
            "{name}"
        );
    }
}

/// A library that knows SARIF reads every report, and what it understood is all that was written.
#[test]
fn a_library_reads_all_of_the_sarif_report() {
    for (scene, report) in scenes() {
        let text = written(write_sarif, &report);
        let read: serde_sarif::sarif::Sarif =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{scene}: {error}"));
        let understood = serde_json::to_value(&read).expect("it was JSON");
        let all: Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(understood, all, "{scene}");
    }
}

/// What GitHub documents as refused: more than that of anything.
#[test]
fn sarif_stays_within_the_limits_of_code_scanning() {
    let many: Vec<_> =
        (0..25_010).map(|line| vec![samples::finding("github-token", "a.env", line + 1)]).collect();
    let mut report = samples::report(many);
    let mut exposure = history::pushed("a.env");
    exposure.occurrences = vec![exposure.occurrences[0].clone(); 20_000];
    report.credentials[0].exposure = Some(exposure);
    let log: Value = serde_json::from_str(&written(write_sarif, &report)).expect("it is JSON");
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().map(Vec::len), Some(25_000));
    let told = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str();
    assert!(told.is_some_and(|text| text.starts_with("10 ")), "{told:?}");
    let flow = &run["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"];
    assert!(flow.as_array().is_some_and(|steps| steps.len() <= 1_000 && steps.len() > 900));
}

/// GitHub refuses a file of more than 10 MB, packed with gzip.
#[test]
fn the_largest_sarif_is_not_too_large() {
    let hex = |number: u32| samples::hex(&samples::invented(&number.to_string(), 20));
    let many: Vec<_> = (0..25_010)
        .map(|line| {
            let mut finding =
                samples::finding("github-token", &format!("d{}/{line}.env", line % 97), line + 1);
            finding.fingerprint.0 = hex(line)[..32].to_owned();
            vec![finding]
        })
        .collect();
    let mut report = samples::report(many);
    for (number, set) in (0_u32..).zip(&mut report.credentials) {
        let mut exposure = history::pushed("a.env");
        let place = exposure.occurrences[0].clone();
        let commits = [&mut exposure.first_seen, &mut exposure.last_seen, &mut exposure.removed_by];
        commits.into_iter().flatten().for_each(|commit| commit.id = hex(number));
        // More places than there is room for stand in the first of them.
        let steps = if number < 60 { 1_000 } else { 1 };
        let places = (0..steps).map(|step| (step, place.clone()));
        exposure.occurrences = places
            .map(|(step, mut place)| {
                place.commit = Some(hex(number * 1_000 + step));
                place.line = number + step;
                place
            })
            .collect();
        set.exposure = Some(exposure);
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    write_sarif(&report, &mut packed).expect("writing to memory cannot fail");
    let packed = packed.finish().expect("writing to memory cannot fail");
    assert!(packed.len() < 10_000_000, "{}", packed.len());
}

#[test]
fn sarif_tells_the_history_and_what_was_allowed() {
    let log: Value = serde_json::from_str(&written(write_sarif, &history::exposed())).expect("it is JSON");
    let results = log["runs"][0]["results"].as_array().expect("there are results");
    let steps = |result: &Value| -> Vec<String> {
        let locations = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array();
        let text = |step: &Value| step["location"]["message"]["text"].as_str().unwrap_or_default().to_owned();
        locations.map_or(Vec::new(), |steps| steps.iter().map(text).collect())
    };
    let okx = results.iter().find(|result| result["ruleId"] == "okx-api-key").expect("it is reported");
    let told = steps(okx);
    assert!(told.first().is_some_and(|text| text.starts_with("brought by ")), "{told:?}");
    assert!(told.last().is_some_and(|text| text.starts_with("removed by ")), "{told:?}");
    let suppressed: Vec<&Value> = results
        .iter()
        .filter(|result| result["suppressions"].is_array())
        .map(|result| &result["suppressions"][0])
        .collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0]["kind"], "inSource");
    assert_eq!(suppressed[0]["justification"], "keyfence:allow: made up");
    for result in results {
        let index =
            result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok()).expect("an index");
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
}

/// The same secret on another line, or in a scan of another day, is the same alert.
#[test]
fn fingerprints_do_not_depend_on_lines() {
    let prints = |line: u32| -> Vec<Value> {
        let report = samples::report(vec![samples::binance_pair("src/bot.py", line)]);
        let log: Value = serde_json::from_str(&written(write_sarif, &report)).expect("it is JSON");
        let results = log["runs"][0]["results"].as_array().expect("there are results").clone();
        results.iter().map(|result| result["partialFingerprints"].clone()).collect()
    };
    assert_eq!(prints(3), prints(700));
    assert_ne!(prints(3)[0], prints(3)[1]);
}

/// Runs python's own parser over the text; it prints what it read.
fn python(program: &str, input: &str) -> String {
    let mut child = Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 can be started");
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("python reads");
    let output = child.wait_with_output().expect("python ends");
    assert!(output.status.success(), "{}\n{input}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("python prints UTF-8")
}

#[test]
fn junit_is_well_formed_and_never_green_by_mistake() {
    const PROGRAM: &str = "import sys, xml.etree.ElementTree as tree\n\
        root = tree.fromstring(sys.stdin.buffer.read())\n\
        cases = root.findall('./testsuite/testcase')\n\
        assert int(root.get('tests')) == len(cases) and len(cases) > 0\n\
        print(len(root.findall('.//failure')), len(root.findall('.//error')), len(cases))";
    for (scene, report) in scenes() {
        let counted = python(PROGRAM, &written(write_junit, &report));
        let expected = match scene {
            "clean" => "0 0 1",
            "incomplete" => "0 3 3",
            "leak" => "1 0 1",
            "history" => "4 0 4",
            _ => "15 1 16",
        };
        assert_eq!(counted.trim(), expected, "{scene}");
    }
}

#[test]
fn csv_has_a_row_for_each_finding_and_no_formula() {
    const PROGRAM: &str = "import csv, sys, io, json\n\
        text = sys.stdin.buffer.read().decode()\n\
        print(json.dumps(list(csv.reader(io.StringIO(text, newline=''), strict=True))))";
    for (scene, report) in scenes() {
        let rows: Vec<Vec<String>> =
            serde_json::from_str(&python(PROGRAM, &written(write_csv, &report))).expect("a list of rows");
        assert_eq!(rows.len(), report.findings.len() + 1, "{scene}");
        for row in &rows {
            assert_eq!(row.len(), rows[0].len(), "{scene}: {row:?}");
            let formula =
                row.iter().find(|cell| cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']));
            assert_eq!(formula, None, "{scene}");
        }
    }
}

#[test]
fn json_lines_end_with_the_summary() {
    for (scene, report) in scenes() {
        let text = written(format("jsonl"), &report);
        let kinds: Vec<String> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON")["type"].to_string())
            .collect();
        let all =
            report.findings.len() + report.credentials.len() + report.problems.len() + report.notices.len();
        assert_eq!(kinds.len(), all + 1, "{scene}");
        assert_eq!(kinds.iter().position(|kind| kind == "\"summary\""), Some(all), "{scene}");
    }
}

/// Reads the output as the runner does: a line that begins with `::`, or holds `##[`, is a command.
#[test]
fn github_takes_no_command_from_a_file() {
    let command = regex::Regex::new("^::(error|warning) ([^:]*)::(.*)$").expect("a valid pattern");
    let property =
        regex::Regex::new("^(file|line|endLine|col|endColumn|title)=.+$").expect("a valid pattern");
    for (scene, report) in scenes() {
        let text = written(write_github, &report);
        let commands: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("::")).collect();
        for line in &commands {
            let parts = command.captures(line).unwrap_or_else(|| panic!("{scene}: {line}"));
            for part in parts[2].split(',') {
                assert!(property.is_match(part), "{scene}: {part} in {line}");
            }
        }
        assert!(!text.contains("##["), "{scene}");
        let (errors, warnings) =
            commands.iter().partition::<Vec<&str>, _>(|line| line.starts_with("::error"));
        assert!(errors.len() <= 10 && warnings.len() <= 20, "{scene}: GitHub shows ten of each");
        assert_eq!(text.lines().count(), commands.len() + 1, "{scene}: one line for people\n{text}");
    }
}

/// What `§` marks may stand in code spans only; they are taken out as CommonMark finds them.
#[test]
fn markdown_takes_no_markup_from_a_file() {
    for (scene, report) in scenes() {
        let text = written(write_markdown, &report);
        for line in text.lines() {
            assert!(!without_code(line).contains('§'), "{scene}: {line}");
        }
    }
}

fn without_code(line: &str) -> String {
    let mut rest = line;
    let mut outside = String::new();
    while let Some(at) = rest.find('`') {
        // A backslash before it makes it a letter, outside of code.
        let escaped = rest[..at].ends_with('\\');
        let fence: String = rest[at..].chars().take_while(|&character| character == '`').collect();
        let after = &rest[at + fence.len()..];
        let end = after.match_indices(&fence).find(|(index, _)| {
            !after[..*index].ends_with('`') && !after[index + fence.len()..].starts_with('`')
        });
        outside.push_str(&rest[..at]);
        match end {
            Some((index, _)) if !escaped => rest = &after[index + fence.len()..],
            _ => {
                outside.push_str(&fence);
                rest = after;
            }
        }
    }
    outside.push_str(rest);
    outside
}

#[test]
fn nothing_from_a_file_acts_on_a_terminal() {
    let hides = |character: char| matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    for (name, scene, _, text) in every_output() {
        for line in text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
            assert!(!line.chars().any(|it| it.is_control() || hides(it)), "{name} of {scene}: {line:?}");
            assert!(!line.contains("##[") && !line.contains("##vso["), "{name} of {scene}: {line:?}");
            let is_command = line.trim_start().starts_with("::");
            assert!(!is_command || name == "github", "{name} of {scene}: {line:?}");
        }
    }
}

/// A value may stand in a path, an author, a branch or a reason: it is seen nowhere.
#[test]
fn no_piece_of_a_value_gets_out() {
    const PIECE: usize = 8;
    for (name, scene, report, text) in every_output() {
        let pieces: HashSet<&[u8]> = text.as_bytes().windows(PIECE).collect();
        for finding in &report.findings {
            let seen = finding.secret.expose().windows(PIECE).any(|piece| pieces.contains(piece));
            assert!(!seen, "{name} of {scene}: a piece of {} is seen", finding.rule);
        }
    }
}

#[test]
fn only_a_clean_report_looks_clean() {
    for (name, scene, _, text) in every_output() {
        let words = ["no secrets found", "found no secrets", "No secrets found", "\"outcome\": \"clean\""];
        let looks_clean = words.iter().any(|word| text.contains(word));
        let says_outcome = !matches!(name, "csv" | "gitlab" | "gitlab-codequality" | "sarif" | "jsonl");
        assert_eq!(looks_clean, says_outcome && scene == "clean", "{name} of {scene}");
    }
    let mut incomplete = samples::report(Vec::new());
    incomplete.problems = samples::problems();
    let sarif: Value = serde_json::from_str(&written(write_sarif, &incomplete)).expect("it is JSON");
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
    let gitlab: Value = serde_json::from_str(&written(write_gitlab, &incomplete)).expect("it is JSON");
    assert_eq!(gitlab["scan"]["status"], "failure");
}

/// What was left out by choice is said to people, and by whose word.
#[test]
fn pages_say_what_was_left_out() {
    let mut report = samples::report(Vec::new());
    report.coverage.skipped = samples::skips();
    for name in ["human", "html", "markdown"] {
        let page = written(format(name), &report);
        let words = page.split_whitespace().collect::<Vec<_>>().join(" ").replace('\\', "");
        for part in ["1,812 entries by .gitignore", "4 entries by .keyfenceignore"] {
            assert!(words.contains(part), "{name}: {page}");
        }
        assert!(!words.contains("Everything was looked at"), "{name}: {page}");
    }
}

#[test]
fn large_pages_stay_within_what_is_taken() {
    let many = (0..30_000).map(|line| {
        let mut finding = samples::finding("github-token", "a.env", line + 1);
        finding.fingerprint.0 = format!("{line:032x}");
        vec![finding]
    });
    let report = samples::report(many.collect());
    let page = written(write_markdown, &report);
    assert!(page.len() <= 1_000_000, "{}", page.len());
    assert!(page.contains("left out here"));
    assert!(written(write_html, &report).contains("and 25,000 more"));
}
