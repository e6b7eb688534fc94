//! The real pre-commit framework runs the hooks that `.pre-commit-hooks.yaml` describes: blocked, passed, skipped.
//!
//! The framework comes from PyPI into `.test-tools/` once.

#![cfg(unix)]

#[path = "cli/support.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use support::{KEYFENCE, Repository, Sandbox, assert_stopped, leaking_env, words};

const VERSION: &str = "4.7.0";

const MATURIN: &str = "1.16.0";

/// The framework's program, installed on first use.
fn framework() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join(".test-tools");
        let home = tools.join(format!("pre-commit-{VERSION}"));
        let program = home.join("bin/pre-commit");
        if !program.is_file() {
            must(Command::new("python3").args(["-m", "venv"]).arg(&home));
            let package = format!("pre-commit=={VERSION}");
            must(Command::new(home.join("bin/pip")).args(["install", "--quiet", &package]));
        }
        program
    })
}

/// A directory with the wheel of this source, built by the build tool that `pyproject.toml` names.
fn wheel(sandbox: &Sandbox) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = top.join(format!(".test-tools/maturin-{MATURIN}"));
    if !home.join("bin/maturin").is_file() {
        must(Command::new("python3").args(["-m", "venv"]).arg(&home));
        let package = format!("maturin=={MATURIN}");
        must(Command::new(home.join("bin/pip")).args(["install", "--quiet", &package]));
    }
    let wheels = sandbox.path("wheels");
    let mut build = Command::new(home.join("bin/maturin"));
    // The profile that the tests are built with: nearly everything is there already.
    build.current_dir(top).args(["build", "--quiet", "--locked", "--profile", "dev", "--out"]).arg(&wheels);
    must(&mut build);
    wheels
}

fn must(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", words(&output));
}

/// A repository that uses the hook `ids` of a git copy of this repository's hook definition.
fn configured<'a>(sandbox: &'a Sandbox, ids: &[&str]) -> Repository<'a> {
    let repository = using(sandbox, ids, &[".pre-commit-hooks.yaml"]);
    run(&repository, framework(), &["install", "-t", "pre-commit", "-t", "commit-msg"], &[]);
    repository
}

/// A repository whose configuration names `ids` of a repository that holds those `files` of this one, at its top.
fn using<'a>(sandbox: &'a Sandbox, ids: &[&str], files: &[&str]) -> Repository<'a> {
    let definition = sandbox.repository("keyfence");
    for file in files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let name = path.file_name().and_then(|name| name.to_str()).expect("it has a name");
        definition.stage(name, &fs::read_to_string(&path).expect("it is in the repository"));
    }
    definition.git(&["commit", "--quiet", "-m", "Describe the hooks"]);
    let revision = String::from_utf8_lossy(&definition.git(&["rev-parse", "HEAD"]).stdout).trim().to_owned();

    let repository = sandbox.repository("bot");
    let hooks: String = ids.iter().map(|id| format!("      - id: {id}\n")).collect();
    let config =
        format!("repos:\n  - repo: {}\n    rev: {revision}\n    hooks:\n{hooks}", definition.top.display());
    repository.stage(".pre-commit-config.yaml", &config);
    repository
}

/// Runs a program with keyfence on PATH and the framework's cache in the sandbox.
fn run(repository: &Repository<'_>, program: &Path, arguments: &[&str], more: &[(&str, &str)]) -> Output {
    let mut command = repository.sandbox.command(program, &repository.top);
    let programs = Path::new(KEYFENCE).parent().expect("a program is in a directory");
    let path = std::env::var("PATH").expect("the tests run with a PATH");
    command.env("PATH", format!("{}:{path}", programs.display()));
    command.env("PRE_COMMIT_HOME", repository.sandbox.path("cache"));
    command.envs(more.iter().copied()).args(arguments).output().expect("the program can be started")
}

fn commit(repository: &Repository<'_>, more: &[(&str, &str)]) -> Output {
    run(repository, Path::new("git"), &["commit", "-m", "Add a bot"], more)
}

#[test]
fn the_hook_definition_is_valid() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    must(Command::new(framework()).arg("validate-manifest").arg(manifest));
}

#[test]
fn blocked_skipped_and_passed() {
    let sandbox = Sandbox::new();
    let repository = configured(&sandbox, &["keyfence-system"]);
    repository.stage(".env", &leaking_env());

    let stopped = commit(&repository, &[]);
    assert_stopped("under the framework", &stopped);
    assert!(words(&stopped).contains("SKIP=keyfence-system git commit"), "{}", words(&stopped));
    assert_eq!(repository.commits(), 0);

    repository.git(&["rm", "--quiet", "--cached", ".env"]);
    repository.stage("bot.py", "print('no secret here')\n");
    let passed = commit(&repository, &[]);
    assert!(passed.status.success(), "{}", words(&passed));

    repository.stage(".env", &leaking_env());
    let skipped = commit(&repository, &[("SKIP", "keyfence-system")]);
    assert!(skipped.status.success(), "{}", words(&skipped));
    assert_eq!(repository.commits(), 2);
}

#[test]
fn the_index_counts_and_not_the_work_tree() {
    let sandbox = Sandbox::new();
    let repository = configured(&sandbox, &["keyfence-system"]);
    repository.stage(".env", &leaking_env());
    repository.write(".env", "BINANCE_API_KEY=\n");
    assert_stopped("cleaned after staging", &commit(&repository, &[]));
}

#[test]
fn messages_are_blocked() {
    let sandbox = Sandbox::new();
    let repository = configured(&sandbox, &["keyfence-system", "keyfence-system-commit-msg"]);
    let message = format!("Use the new key\n\n{}", leaking_env());
    let stopped = run(&repository, Path::new("git"), &["commit", "-m", &message], &[]);
    assert_stopped("a message under the framework", &stopped);
    let passed = commit(&repository, &[]);
    assert!(passed.status.success(), "{}", words(&passed));
}

/// With nothing but pip, the program comes out of the wheel: by the recipe of the page, and by the ids of a mirror.
#[test]
fn the_wheel_brings_the_program() {
    let sandbox = Sandbox::new();
    let wheels = wheel(&sandbox);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes.md"));
    let page = page.expect("the page is in the repository");
    let recipe =
        page.split("```yaml\n").find(|block| block.contains("language: python")).expect("it has a recipe");
    let repository = sandbox.repository("by-recipe");
    repository.stage(".pre-commit-config.yaml", recipe.split("```").next().unwrap_or_default());
    stops_with_the_wheel(&repository, &wheels);

    let files = [".pre-commit-hooks.yaml", "ci/pre-commit/pyproject.toml"];
    let ids = ["keyfence-python", "keyfence-python-commit-msg", "keyfence-python-pre-push"];
    let repository = using(&sandbox, &ids, &files);
    stops_with_the_wheel(&repository, &wheels);
    let message = format!("Use the new key\n\n{}", leaking_env());
    let stopped =
        with_wheel(&repository, &wheels, Path::new("git"), &["commit", "--allow-empty", "-m", &message]);
    assert_stopped("a message, by the wheel's program", &stopped);

    let run = |words: &[&str]| with_wheel(&repository, &wheels, Path::new("git"), words);
    let installed = with_wheel(&repository, &wheels, framework(), &["install", "-t", "pre-push"]);
    assert!(installed.status.success(), "{}", words(&installed));
    let server = sandbox.path("server").display().to_string();
    repository.git(&["init", "--quiet", "--bare", &server]);
    let pushed = run(&["push", &server, "HEAD:refs/heads/main"]);
    assert!(pushed.status.success(), "{}", words(&pushed));
    repository.stage(".env", &leaking_env());
    repository.git(&["commit", "--quiet", "--no-verify", "-m", "Add the keys"]);
    assert_stopped("a push, by the wheel's program", &run(&["push", &server, "HEAD:refs/heads/main"]));
}

/// Runs a program that finds no keyfence but in the wheels.
fn with_wheel(repository: &Repository<'_>, wheels: &Path, program: &Path, arguments: &[&str]) -> Output {
    let mut command = repository.sandbox.command(program, &repository.top);
    command.env("PRE_COMMIT_HOME", repository.sandbox.path("cache")).env("PIP_FIND_LINKS", wheels);
    command.args(arguments).output().expect("the program can be started")
}

fn stops_with_the_wheel(repository: &Repository<'_>, wheels: &Path) {
    let run = |program: &Path, arguments: &[&str]| with_wheel(repository, wheels, program, arguments);
    let installed = run(framework(), &["install", "-t", "pre-commit", "-t", "commit-msg"]);
    assert!(installed.status.success(), "{}", words(&installed));
    repository.stage(".env", &leaking_env());
    assert_stopped("by the wheel's program", &run(Path::new("git"), &["commit", "-m", "Add a bot"]));
    repository.git(&["rm", "--quiet", "--cached", ".env"]);
    let passed = run(Path::new("git"), &["commit", "-m", "Add a bot"]);
    assert!(passed.status.success(), "{}", words(&passed));
}

#[test]
fn the_lines_that_install_tells_work() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.stage(".pre-commit-config.yaml", "repos: []\n");
    let advice = repository.keyfence(&["hook", "install"]);
    assert_eq!(advice.status.code(), Some(3), "{}", words(&advice));
    let told = words(&advice);
    let lines: Vec<&str> = told
        .lines()
        .skip_while(|line| !line.contains("repo: local"))
        .take_while(|line| line.starts_with("    "))
        .collect();
    assert_eq!(lines.len(), 4, "the repository, its hooks, and one line for each stage: {told}");
    repository.stage(".pre-commit-config.yaml", &format!("repos:\n{}\n", lines.join("\n")));
    run(&repository, framework(), &["install", "-t", "pre-commit", "-t", "commit-msg"], &[]);
    repository.stage(".env", &leaking_env());
    assert_stopped("with the advised lines", &commit(&repository, &[]));
    repository.git(&["rm", "--quiet", "--cached", ".env"]);
    let message = format!("Use the new key\n\n{}", leaking_env());
    let stopped = run(&repository, Path::new("git"), &["commit", "-m", &message], &[]);
    assert_stopped("a message, with the advised lines", &stopped);
    let status = repository.keyfence(&["hook", "status"]);
    assert_eq!(status.status.code(), Some(0), "{}", words(&status));
}
