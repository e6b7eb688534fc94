//! Real pushes to a real bare repository: every row once with the hook where it is pushed from, once where it arrives.
//!
//! A stopped push names what was found and keeps the value to itself.

#![cfg(unix)]

#[path = "common/figures.rs"]
mod figures;
#[path = "cli/support.rs"]
mod support;

use std::path::Path;
use std::process::Output;

use support::{KEYFENCE, Repository, Sandbox, assert_stopped, leaking_env, secret_value, words};

/// Whether the push has to be stopped, and the script whose last command pushes. `$leak` is a file that leaks.
type Row = (&'static str, bool, &'static str);

const ROWS: &[Row] = &[
    ("nothing new", false, "git push -q origin main"),
    ("clean", false, "echo x > a; git add a; git commit -qm a; git push -q origin main"),
    ("new file", true, "cp $leak .env; git add -f .env; git commit -qm a; git push -q origin main"),
    (
        "added and removed again",
        true,
        "cp $leak .env; git add -f .env; git commit -qm a; git rm -q .env; git commit -qm b; git push -q origin main",
    ),
    (
        "new branch",
        true,
        "git switch -qc x; cp $leak a.env; git add -f .; git commit -qm a; git push -q origin x",
    ),
    ("new branch of known commits", false, "git push -q origin main:refs/heads/x"),
    ("commit message", true, "git commit -q --allow-empty -F $leak; git push -q origin main"),
    (
        "author",
        true,
        "GIT_AUTHOR_NAME=\"$(tail -n 1 $leak)\" git commit -q --allow-empty -m a; git push -q origin main",
    ),
    ("tag message", true, "git tag -a -F $leak v1; git push -q origin v1"),
    ("light tag of a known commit", false, "git tag v1; git push -q origin v1"),
    ("tag of a file", true, "git tag v1 $(git hash-object -w $leak); git push -q origin v1"),
    (
        "reference to a file",
        true,
        "git update-ref refs/things/x $(git hash-object -w $leak); git push -q origin refs/things/x",
    ),
    (
        "reference to a directory",
        true,
        "cp $leak .env; git add -f .env; git update-ref refs/things/x $(git write-tree); git push -q origin refs/things/x",
    ),
    (
        "evil merge",
        true,
        "git switch -qc x; echo x > x; git add x; git commit -qm x; git switch -q main; echo y > y; git add y; \
         git commit -qm y; git merge -q --no-commit x; cp $leak a.env; git add -f a.env; git commit -qm m; \
         git push -q origin main",
    ),
    (
        "octopus",
        true,
        "for b in x y; do git switch -qc $b main; echo $b > $b; git add $b; git commit -qm $b; done; \
         git switch -q main; t=$(git merge-tree --write-tree x y); cp $leak a.env; git read-tree $t; \
         git add -f a.env; c=$(git commit-tree -p main -p x -p y -m o $(git write-tree)); \
         git push -q origin $c:refs/heads/main",
    ),
    (
        "marked as no text",
        true,
        "echo '* -diff' > .gitattributes; cp $leak a.env; git add -f .; git commit -qm a; git push -q origin main",
    ),
    (
        "renamed and changed",
        true,
        "seq 50 > a; git add a; git commit -qm a; git mv a b; cat $leak >> b; git add b; git commit -qm b; \
         git push -q origin main",
    ),
    (
        "forced",
        true,
        "git commit -q --amend -m other; cp $leak a.env; git add -f a.env; git commit -qm a; git push -qf origin main",
    ),
    ("forced and clean", false, "git commit -q --amend -m other; git push -qf origin main"),
    ("deletion", false, "git push -q --no-verify origin main:refs/heads/x; git push -q origin :x"),
    (
        "several references",
        true,
        "git branch y; git switch -qc x; cp $leak a.env; git add -f .; git commit -qm a; git push -q origin y x",
    ),
    (
        "what the remote has already",
        false,
        "cp $leak a.env; git add -f a.env; git commit -qm a; BEFORE; echo x > x; git add x; git commit -qm x; \
         git push -q origin main",
    ),
    ("reference name", true, "git push -q origin main:refs/heads/$(tail -n 1 $leak)"),
];

/// A work tree that was cloned from a bare repository beside it.
fn cloned<'a>(sandbox: &'a Sandbox, options: &[&str]) -> Repository<'a> {
    let seed = sandbox.repository("seed");
    drop(std::fs::remove_dir_all(seed.top.join(".git")));
    seed.git(&[&["init", "-q", "--initial-branch=main"], options].concat());
    seed.first_commit();
    seed.git(&["clone", "-q", "--bare", ".", "../remote.git"]);
    seed.git(&["clone", "-q", "../remote.git", "../work"]);
    Repository { sandbox, top: sandbox.path("work") }
}

fn install(repository: &Repository<'_>, stage: &str) {
    let output = repository.keyfence(&["hook", "install", "--stage", stage]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
}

fn shell(repository: &Repository<'_>, script: &str) -> Output {
    let leak = repository.sandbox.path("leak");
    std::fs::write(&leak, leaking_env()).expect("the sandbox is writable");
    let mut command = repository.sandbox.command("/bin/sh", &repository.top);
    command.env("leak", leak).args(["-ec", script]).output().expect("a shell can be started")
}

/// git itself names the references that were refused.
fn without_git_words(output: Output) -> Output {
    let text = String::from_utf8_lossy(&output.stderr);
    let of_git = |line: &&str| line.starts_with(" ! ") || line.contains("hook declined to update");
    let stderr: String = text.split_inclusive('\n').filter(|line| !of_git(line)).collect();
    let stderr = stderr.into_bytes();
    Output { stderr, ..output }
}

fn every_row(stage: &str, options: &[&str]) {
    for &(name, stops, script) in ROWS {
        let sandbox = Sandbox::new();
        let work = cloned(&sandbox, options);
        let remote = Repository { sandbox: &sandbox, top: sandbox.path("remote.git") };
        let (before, after) = script.split_once("BEFORE;").unwrap_or(("", script));
        if !before.is_empty() {
            let output = shell(&work, &format!("{before} git push -q origin main"));
            assert!(output.status.success(), "{name}: {}", words(&output));
        }
        install(if stage == "pre-push" { &work } else { &remote }, stage);
        let output = without_git_words(shell(&work, after));
        let situation = format!("{stage} {options:?} {name}");
        if stops {
            assert_stopped(&situation, &output);
            assert!(words(&output).contains("stopped this push"), "{situation}: {}", words(&output));
        } else {
            assert!(output.status.success(), "{situation}: {}", words(&output));
        }
    }
    figures::share("push cases", 5, ROWS.len());
}

#[test]
fn what_leaves_is_looked_at() {
    every_row("pre-push", &[]);
}

#[test]
fn what_arrives_is_looked_at_in_quarantine() {
    every_row("pre-receive", &[]);
}

#[test]
fn what_arrives_is_looked_at_by_reference() {
    every_row("update", &[]);
}

#[test]
fn other_hashes_are_pushed_too() {
    every_row("pre-push", &["--object-format=sha256"]);
    every_row("pre-receive", &["--object-format=sha256"]);
}

#[test]
fn an_earlier_hook_reads_what_git_says_too() {
    let sandbox = Sandbox::new();
    let work = cloned(&sandbox, &[]);
    let script = "printf '#!/bin/sh\\ncat > ../heard\\n' > .git/hooks/pre-push; chmod +x .git/hooks/pre-push";
    assert!(shell(&work, script).status.success());
    install(&work, "pre-push");
    let output = shell(&work, "cp $leak a.env; git add -f .; git commit -qm a; git push -q origin main");
    assert_stopped("after another hook", &output);
    let heard = std::fs::read_to_string(sandbox.path("heard")).expect("the other hook ran");
    assert!(heard.starts_with("refs/heads/main "), "{heard}");
}

#[test]
fn a_linked_worktree_pushes_under_the_same_hook() {
    let sandbox = Sandbox::new();
    let work = cloned(&sandbox, &[]);
    install(&work, "pre-push");
    work.git(&["worktree", "add", "-q", "../linked", "-b", "linked"]);
    let linked = Repository { sandbox: &sandbox, top: sandbox.path("linked") };
    let output = shell(&linked, "cp $leak a.env; git add -f .; git commit -qm a; git push -q origin linked");
    assert_stopped("linked worktree", &output);
}

#[test]
fn a_stopped_push_tells_the_ways_out() {
    let sandbox = Sandbox::new();
    let work = cloned(&sandbox, &[]);
    install(&work, "pre-push");
    let output = shell(&work, "cp $leak a.env; git add -f .; git commit -qm a; git push -q origin main");
    let words = words(&output);
    let head = work.git(&["rev-parse", "HEAD"]);
    let commit = String::from_utf8_lossy(&head.stdout)[..12].to_owned();
    for expected in ["stopped this push", "rebase --interactive", &commit, "git push --no-verify"] {
        assert!(words.contains(expected), "{expected} is missing:\n{words}");
    }
    let past = shell(&work, "git push -q --no-verify origin main");
    assert!(past.status.success());
}

/// The exit code and everything that was written.
#[track_caller]
fn expect(output: &Output, code: i32, parts: &[&str]) {
    let words = words(output);
    assert_eq!(output.status.code(), Some(code), "{words}");
    assert!(!words.contains(&secret_value()), "the secret was printed");
    for part in parts {
        assert!(words.contains(part), "{part:?} is missing:\n{words}");
    }
}

/// Three commits: clean, a leak, the leak taken out again.
fn leaked_and_removed(sandbox: &Sandbox) -> Repository<'_> {
    let work = cloned(sandbox, &[]);
    let script =
        "cp $leak a.env; git add -f .; git commit -qm a; git rm -q a.env; git commit -qm b; git tag end";
    assert!(shell(&work, script).status.success());
    work
}

#[test]
fn ranges_are_named_as_people_name_them() {
    let sandbox = Sandbox::new();
    let work = leaked_and_removed(&sandbox);
    let rows: &[(&[&str], i32, &str)] = &[
        (&["--range", "origin/main..HEAD"], 1, "a.env:2"),
        (&["--range", "origin/main...@"], 1, "a.env:2"),
        (&["--range", "HEAD~2..end"], 1, "a.env:2"),
        (&["--range", "HEAD^^.."], 1, "a.env:2"),
        (&["--range", "main~2^{commit}..refs/heads/main"], 1, "a.env:2"),
        (&["--since-commit", "origin/main"], 1, "a.env:2"),
        (&["--range", "HEAD~1..HEAD"], 0, ""),
        (&["--range", "HEAD..HEAD"], 0, ""),
        (&["--range", "nowhere..HEAD"], 3, "the base nowhere is not known"),
        (&["--range", "HEAD~9..HEAD"], 3, "further than there are commits"),
        (&["--range", "HEAD..nowhere"], 3, "the head nowhere is not known"),
        (&["--range", "HEAD@{1}..HEAD"], 3, "not understood here"),
    ];
    for (arguments, code, part) in rows {
        expect(&work.keyfence(&[&["scan"], *arguments].concat()), *code, &[part]);
    }
    let id = work.git(&["rev-parse", "HEAD~2"]);
    let short = String::from_utf8_lossy(&id.stdout)[..7].to_owned();
    expect(&work.keyfence(&["scan", "--range", &format!("{short}..")]), 1, &["a.env:2"]);
    let leaking = work.git(&["rev-parse", "HEAD~1"]);
    let leaking = String::from_utf8_lossy(&leaking.stdout).trim().to_owned();
    expect(&work.keyfence(&["scan", "-f", "json", "--since-commit", "origin/main"]), 1, &[&leaking]);
}

#[test]
fn what_a_clone_left_out_is_not_clean() {
    let sandbox = Sandbox::new();
    let work = leaked_and_removed(&sandbox);
    work.git(&["commit", "-q", "--allow-empty", "-m", "c"]);
    work.git(&["push", "-q", "origin", "main"]);
    let remote = format!("file://{}", sandbox.path("remote.git").display());
    work.git(&["clone", "-q", "--depth=2", &remote, "../shallow"]);
    let shallow = Repository { sandbox: &sandbox, top: sandbox.path("shallow") };
    let id = work.git(&["rev-parse", "HEAD~3"]);
    let base = String::from_utf8_lossy(&id.stdout).trim().to_owned();
    let range = format!("{base}..HEAD");
    expect(&shallow.keyfence(&["scan", "--range", &range]), 3, &["git fetch --unshallow"]);
    expect(&shallow.keyfence(&["scan", "--range", "HEAD~1..HEAD"]), 0, &[]);
    shallow.git(&["commit", "-q", "--allow-empty", "-m", "unrelated"]);
    let event = sandbox.path("event.json");
    let text = format!(r#"{{"pull_request":{{"base":{{"sha":"{base}"}},"head":{{"sha":"HEAD"}}}}}}"#);
    std::fs::write(&event, text).expect("the sandbox is writable");
    let output = ci(&shallow, "pull_request", &event);
    expect(&output, 3, &["fetch-depth: 0"]);
    work.git(&["-C", "../remote.git", "config", "uploadpack.allowFilter", "true"]);
    work.git(&["clone", "-q", "--bare", "--filter=blob:none", &remote, "../partial"]);
    let partial = Repository { sandbox: &sandbox, top: sandbox.path("partial") };
    expect(&partial.keyfence(&["scan", "--range", &range]), 3, &["a.env", "INCOMPLETE"]);
}

#[test]
fn ends_that_cannot_be_read_are_not_clean() {
    let sandbox = Sandbox::new();
    let work = cloned(&sandbox, &[]);
    let script = "git pack-refs --all; cp $leak a.env; git add -f .; git commit -qm a";
    assert!(shell(&work, script).status.success());
    expect(&work.keyfence(&["scan", "--range", "origin/main..main"]), 1, &["a.env:2"]);

    let id = work.git(&["rev-parse", "HEAD"]);
    let id = String::from_utf8_lossy(&id.stdout).trim().to_owned();
    let object = work.top.join(".git/objects").join(&id[..2]).join(&id[2..]);
    let whole = std::fs::read(&object).expect("the commit is a loose object");
    let replace = |place: &Path, bytes: &[u8]| {
        std::fs::remove_file(place).expect("git made it");
        std::fs::write(place, bytes).expect("the sandbox is writable");
    };
    // Its first bytes still say that it is a commit.
    replace(&object, &whole[..whole.len() / 2]);
    expect(
        &work.keyfence(&["scan", "--range", "origin/main..main"]),
        3,
        &["INCOMPLETE", &id, "cannot be read"],
    );
    replace(&object, &whole);

    // What `packed-refs` still says of the branch is older than the leak.
    let reference = work.top.join(".git/refs/heads/main");
    for broken in ["", "nonsense\n"] {
        replace(&reference, broken.as_bytes());
        for range in ["origin/main..main", "origin/main..HEAD", "main..origin/main"] {
            let parts = ["cannot be told", "refs/heads/main could not be read"];
            expect(&work.keyfence(&["scan", "--range", range]), 3, &parts);
        }
    }
}

fn ci(repository: &Repository<'_>, event: &str, file: &Path) -> Output {
    let mut command = repository.sandbox.command(KEYFENCE, &repository.top);
    command.arg("ci").env("GITHUB_ACTIONS", "true").env("GITHUB_EVENT_NAME", event);
    command.env("GITHUB_EVENT_PATH", file).output().expect("keyfence can be started")
}

#[test]
fn a_build_is_judged_by_what_was_allowed_before() {
    let sandbox = Sandbox::new();
    let work = leaked_and_removed(&sandbox);
    let event = sandbox.path("event.json");
    let write = |base: &str, head: &str| {
        let id =
            |name: &str| String::from_utf8_lossy(&work.git(&["rev-parse", name]).stdout).trim().to_owned();
        let text = format!(
            r#"{{"pull_request":{{"base":{{"sha":"{}"}},"head":{{"sha":"{}"}}}}}}"#,
            id(base),
            id(head)
        );
        std::fs::write(&event, text).expect("the sandbox is writable");
    };
    write("HEAD~2", "HEAD");
    expect(&ci(&work, "pull_request", &event), 1, &["GitHub Actions, pull_request: judging", "a.env:2"]);
    write("HEAD~1", "HEAD");
    expect(&ci(&work, "pull_request", &event), 0, &[]);
    // An ignore file and a comment that came with the leak do not count before they are merged.
    let script = "echo '*.env' > .keyfenceignore; cp $leak b.env; \
                  sed 's/$/ # keyfence:allow[*] mine/' $leak > c.py; git add -f .; git commit -qm c";
    assert!(shell(&work, script).status.success());
    write("HEAD~1", "HEAD");
    expect(&ci(&work, "pull_request", &event), 1, &["b.env:2", "c.py:1"]);
    let script = "cp $leak d.env; git add -f .; git commit -qm d";
    assert!(shell(&work, script).status.success());
    write("HEAD~1", "HEAD");
    expect(&ci(&work, "pull_request", &event), 0, &[]);
    expect(&work.keyfence(&["ci"]), 2, &["no build system was recognised"]);
    expect(&work.keyfence(&["ci", "--base", "HEAD~4"]), 1, &["a.env:2"]);
}

#[test]
fn a_main_branch_is_not_compared_with_itself() {
    let sandbox = Sandbox::new();
    let work = leaked_and_removed(&sandbox);
    let script = "git branch -q -M main; git init -q --bare ../own.git; git remote add own ../own.git; git remote rename own origin 2>/dev/null || git remote set-url origin ../own.git; \
                  git push -q origin main; git remote set-head origin main";
    assert!(shell(&work, script).status.success());
    let build = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = sandbox.command(KEYFENCE, &work.top);
        command.arg("ci").args(arguments).envs(variables.iter().copied());
        command.output().expect("keyfence can be started")
    };
    /// Its name, what it says of itself, and the variable with the branch.
    type System = (&'static str, &'static [(&'static str, &'static str)], &'static str);
    let systems: [System; 5] = [
        ("Bitbucket", &[("BITBUCKET_BUILD_NUMBER", "7")], "BITBUCKET_BRANCH"),
        ("Azure", &[("TF_BUILD", "True")], "BUILD_SOURCEBRANCH"),
        ("CircleCI", &[("CIRCLECI", "true")], "CIRCLE_BRANCH"),
        (
            "Buildkite",
            &[("BUILDKITE", "true"), ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "main")],
            "BUILDKITE_BRANCH",
        ),
        ("Jenkins", &[("JENKINS_URL", "u")], "GIT_BRANCH"),
    ];
    for (name, variables, branch) in systems {
        let on = |branch_name: &'static str| [variables, &[(branch, branch_name)]].concat();
        let before = ["nothing says what", "--base HEAD^"];
        expect(&build(&on("main"), &[]), 3, &before);
        expect(&build(variables, &[]), 3, &["nothing says what was there before"]);
        expect(&build(&on("main"), &["--base", "HEAD~2"]), 1, &["a.env:2"]);
        // A branch that adds nothing to the main one is clean, and so is said.
        let output = build(&on("other"), &[]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let script = "git checkout -q -b other; cp $leak b.env; git add -f .; git commit -qm b";
    assert!(shell(&work, script).status.success());
    for (_, variables, branch) in systems {
        expect(&build(&[variables, &[(branch, "other")]].concat(), &[]), 1, &["b.env:2"]);
    }
}
