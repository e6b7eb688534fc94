//! The pages: their examples run as written, every command and option is there, and the schema says what the reader
//! says. (`tests/recipes.rs` runs the recipes.)

#[path = "cli/support.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keyfence::config::{Config, Level};
use serde_json::Value;
use support::{KEYFENCE, Repository, Sandbox, leaking_env, words};

const PAGES: [&str; 6] =
    ["getting-started.md", "commands.md", "configuration.md", "baseline.md", "adopting.md", "ci.md"];

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
        let repository = project(&sandbox);
        for text in blocks(&page, "yaml") {
            if name == "configuration.md" {
                repository.write(".keyfence.yaml", &text);
                let shown = repository.keyfence(&["config", "show"]);
                assert_eq!(shown.status.code(), Some(0), "{name}: {text}\n{}", words(&shown));
            } else {
                let read: Result<serde_yaml::Value, _> = serde_yaml::from_str(&text);
                assert!(read.is_ok(), "{name}: {text}\n{read:?}");
            }
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
    assert!(ran >= 60, "only {ran} commands were found");
}

/// Where the README calls keyfence itself, it does what is said there; a scan may find what stands in the project.
#[test]
fn the_commands_of_the_readme_run() {
    let readme = document("../README.md");
    let sandbox = Sandbox::new();
    let repository = project(&sandbox);
    // Without it `--global` tells that this step is left.
    repository.git(&["config", "--global", "init.templateDir", "~/.config/git/template"]);
    let mut ran = 0;
    for line in blocks(&readme, "sh").iter().flat_map(|block| block.lines()) {
        let Some(words_of_line) = line.strip_prefix("keyfence ") else { continue };
        let command = words_of_line.split('#').next().unwrap_or_default();
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let output = repository.keyfence(&arguments);
        let admitted = if arguments[0] == "scan" { &[Some(0), Some(1)][..] } else { &[Some(0)] };
        assert!(admitted.contains(&output.status.code()), "{line}\n{}", words(&output));
        ran += 1;
    }
    assert!(ran >= 7, "only {ran} commands were found");
}

/// The picture at the top is what a person sees who does the same.
#[test]
fn the_readme_shows_what_the_hook_says() {
    let readme = document("../README.md");
    let picture = blocks(&readme, "text").into_iter().next().expect("the README begins with a picture");
    let (command, shown) = picture.split_once('\n').expect("a command and what it prints");
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.first_commit();
    repository.install_hook();
    let values = leaking_env();
    let mut values = values.lines().filter_map(|line| Some(line.split_once('=')?.1));
    let (key, secret) = (values.next().expect("a key"), values.next().expect("a secret"));
    let bot = format!(
        "import ccxt\n\nexchange = ccxt.binance({{\n    \"apiKey\": \"{key}\",\n    \"secret\": \"{secret}\",\n}})\n"
    );
    repository.stage("bot.py", &bot);
    let command = command.strip_prefix("$ ").expect("a command");
    let mut shell = sandbox.command("sh", &repository.top);
    let output = shell.args(["-c", command]).output().expect("there is a shell");
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    let said = words(&output);
    assert!(said.starts_with(shown), "the README shows\n{shown}\nbut the hook says\n{said}");
}

/// What the pages speak of: a leak that is committed, a branch, a tag, and a bare repository beside the files.
fn project(sandbox: &Sandbox) -> Repository<'_> {
    let repository = sandbox.repository("bot");
    repository.stage("src/main.py", "print('no secret here')\n");
    repository.stage(".env", &leaking_env());
    repository.git(&["commit", "--quiet", "--no-verify", "-m", "Begin"]);
    repository.git(&["tag", "v1.2"]);
    repository.git(&["switch", "--quiet", "--create", "feature"]);
    repository.stage("src/feature.py", "print('nor here')\n");
    repository.git(&["commit", "--quiet", "--no-verify", "-m", "Add a feature"]);
    repository.git(&["switch", "--quiet", "main"]);
    repository.stage("README.md", "A bot.\n");
    repository.git(&["commit", "--quiet", "--no-verify", "-m", "Describe it"]);
    repository.git(&["init", "--quiet", "--bare", "server.git"]);
    repository
}

/// The manual knows what there is; whatever it names, the page of commands names.
#[test]
fn the_page_of_commands_knows_every_command_and_option() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    let made = repository.keyfence(&["man", "pages"]);
    assert_eq!(made.status.code(), Some(0), "{}", words(&made));
    let page = document("commands.md");
    let option = regex::Regex::new(r"\\-\\-([a-z]+(?:\\-[a-z]+)*)\\fR").expect("a valid pattern");
    let mut commands = 0;
    for entry in std::fs::read_dir(repository.top.join("pages")).expect("it was written") {
        let file = entry.expect("it can be listed").path();
        let name = file.file_stem().and_then(|name| name.to_str()).expect("it is UTF-8").replace('-', " ");
        let is_group = ["keyfence config"].contains(&name.as_str());
        assert!(is_group || page.contains(&format!("`{name}`")) || name == "keyfence", "{name} is missing");
        let manual = std::fs::read_to_string(&file).expect("it was written");
        for found in option.captures_iter(&manual) {
            let option = found[1].replace('\\', "");
            let is_general = ["help", "version"].contains(&option.as_str());
            assert!(is_general || page.contains(&format!("--{option}")), "--{option} of {name} is missing");
        }
        commands += 1;
    }
    assert!(commands > 20, "only {commands} pages were written");
}

/// Links between the pages lead somewhere, and every page can be reached from the first.
#[test]
fn links_lead_to_pages_and_sections() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let link = regex::Regex::new(r"\]\(([^)#:\s]*)(?:#([a-z0-9-]+))?\)").expect("a valid pattern");
    let mut pages = vec![top.join("README.md")];
    let mut seen = BTreeSet::new();
    while let Some(page) = pages.pop() {
        let page = page.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        if !seen.insert(page.clone()) {
            continue;
        }
        let text = std::fs::read_to_string(&page).expect("it is text");
        for found in link.captures_iter(&text) {
            let target =
                if found[1].is_empty() { page.clone() } else { page.with_file_name("").join(&found[1]) };
            assert!(target.exists(), "{}: {} leads nowhere", page.display(), &found[0]);
            if target.extension().is_some_and(|ending| ending == "md") {
                if let Some(section) = found.get(2) {
                    let sections = sections(&std::fs::read_to_string(&target).expect("it is text"));
                    assert!(sections.contains(section.as_str()), "{}: {}", page.display(), &found[0]);
                }
                pages.push(target);
            }
        }
    }
    for entry in std::fs::read_dir(top.join("docs")).expect("there are pages") {
        let page = entry.expect("it can be listed").path();
        let is_page = page.extension().is_some_and(|ending| ending == "md");
        assert!(!is_page || seen.contains(&page), "no link leads to {}", page.display());
    }
}

/// The names of sections, as they stand after `#` in links.
fn sections(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let name = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-').collect()
    };
    headings.map(name).collect()
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
