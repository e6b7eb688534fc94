//! The installed hook under the real git: what is stopped, what goes through, and what happens to other hooks.

#![cfg(unix)]

#[path = "cli/support.rs"]
mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use support::{KEYFENCE, Repository, Sandbox, assert_stopped, leaking_env, words};

const CLEAN: &str = "print('no secret here')\n";

fn write_hook(file: &Path, script: &str) {
    fs::create_dir_all(file.parent().expect("a hook is in a directory")).expect("the sandbox is writable");
    fs::write(file, script).expect("the sandbox is writable");
    fs::set_permissions(file, Permissions::from_mode(0o755)).expect("the file is ours");
}

fn assert_passed(situation: &str, output: &Output) {
    assert!(output.status.success(), "{situation}: {}", words(output));
}

#[test]
fn a_leaking_commit_is_stopped_and_a_clean_one_is_not() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.install_hook();

    repository.stage("src/bot.py", CLEAN);
    repository.stage(".env", &leaking_env());
    let stopped = repository.try_git(&["commit", "-m", "Add keys"]);
    assert_stopped("the first commit", &stopped);
    let told = words(&stopped);
    for part in [".env:1", ".env:2", "git rm --cached", "keyfence:allow", "git commit --no-verify"] {
        assert!(told.contains(part), "the message lacks {part:?}:\n{told}");
    }
    let first = told.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_lowercase();
    assert!(first.contains("stopped"), "the first line must say what happened:\n{told}");
    assert_eq!(repository.commits(), 0);

    repository.git(&["rm", "--quiet", "--cached", ".env"]);
    let passed = repository.try_git(&["commit", "--quiet", "-m", "Add the bot"]);
    assert_passed("without the keys", &passed);
    assert_eq!(words(&passed), "", "a clean commit hears nothing");
}

/// Leaves a leak in the index or the work tree, and commits.
type Situation = fn(&Repository<'_>) -> Output;

fn staged_leak(repository: &Repository<'_>) {
    repository.stage(".env", &leaking_env());
}

const STOPPED: &[(&str, Situation)] = &[
    ("commit -a", |repository| {
        repository.write("README.md", &leaking_env());
        repository.try_git(&["commit", "-a", "-m", "x"])
    }),
    ("commit <path> with something else staged", |repository| {
        repository.stage("bot.py", CLEAN);
        repository.write("README.md", &leaking_env());
        repository.try_git(&["commit", "-m", "x", "--", "README.md"])
    }),
    ("commit --include", |repository| {
        repository.write("README.md", &leaking_env());
        repository.try_git(&["commit", "-m", "x", "--include", "README.md"])
    }),
    ("commit --amend", |repository| {
        staged_leak(repository);
        repository.try_git(&["commit", "--amend", "-m", "x"])
    }),
    ("commit from a subdirectory", |repository| {
        repository.stage("sub/.env", &leaking_env());
        repository.try_git(&["-C", "sub", "commit", "-m", "x"])
    }),
    ("cleaned in the work tree after staging", |repository| {
        staged_leak(repository);
        repository.write(".env", "");
        repository.try_git(&["commit", "-m", "x"])
    }),
    ("deleted in the work tree after staging", |repository| {
        staged_leak(repository);
        fs::remove_file(repository.top.join(".env")).expect("it was written");
        repository.try_git(&["commit", "-m", "x"])
    }),
    ("a name that git would quote", |repository| {
        repository.stage("my \"keys\"\n\t\u{1b}[2J.env", &leaking_env());
        repository.try_git(&["commit", "-m", "x"])
    }),
    ("renamed and edited", |repository| {
        repository.git(&["mv", "README.md", "keys.env"]);
        let content = fs::read_to_string(repository.top.join("keys.env")).expect("it was moved");
        repository.stage("keys.env", &(content + &leaking_env()));
        repository.try_git(&["commit", "-m", "x"])
    }),
    ("on a detached HEAD", |repository| {
        repository.git(&["checkout", "--quiet", "--detach"]);
        staged_leak(repository);
        repository.try_git(&["commit", "-m", "x"])
    }),
    ("a staged .gitattributes that calls it binary", |repository| {
        repository.stage(".gitattributes", "* binary -diff\n");
        staged_leak(repository);
        repository.try_git(&["commit", "-m", "x"])
    }),
    ("a squashed merge", |repository| {
        repository.git(&["checkout", "--quiet", "-b", "side"]);
        staged_leak(repository);
        repository.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        repository.git(&["checkout", "--quiet", "main"]);
        repository.git(&["merge", "--quiet", "--squash", "side"]);
        repository.try_git(&["commit", "-m", "x"])
    }),
];

#[test]
fn every_way_to_commit_is_looked_at() {
    for (name, situation) in STOPPED {
        let sandbox = Sandbox::new();
        let repository = sandbox.repository("bot");
        repository.first_commit();
        repository.install_hook();
        let output = situation(&repository);
        assert_stopped(name, &output);
        assert!(!words(&output).contains('\u{1b}'), "{name}: a file name reached the terminal");
        assert_eq!(repository.commits(), 1, "{name}");
    }
}

const LET_THROUGH: &[(&str, Situation)] = &[
    ("the leak is only in the work tree", |repository| {
        repository.stage("bot.py", CLEAN);
        repository.write(".env", &leaking_env());
        repository.try_git(&["commit", "-m", "x"])
    }),
    ("the leak is dirty in a file that is staged clean", |repository| {
        repository.stage("bot.py", CLEAN);
        repository.write("bot.py", &leaking_env());
        repository.try_git(&["commit", "-m", "x"])
    }),
    ("the leak is removed", |repository| {
        staged_leak(repository);
        repository.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        repository.git(&["rm", "--quiet", ".env"]);
        repository.try_git(&["commit", "-m", "x"])
    }),
    ("an old leak far from the change", |repository| {
        let padding = "# nothing\n".repeat(200);
        repository.stage("settings.env", &format!("{}{padding}A=1\n", leaking_env()));
        repository.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        repository.stage("settings.env", &format!("{}{padding}A=2\n", leaking_env()));
        repository.try_git(&["commit", "-m", "x"])
    }),
    ("only a mode changes", |repository| {
        repository.git(&["update-index", "--chmod=+x", "README.md"]);
        repository.try_git(&["commit", "-m", "x"])
    }),
    ("in an emergency", |repository| {
        staged_leak(repository);
        repository.try_git(&["commit", "--no-verify", "-m", "x"])
    }),
];

#[test]
fn what_is_not_committed_stops_nothing() {
    for (name, situation) in LET_THROUGH {
        let sandbox = Sandbox::new();
        let repository = sandbox.repository("bot");
        repository.first_commit();
        repository.install_hook();
        assert_passed(name, &situation(&repository));
    }
}

#[test]
fn a_true_merge_is_looked_at_with_its_own_stage() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.first_commit();
    repository.keyfence(&["hook", "install", "--stage", "pre-merge-commit"]);
    repository.git(&["checkout", "--quiet", "-b", "side"]);
    repository.stage(".env", &leaking_env());
    repository.git(&["commit", "--quiet", "-m", "x"]);
    repository.git(&["checkout", "--quiet", "main"]);
    repository.stage("bot.py", CLEAN);
    repository.git(&["commit", "--quiet", "-m", "x"]);
    assert_stopped("a merge", &repository.try_git(&["merge", "--no-edit", "side"]));
}

#[test]
fn a_message_is_looked_at() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.first_commit();
    repository.install_hook();
    repository.stage("bot.py", CLEAN);
    let message = format!("Rotate the keys\n\n{}", leaking_env());
    assert_stopped("a message", &repository.try_git(&["commit", "-m", &message]));
    assert_passed("another message", &repository.try_git(&["commit", "-m", "Rotate the keys"]));
}

#[test]
fn wrappers_may_change_the_directory() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.first_commit();
    repository.stage("frontend/index.js", "// nothing\n");
    let wrapper = format!("#!/bin/sh\ncd frontend && exec '{KEYFENCE}' hook run pre-commit\n");
    write_hook(&repository.top.join(".git/hooks/pre-commit"), &wrapper);
    repository.stage(".env", &leaking_env());
    for arguments in
        [&["commit", "-m", "x"][..], &["commit", "-a", "-m", "x"], &["commit", "-m", "x", ".env"]]
    {
        assert_stopped(&format!("{arguments:?}"), &repository.try_git(arguments));
    }
}

#[test]
fn a_hook_that_was_there_runs_first_and_comes_back() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.first_commit();
    let hook = repository.top.join(".git/hooks/pre-commit");
    let mine = "#!/bin/sh\necho ran >> ran\nexit \"$(cat code 2>/dev/null || echo 0)\"\n";
    write_hook(&hook, mine);
    repository.install_hook();
    repository.install_hook();

    repository.stage(".env", &leaking_env());
    assert_stopped("after the other hook", &repository.try_git(&["commit", "-m", "x"]));
    assert_eq!(fs::read_to_string(repository.top.join("ran")).ok().as_deref(), Some("ran\n"));

    repository.git(&["rm", "--quiet", "--cached", ".env"]);
    repository.write("code", "7");
    let status = repository.run(&hook, &[]).status;
    assert_eq!(status.code(), Some(7), "the other hook's code is kept");

    let removed = repository.keyfence(&["hook", "uninstall"]);
    assert_passed("uninstall", &removed);
    assert_eq!(fs::read_to_string(&hook).ok().as_deref(), Some(mine));
    assert!(!repository.top.join(".git/hooks/pre-commit.before-keyfence").exists());
    assert!(!repository.top.join(".git/hooks/commit-msg").exists());
}

#[test]
fn installing_twice_changes_nothing() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.install_hook();
    let hook = repository.top.join(".git/hooks/pre-commit");
    let before = fs::read(&hook).expect("it was installed");
    let again = repository.keyfence(&["hook", "install"]);
    assert!(words(&again).contains("already installed: pre-commit"), "{}", words(&again));
    assert_eq!(fs::read(&hook).expect("it is still there"), before);
    let left: Vec<_> = fs::read_dir(hook.parent().expect("it is in a directory"))
        .expect("it can be listed")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.ends_with(".sample"))
        .collect();
    assert_eq!(left.len(), 2, "only the two hooks: {left:?}");
}

#[test]
fn the_configured_hook_directory_is_used() {
    let sandbox = Sandbox::new();
    for (name, configured) in [("relative", ".githooks".to_owned()), ("home", "~/hooks".to_owned())] {
        let repository = sandbox.repository(name);
        repository.first_commit();
        repository.git(&["config", "core.hooksPath", &configured]);
        repository.install_hook();
        assert!(!repository.top.join(".git/hooks/pre-commit").exists(), "{name}");
        repository.stage(".env", &leaking_env());
        assert_stopped(name, &repository.try_git(&["commit", "-m", "x"]));
    }
}

#[test]
fn linked_worktrees_share_the_hook() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.first_commit();
    repository.git(&["worktree", "add", "--quiet", "../linked", "-b", "side"]);
    let linked = Repository { sandbox: &sandbox, top: sandbox.path("linked") };
    linked.install_hook();
    for (name, place) in [("linked", &linked), ("main", &repository)] {
        place.stage(".env", &leaking_env());
        assert_stopped(name, &place.try_git(&["commit", "-m", "x"]));
        assert_stopped(name, &place.try_git(&["commit", "-a", "-m", "x"]));
    }
}

#[test]
fn submodules_have_their_own_hook() {
    let sandbox = Sandbox::new();
    let origin = sandbox.repository("origin");
    origin.first_commit();
    let repository = sandbox.repository("bot");
    repository.first_commit();
    repository.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        "../origin",
        "module",
    ]);
    let module = Repository { sandbox: &sandbox, top: repository.top.join("module") };
    module.install_hook();
    assert!(repository.top.join(".git/modules/module/hooks/pre-commit").exists());
    assert!(!repository.top.join(".git/hooks/pre-commit").exists());
    module.stage(".env", &leaking_env());
    assert_stopped("in the submodule", &module.try_git(&["commit", "-m", "x"]));
}

/// A copy of the program that a test may delete.
fn own_program(sandbox: &Sandbox) -> PathBuf {
    let program = sandbox.path("it's a bin/keyfence");
    fs::create_dir_all(program.parent().expect("it is in a directory")).expect("the sandbox is writable");
    fs::copy(KEYFENCE, &program).expect("the program can be copied");
    program
}

#[test]
fn a_hook_whose_program_is_gone_stops_with_one_sentence() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.first_commit();
    let program = own_program(&sandbox);
    assert_passed("install", &repository.run(&program, &["hook", "install", "--stage", "pre-commit"]));
    repository.stage("bot.py", CLEAN);
    assert_passed("while it is there", &repository.try_git(&["commit", "-m", "x"]));
    fs::remove_file(&program).expect("it was copied");

    repository.stage("bot.py", "print('still clean')\n");
    let stopped = repository.try_git(&["commit", "-m", "x"]);
    let told = words(&stopped);
    assert!(!stopped.status.success(), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    let undo =
        told.split('(').next_back().and_then(|end| end.split(").").next()).expect("it tells a way out");
    assert!(told.contains("install it again") && undo.starts_with("rm "), "{told}");

    let status = repository.keyfence(&["hook", "status", "--stage", "pre-commit"]);
    assert_eq!(status.status.code(), Some(3), "{}", words(&status));
    assert!(words(&status).contains("is gone"), "{}", words(&status));

    assert_passed(undo, &repository.run(Path::new("/bin/sh"), &["-c", undo]));
    assert_passed("after the way out", &repository.try_git(&["commit", "-m", "x"]));
}

#[test]
fn what_cannot_be_checked_is_stopped() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.first_commit();
    repository.stage("bot.py", CLEAN);
    let object = repository.git(&["rev-parse", ":bot.py"]).stdout;
    let object = String::from_utf8_lossy(&object).trim().to_owned();
    let (folder, file) = object.split_at(2);
    fs::remove_file(repository.top.join(".git/objects").join(folder).join(file))
        .expect("the object is loose");
    let missing = repository.keyfence(&["hook", "run", "pre-commit"]);

    repository.write(".git/index", "no index");
    let corrupt = repository.keyfence(&["hook", "run", "pre-commit"]);

    let elsewhere =
        sandbox.command(KEYFENCE, &sandbox.path("home")).args(["hook", "run", "pre-commit"]).output();
    let elsewhere = elsewhere.expect("keyfence can be started");
    for (name, output) in [("missing", missing), ("corrupt", corrupt), ("no repository", elsewhere)] {
        assert_eq!(output.status.code(), Some(3), "{name}: {}", words(&output));
        assert!(words(&output).contains("git commit --no-verify"), "{name}: {}", words(&output));
    }
}

#[test]
fn managers_are_told_their_lines() {
    for (file, lines) in [
        (".husky/_/h", ["keyfence hook run pre-commit", "keyfence hook run commit-msg \"$1\""]),
        ("lefthook.yml", ["run: keyfence hook run pre-commit", "keyfence hook run commit-msg {1}"]),
        (".pre-commit-config.yaml", ["- repo: local", "entry: keyfence hook run pre-commit"]),
    ] {
        let sandbox = Sandbox::new();
        let repository = sandbox.repository("bot");
        repository.write(file, "");
        let output = repository.keyfence(&["hook", "install"]);
        let told = words(&output);
        assert_eq!(output.status.code(), Some(3), "{file}: {told}");
        assert!(lines.iter().all(|line| told.contains(line)), "{file}: {told}");
        assert!(!repository.top.join(".git/hooks/pre-commit").exists(), "{file}");
        assert_passed(file, &repository.keyfence(&["hook", "install", "--force"]));
        assert_passed(file, &repository.keyfence(&["hook", "status"]));
    }
}

#[test]
fn a_template_serves_every_new_repository() {
    let sandbox = Sandbox::new();
    let home = sandbox.path("home");
    let keyfence = |arguments: &[&str]| {
        sandbox.command(KEYFENCE, &home).args(arguments).output().expect("keyfence can be started")
    };
    let first = keyfence(&["hook", "install", "--global"]);
    assert_eq!(first.status.code(), Some(3), "{}", words(&first));
    let told = words(&first);
    let command =
        told.lines().map(str::trim).find(|line| line.starts_with("git config")).expect("a command is told");
    let shell = sandbox.command("/bin/sh", &home).args(["-c", command]).output().expect("there is a shell");
    assert_passed(command, &shell);
    assert_passed("again", &keyfence(&["hook", "install", "--global"]));
    assert_passed("status", &keyfence(&["hook", "status", "--global"]));

    let repository = sandbox.repository("bot");
    repository.stage(".env", &leaking_env());
    assert_stopped("in a new repository", &repository.try_git(&["commit", "-m", "x"]));
    assert_passed("uninstall", &keyfence(&["hook", "uninstall", "--global"]));
    assert_eq!(keyfence(&["hook", "status", "--global"]).status.code(), Some(3));
}

#[test]
fn status_tells_what_is_where() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    let hook = repository.top.join(".git/hooks/pre-commit");
    let expect = |code: i32, part: &str| {
        let output = repository.keyfence(&["hook", "status"]);
        let told = words(&output);
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(part), "{part:?} is not in\n{told}");
    };
    expect(3, "pre-commit: not installed");
    write_hook(&hook, "#!/bin/sh\n");
    expect(3, "pre-commit: foreign");
    repository.install_hook();
    expect(0, "after pre-commit.before-keyfence");
    let script = fs::read_to_string(&hook).expect("it is a script");
    write_hook(&hook, &script.replace("version 1", "version 0"));
    expect(0, "pre-commit: outdated");
    fs::set_permissions(&hook, Permissions::from_mode(0o644)).expect("the file is ours");
    expect(3, "not executable");
    repository.install_hook();
    expect(0, "pre-commit: installed");
}
