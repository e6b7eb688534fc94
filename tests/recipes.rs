//! What the documentation and the CI files tell people to run, run: every `keyfence` line of `docs/formats.md` and
//! `docs/recipes.md`, the script of `action.yml`, the one of `ci/gitlab.yml`, completions and manual pages.
#![cfg(unix)]

#[path = "cli/support.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_yaml::Value;
use support::{KEYFENCE, Repository, Sandbox, leaking_env, secret_value, words};

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The indented or fenced shell blocks of a page.
fn shell_lines(page: &str) -> Vec<String> {
    let text = fs::read_to_string(root(page)).expect("the page is there");
    let blocks = text.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap_or_default());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

/// A shell that finds the program under test first.
fn shell(repository: &Repository<'_>, script: &str, variables: &[(&str, &str)]) -> Output {
    let mut command: Command = repository.sandbox.command("bash", &repository.top);
    let programs = Path::new(KEYFENCE).parent().expect("a program is in a directory");
    let path = std::env::var("PATH").expect("the tests run with a PATH");
    command.env("PATH", format!("{}:{path}", programs.display())).envs(variables.iter().copied());
    command.args(["-eu", "-c", script]).output().expect("bash can be started")
}

fn leaking(sandbox: &Sandbox) -> Repository<'_> {
    let repository = sandbox.repository("bot");
    for directory in ["results", "test-results"] {
        fs::create_dir(repository.top.join(directory)).expect("the sandbox is writable");
    }
    repository.write("bot/.env", &leaking_env());
    repository
}

/// The files that a command names as outputs.
fn outputs(line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let named = words.windows(2).filter(|pair| pair[0] == "-o").map(|pair| pair[1]);
    named.map(|output| output.split_once(':').map_or(output, |(_, file)| file).to_owned()).collect()
}

#[test]
fn every_line_of_the_pages_works() {
    for page in ["docs/formats.md", "docs/recipes.md"] {
        let lines = shell_lines(page);
        assert!(!lines.is_empty(), "{page}");
        for line in lines {
            let sandbox = Sandbox::new();
            let repository = leaking(&sandbox);
            let output = shell(&repository, &line, &[]);
            let expected = i32::from(line.starts_with("keyfence scan"));
            assert_eq!(output.status.code(), Some(expected), "{page}: {line}\n{}", words(&output));
            for file in outputs(&line) {
                let text = fs::read_to_string(repository.top.join(&file)).unwrap_or_default();
                assert!(!text.is_empty(), "{page}: {line}: {file} was not written");
                assert!(!text.contains(&secret_value()), "{page}: {line}: {file} holds the value");
            }
        }
    }
}

fn yaml(file: &str) -> Value {
    let text = fs::read_to_string(root(file)).expect("the file is there");
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn the_action_scans_reports_and_fails() {
    let action = yaml("action.yml");
    let steps = action["runs"]["steps"].as_sequence().expect("there are steps");
    let scan = steps.iter().find(|step| step["id"] == "scan").expect("one of them scans");
    let script = scan["run"].as_str().expect("it is a script");
    assert!(!script.contains("${{"), "no input may become a part of the script");
    for step in steps {
        assert!(step["env"].as_mapping().is_some(), "inputs come as variables");
    }

    let sandbox = Sandbox::new();
    let repository = leaking(&sandbox);
    let (output_file, summary) = (sandbox.path("output"), sandbox.path("summary"));
    fs::write(&summary, "earlier\n").expect("the sandbox is writable");
    let text = |path: &Path| path.to_str().expect("the sandbox's name is UTF-8").to_owned();
    for (directory, code) in [("bot", 1), ("results", 0)] {
        let command = format!("scan\n{directory}\n");
        let output = shell(
            &repository,
            script,
            &[
                ("KEYFENCE", KEYFENCE),
                ("COMMAND", &command),
                ("SARIF", "keyfence.sarif"),
                ("HTML", ""),
                ("GITHUB_OUTPUT", &text(&output_file)),
                ("GITHUB_STEP_SUMMARY", &text(&summary)),
            ],
        );
        assert_eq!(output.status.code(), Some(code), "{}", words(&output));
        let said = fs::read_to_string(&output_file).expect("the script wrote it");
        assert!(said.ends_with(&format!("exit-code={code}\n")), "{said}");
        assert_eq!(words(&output).contains("::error file=bot/.env,line="), code == 1, "{}", words(&output));
    }
    let page = fs::read_to_string(&summary).expect("it is there");
    assert!(page.starts_with("earlier\n## keyfence: found 1 credential"), "{page}");
    assert!(page.contains("## keyfence: no secrets found"), "{page}");
    let sarif = fs::read_to_string(repository.top.join("keyfence.sarif")).expect("it was written");
    assert!(sarif.contains("\"2.1.0\""));
}

#[test]
fn the_gitlab_job_writes_what_it_promises() {
    let pipeline = yaml("ci/gitlab.yml");
    let job = &pipeline["keyfence"];
    let script = job["script"][0].as_str().expect("it is one line");
    let arguments = job["variables"]["KEYFENCE_ARGUMENTS"].as_str().expect("it has a default");
    let sandbox = Sandbox::new();
    let repository = leaking(&sandbox);
    let output = shell(&repository, script, &[("KEYFENCE_ARGUMENTS", arguments)]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    for (kind, file) in job["artifacts"]["reports"].as_mapping().expect("it promises reports") {
        let file = file.as_str().expect("a file's name");
        let text = fs::read_to_string(repository.top.join(file)).unwrap_or_default();
        assert!(text.contains("binance"), "{kind:?}: {file}");
    }
}

#[test]
fn completions_know_every_command() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    for name in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = repository.keyfence(&["completions", name]);
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        let script = words(&output);
        for word in ["scan", "hook", "completions", "uninstall"] {
            assert!(script.contains(word), "{name} does not know {word}");
        }
    }
    let script = words(&repository.keyfence(&["completions", "bash"]));
    repository.write("completions.bash", &script);
    let asked = "source completions.bash; COMP_WORDS=(keyfence sc); COMP_CWORD=1; \
                 _keyfence keyfence sc keyfence || true; echo \"${COMPREPLY[*]}\"";
    let answered = shell(&repository, &format!("set +u; {asked}"), &[]);
    assert!(words(&answered).contains("scan"), "{}", words(&answered));
}

#[test]
fn every_command_has_a_manual_page() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    let output = repository.keyfence(&["man", "pages"]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    for page in ["keyfence.1", "keyfence-scan.1", "keyfence-hook-install.1"] {
        let text = fs::read_to_string(repository.top.join("pages").join(page)).unwrap_or_default();
        assert!(text.contains(".TH "), "{page}");
    }
    let page = words(&repository.keyfence(&["man"]));
    assert!(page.contains(".TH ") && page.contains("completions"), "{page}");
}

/// The hook recipe of the page is the one that the framework knows, with the version of this crate.
#[test]
fn the_recipe_for_pre_commit_names_this_version() {
    let page = fs::read_to_string(root("docs/recipes.md")).expect("the page is there");
    let wheel = concat!("keyfence==", env!("CARGO_PKG_VERSION"));
    assert!(page.contains(wheel));
    let mirror = fs::read_to_string(root("ci/pre-commit/pyproject.toml")).expect("the file is there");
    assert!(mirror.contains(&format!("\"{wheel}\"")));
    assert!(mirror.contains(concat!("version = \"", env!("CARGO_PKG_VERSION"), "\"")));
}
