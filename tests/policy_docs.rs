//! The pages about configuration, baseline and adoption: their examples run, and the schema says what the reader says.

#[path = "cli/support.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keyfence::config::{Config, Level};
use serde_json::Value;
use support::{KEYFENCE, Sandbox, leaking_env, words};

const PAGES: [&str; 3] = ["configuration.md", "baseline.md", "adopting.md"];

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of that language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let parts = page.split(opening.as_str()).skip(1);
    parts.filter_map(|part| Some(part.split_once("\n```")?.0.to_owned())).collect()
}

#[test]
fn the_commands_of_the_pages_run_as_written() {
    let programs = Path::new(KEYFENCE).parent().expect("the program is in a directory").to_owned();
    let mut ran = 0;
    for name in PAGES {
        let page = document(name);
        let sandbox = Sandbox::new();
        let repository = sandbox.repository("bot");
        repository.write("src/main.py", "print('no secret here')\n");
        repository.stage(".env", &leaking_env());
        repository.git(&["commit", "--quiet", "--no-verify", "-m", "Begin"]);
        for text in blocks(&page, "yaml") {
            repository.write(".keyfence.yaml", &text);
            let shown = repository.keyfence(&["config", "show"]);
            assert_eq!(shown.status.code(), Some(0), "{name}: {text}\n{}", words(&shown));
        }
        let commands = blocks(&page, "console");
        for line in commands.iter().flat_map(|block| block.lines()).filter_map(|line| line.strip_prefix("$ "))
        {
            let (command, code) = line.split_once("# exit ").unwrap_or((line, "0"));
            let path = std::env::var_os("PATH").unwrap_or_default();
            let path: Vec<PathBuf> =
                [programs.clone()].into_iter().chain(std::env::split_paths(&path)).collect();
            let path = std::env::join_paths(path).expect("the paths can stand in PATH");
            let mut shell = sandbox.command("sh", &repository.top);
            let output = shell.env("PATH", path).args(["-c", command]).output().expect("there is a shell");
            assert_eq!(
                output.status.code().map(|code| code.to_string()).as_deref(),
                Some(code.trim()),
                "{name}: {line}\n{}",
                words(&output)
            );
            ran += 1;
        }
    }
    assert!(ran >= 15, "only {ran} commands were found");
}

/// The keys that the reader admits where `document` holds one that nobody knows.
fn keys_of_reader(document: &str) -> BTreeSet<String> {
    let message = Config::parse(document, Level::Top).expect_err("the key is not known");
    let (_, keys) = message.split_once("known here: ").unwrap_or_else(|| panic!("{message}"));
    keys.split(", ").map(str::to_owned).collect()
}

fn keys_of_schema(schema: &Value) -> BTreeSet<String> {
    schema["properties"].as_object().expect("it has properties").keys().cloned().collect()
}

#[test]
fn the_schema_knows_the_keys_that_the_reader_knows() {
    let schema: Value = serde_json::from_str(&document("config.schema.json")).expect("it is JSON");
    assert_eq!(keys_of_schema(&schema), keys_of_reader("qqqq: 1"));
    let properties = &schema["properties"];
    assert_eq!(keys_of_schema(&properties["rules"]), keys_of_reader("rules: { qqqq: 1 }"));
    assert_eq!(keys_of_schema(&properties["allow"]["items"]), keys_of_reader("allow: [{ qqqq: 1 }]"));
    for (key, words) in [("confidence", "confidence"), ("severity", "severity")] {
        let admitted = if key == "confidence" {
            &properties["confidence"]["enum"]
        } else {
            &properties["rules"]["properties"]["severity"]["additionalProperties"]["enum"]
        };
        for word in admitted.as_array().expect("it lists words").iter().filter_map(Value::as_str) {
            let text = if words == "confidence" {
                format!("confidence: {word}")
            } else {
                format!("rules: {{ severity: {{ x: {word} }} }}")
            };
            assert!(Config::parse(&text, Level::Top).is_ok(), "{text}");
        }
    }
}
