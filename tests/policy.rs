//! What a project's files allow, with the real program and the real git: baseline, configuration, ignore files.

#[path = "cli/support.rs"]
mod support;

use std::fs;
use std::process::Output;

use support::{Repository, Sandbox, leaking_env, secret_value};

/// What a person sees, in one line.
fn words(output: &Output) -> String {
    support::words(output).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Another invented pair.
fn other_env() -> String {
    let key = ["aB3dE5fG7hJ9kL2m", "N4pQ6rS8tU1vW3xY", "z5A7bC9dE2fG4hJ6", "kL8mN1pQ3rS5tU7v"].concat();
    let secret = ["Q7wE4rT1yU8iO5pA", "s2D9fG6hJ3kL7zX4", "cV1bN8mQ5wE2rT9y", "U6iO3pA7sD4fG1hJ"].concat();
    format!("BINANCE_API_KEY={key}\nBINANCE_API_SECRET={secret}\n")
}

fn baseline(repository: &Repository<'_>) -> String {
    fs::read_to_string(repository.top.join(".keyfence-baseline")).expect("there is a baseline")
}

fn assert_code(situation: &str, output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{situation}: {}", words(output));
    assert!(!words(output).contains(&secret_value()), "{situation}: the secret was printed");
}

/// A repository whose only leak is in its baseline.
fn adopted(sandbox: &Sandbox) -> Repository<'_> {
    let repository = sandbox.repository("bot");
    repository.first_commit();
    repository.stage("old/.env", &leaking_env());
    repository.git(&["commit", "--quiet", "--no-verify", "-m", "Old days"]);
    let arguments = ["baseline", "create", "--reason", "found on the first day, see OPS-12"];
    assert_code("create", &repository.keyfence(&arguments), 0);
    repository
}

#[test]
fn a_baseline_hides_a_secret_wherever_it_stands_and_no_other() {
    let sandbox = Sandbox::new();
    let repository = adopted(&sandbox);
    repository.install_hook();
    assert_code("as it was", &repository.keyfence(&["scan"]), 0);
    assert_code("without the baseline", &repository.keyfence(&["scan", "--no-baseline"]), 1);
    assert_code("from below", &repository.keyfence(&["scan", "old"]), 0);

    repository.git(&["mv", "old/.env", "moved.env"]);
    let below = format!("# one\n# two\n{}", leaking_env());
    repository.stage("moved.env", &below);
    repository.stage("copy.env", &leaking_env());
    assert_code("moved, copied and further down", &repository.keyfence(&["scan"]), 0);
    assert_code("the same when staged", &repository.keyfence(&["scan", "--staged"]), 0);
    assert_code("the same in the hook", &repository.git(&["commit", "--quiet", "-m", "Move"]), 0);

    let rotated = below.replace(&secret_value(), other_env().rsplit('=').next().unwrap_or_default().trim());
    repository.stage("moved.env", &rotated);
    assert_code("a new secret on an old line", &repository.keyfence(&["scan", "--staged"]), 1);
}

#[test]
fn a_baseline_of_the_history_holds_in_every_mode() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.first_commit();
    repository.stage("deleted/.env", &leaking_env());
    repository.git(&["commit", "--quiet", "-m", "Leak"]);
    repository.git(&["rm", "--quiet", "deleted/.env"]);
    repository.git(&["commit", "--quiet", "-m", "Take it away"]);
    repository.write("untracked.env", &other_env());
    let history = ["scan", "--history"];
    assert_code("it is in the history", &repository.keyfence(&history), 1);

    let created = repository.keyfence(&["baseline", "create", "--history", "--reason", "OPS-12"]);
    assert_code("create", &created, 0);
    assert!(words(&created).contains("with 4 secrets"), "history and files: {}", words(&created));
    assert!(words(&created).contains("critical credentials among them: 2"), "{}", words(&created));
    repository.write("copy/of/it.env", &format!("# moved\n{}", leaking_env()));
    repository.git(&["add", "copy/of/it.env"]);
    assert_code("tree", &repository.keyfence(&["scan"]), 0);
    assert_code("staged", &repository.keyfence(&["scan", "--staged"]), 0);
    repository.git(&["commit", "--quiet", "-m", "Copy"]);
    assert_code("range", &repository.keyfence(&["scan", "--range", "HEAD~3..HEAD"]), 0);
    assert_code("history", &repository.keyfence(&history), 0);
    for mode in [&["scan", "--range", "HEAD~3..HEAD"][..], &history] {
        let arguments = [mode, &["--no-baseline"]].concat();
        assert_code("without it", &repository.keyfence(&arguments), 1);
    }

    repository.git(&["rm", "--quiet", "copy/of/it.env"]);
    repository.git(&["commit", "--quiet", "-m", "Take the copy away"]);
    let text = baseline(&repository);
    let scan = repository.keyfence(&["scan"]);
    assert!(!words(&scan).contains("not here any more"), "{}", words(&scan));
    assert_code("what is in the history stays", &repository.keyfence(&["baseline", "prune"]), 0);
    assert_eq!(baseline(&repository), text);
    fs::remove_file(repository.top.join("untracked.env")).expect("it is there");
    let pruned = repository.keyfence(&["baseline", "prune"]);
    assert!(words(&pruned).contains("taken out of .keyfence-baseline: 2 secrets"), "{}", words(&pruned));
    assert_code("history after pruning", &repository.keyfence(&history), 0);
}

#[test]
fn a_baseline_can_be_widened_to_the_history() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.stage("old.env", &other_env());
    repository.git(&["commit", "--quiet", "-m", "Leak"]);
    repository.git(&["rm", "--quiet", "old.env"]);
    repository.stage("bot/.env", &leaking_env());
    repository.git(&["commit", "--quiet", "-m", "Leak another"]);
    assert_code("create", &repository.keyfence(&["baseline", "create"]), 0);
    assert_code("history", &repository.keyfence(&["scan", "--history"]), 1);
    let report = repository.keyfence(&["scan", "--history", "-f", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("it is JSON");
    let findings = report["findings"].as_array().expect("there are findings");
    let gone = findings.iter().find(|finding| finding["path"] == "old.env").expect("it is reported");
    let fingerprint = gone["fingerprint"].as_str().expect("it has one");
    assert_code("it is in no file", &repository.keyfence(&["explain", fingerprint]), 3);
    let explained = repository.keyfence(&["explain", "--history", fingerprint]);
    assert_code("explain", &explained, 0);
    assert!(words(&explained).contains(", since commit "), "{}", words(&explained));

    let updated = repository.keyfence(&["baseline", "update", "--history"]);
    assert_code("update", &updated, 0);
    assert!(words(&updated).contains("old.env:2 since commit "), "{}", words(&updated));
    assert_code("history with it", &repository.keyfence(&["scan", "--history"]), 0);
    let outside = sandbox.path("outside");
    fs::create_dir(&outside).expect("the sandbox is writable");
    let create = ["baseline", "create", "--history"];
    let nowhere = sandbox.command(support::KEYFENCE, &outside).args(create).output();
    assert_code("without a repository", &nowhere.expect("the program can be started"), 3);
    assert!(!outside.join(".keyfence-baseline").exists());
}

#[test]
fn paths_of_git_are_seen_from_the_top_wherever_keyfence_is_called() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.write(
        ".keyfence.yaml",
        "allow: [{ path: /samples/, reason: examples }, { path: svc/tests/, reason: tests }]\n",
    );
    repository.write("svc/.keyfence.yaml", "allow: [{ path: /local.env, reason: only here }]\n");
    repository.stage("svc/README.md", "A service.\n");
    repository.stage("svc/.keyfenceignore", "/fake.env\n");
    repository.stage("samples/README.md", "Samples.\n");
    repository.git(&["add", "."]);
    repository.git(&["commit", "--quiet", "-m", "Begin"]);
    let cases = [
        ("samples/.env", 0),
        ("svc/samples/.env", 1),
        ("svc/tests/.env", 0),
        ("svc/svc/tests/.env", 1),
        ("svc/local.env", 0),
        ("local.env", 1),
        ("svc/fake.env", 0),
        ("fake.env", 1),
    ];
    for (path, code) in cases {
        repository.stage(path, &leaking_env());
        for here in ["", "svc", "samples"] {
            let run = |arguments: &[&str]| {
                let mut command = sandbox.command(support::KEYFENCE, &repository.top.join(here));
                command.args(arguments).output().expect("the program can be started")
            };
            let situation = |mode: &str| format!("{path}, {mode}, called in {here:?}");
            assert_code(&situation("staged"), &run(&["scan", "--staged"]), code);
            repository.git(&["commit", "--quiet", "--no-verify", "-m", "Add"]);
            assert_code(&situation("range"), &run(&["scan", "--range", "HEAD~1..HEAD"]), code);
            assert_code(&situation("history"), &run(&["scan", "--history"]), code);
            assert_code(&situation("ci"), &run(&["ci", "--base", "HEAD~1"]), code);
            let top = repository.top.to_str().expect("the sandbox's name is UTF-8");
            assert_code(&situation("tree"), &run(&["scan", top]), code);
            repository.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
            repository.git(&["reflog", "expire", "--expire=now", "--all"]);
        }
        repository.git(&["reset", "--quiet", "--hard"]);
        repository.git(&["gc", "--quiet", "--prune=now"]);
    }
}

#[test]
fn a_baseline_holds_neither_values_nor_places_nor_times() {
    let sandbox = Sandbox::new();
    let repository = adopted(&sandbox);
    let text = baseline(&repository);
    let entries: Vec<&str> =
        text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("salt")).collect();
    assert_eq!(entries.len(), 2, "{text}");
    assert!(entries.iter().all(|line| line.ends_with("found on the first day, see OPS-12")), "{text}");
    assert!(entries.is_sorted(), "{text}");
    for pair in leaking_env().lines() {
        let value = pair.split('=').nth(1).expect("it is a pair");
        assert!(!text.contains(&value[..8]), "{text}");
    }
    assert!(!text.contains(".env"), "{text}");
    // A day, or seconds since 1970; random digits hold any number in their middle.
    let is_time = |word: &str| {
        matches!(word.as_bytes(), [_, _, _, _, b'-', _, _, b'-', ..])
            || (word.len() >= 9 && word.bytes().all(|byte| byte.is_ascii_digit()))
    };
    assert!(!text.split_whitespace().any(is_time), "{text}");

    let report = repository.keyfence(&["scan", "-f", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("it is JSON");
    for finding in report["findings"].as_array().expect("there are findings") {
        assert_eq!(finding["allowed_kind"], "baseline");
        let fingerprint = finding["fingerprint"].as_str().expect("it has one");
        assert!(
            !text.contains(&fingerprint[..8]),
            "what the reports show cannot be looked up in the baseline"
        );
    }
    fs::remove_file(repository.top.join(".keyfence-baseline")).expect("it is there");
    assert_code("again", &repository.keyfence(&["baseline", "create"]), 0);
    let hashes = |text: &str| {
        text.lines().filter_map(|line| Some(line.split_once(" binance")?.0.to_owned())).collect::<Vec<_>>()
    };
    assert_ne!(hashes(&text), hashes(&baseline(&repository)), "another salt gives other hashes");
}

#[test]
fn a_baseline_is_kept_up() {
    let sandbox = Sandbox::new();
    let repository = adopted(&sandbox);
    let before = baseline(&repository);
    let again = repository.keyfence(&["baseline", "create"]);
    assert_code("a second create", &again, 2);
    assert_code("nothing new", &repository.keyfence(&["baseline", "update"]), 0);
    assert_eq!(baseline(&repository), before, "an update without news changes no byte");

    repository.write("new.env", &other_env());
    let updated = repository.keyfence(&["baseline", "update", "--until", "2020-01-31"]);
    assert_code("update", &updated, 0);
    assert!(words(&updated).contains("new.env:2"), "what is added is told: {}", words(&updated));
    for line in before.lines() {
        assert!(baseline(&repository).contains(line), "what was there stays: {line}");
    }

    let expired = repository.keyfence(&["scan"]);
    assert_code("expired entries come back", &expired, 1);
    assert!(words(&expired).contains("its last day was 2020-01-31"), "{}", words(&expired));
    let shown = repository.keyfence(&["baseline", "show"]);
    assert!(words(&shown).contains("ended 2020-01-31: it counts again"), "{}", words(&shown));

    fs::remove_file(repository.top.join("new.env")).expect("it is there");
    let stale = repository.keyfence(&["scan"]);
    assert_code("stale entries change nothing", &stale, 0);
    assert!(words(&stale).contains("not here any more"), "stale entries are told: {}", words(&stale));
    assert_code("prune", &repository.keyfence(&["baseline", "prune"]), 0);
    assert_eq!(baseline(&repository), before);
}

#[cfg(unix)]
#[test]
fn nothing_is_taken_out_after_a_scan_that_could_not_look() {
    use std::os::unix::fs::symlink;
    let sandbox = Sandbox::new();
    let repository = adopted(&sandbox);
    fs::remove_dir_all(repository.top.join("old")).expect("it is there");
    repository.write("svc/.keyfence.yaml", "confidence: likely\n");
    repository.write("svc/.env", &leaking_env());
    let pruned = repository.keyfence(&["baseline", "prune"]);
    assert_code("prune", &pruned, 3);
    assert!(words(&pruned).contains("nothing was taken out"), "{}", words(&pruned));
    symlink("/dev/zero", repository.top.join(".keyfence.yaml")).expect("the sandbox is writable");
    assert_code("a device as configuration", &repository.keyfence(&["scan"]), 2);
}

/// `assert_code` looks for the value in whatever was said.
#[test]
fn a_value_in_the_name_of_a_directory_is_told_nowhere() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    assert_code("create", &repository.keyfence(&["baseline", "create"]), 0);
    repository.write(&format!("{}/a.env", secret_value()), &leaking_env());
    let report = repository.keyfence(&["scan", "-f", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("it is JSON");
    for finding in report["findings"].as_array().expect("there are findings") {
        let fingerprint = finding["fingerprint"].as_str().expect("it has one");
        assert_code("explain", &repository.keyfence(&["explain", fingerprint]), 0);
    }
    let updated = repository.keyfence(&["baseline", "update"]);
    assert_code("update", &updated, 0);
    assert!(words(&updated).contains("*/a.env:1"), "{}", words(&updated));
    fs::remove_file(repository.top.join(".keyfence-baseline")).expect("it was written");
    let begun = repository.keyfence(&["init"]);
    assert_code("init", &begun, 0);
    assert!(words(&begun).contains(" */"), "the directory is ranked: {}", words(&begun));
}

#[test]
fn a_merged_baseline_with_conflict_marks_hides_nothing() {
    let sandbox = Sandbox::new();
    let repository = adopted(&sandbox);
    let text = baseline(&repository);
    repository.write(".keyfence-baseline", &format!("<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n"));
    let scan = repository.keyfence(&["scan"]);
    assert_code("conflict marks", &scan, 1);
    assert!(words(&scan).contains("a merge conflict: keep the lines of both sides"), "{}", words(&scan));
    repository.write(".keyfence-baseline", &format!("{text}{text}"));
    assert_code("both sides", &repository.keyfence(&["scan"]), 0);
}

#[test]
fn config_show_names_the_origin_of_everything() {
    let sandbox = Sandbox::new();
    let repository = adopted(&sandbox);
    repository.write(
        ".keyfence.yaml",
        "confidence: certain\nrules: { disable: [generic-*] }\nallow: [{ path: docs/, reason: examples }]\n",
    );
    repository.write("svc/.keyfence.yaml", "inherit: false\nallow:\n  - { rule: okx-*, value: '^x' }\n");
    repository.write(".keyfenceignore", "# third parties\nvendor/\n");
    repository.write("web/.keyfenceignore", "*.snap\n");
    let shown = repository.keyfence(&["config", "show"]);
    assert_code("show", &shown, 0);
    let shown = support::words(&shown);
    let row = |what: &[&str]| shown.lines().any(|line| what.iter().all(|part| line.contains(part)));
    for parts in [
        &["confidence", "certain", ".keyfence.yaml:1"][..],
        &["require_reason", "false", "default"],
        &["rules.disable", "generic-*", ".keyfence.yaml:2"],
        &["allow", "path docs/; because examples", ".keyfence.yaml:3, entry 1"],
        &["baseline", "2 secrets", ".keyfence-baseline"],
        &["inherit", "false", "svc/.keyfence.yaml:1"],
        &["allow", "rule okx-*, value (patterns: 1)", "svc/.keyfence.yaml:3, entry 1"],
        &["left out", "vendor/", ".keyfenceignore:2"],
        &["left out", "*.snap", "web/.keyfenceignore:1"],
    ] {
        assert!(row(parts), "no row with {parts:?}:\n{shown}");
    }
    repository.write("svc/.keyfence.yaml", "allow: [{ rule: okx-apikey }]\n");
    let misspelt = repository.keyfence(&["config", "show"]);
    assert_code("misspelt below", &misspelt, 2);
    assert!(words(&misspelt).contains("did you mean"), "{}", words(&misspelt));
}

#[test]
fn rules_packs_and_limits_come_from_the_configuration() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.write(".env", &leaking_env());
    for (config, code, told) in [
        ("rules: { disable: '*' }\n", 0, "switched off by `rules.disable`"),
        ("rules: { disable: '*', enable: 'binance-*' }\n", 1, "switched off by `rules.disable`"),
        ("default_rules: false\n", 0, "the built-in rules are switched off"),
        ("confidence: certain\n", 0, ""),
        ("max_file_size: 10\n", 0, "over the size limit"),
        ("comments: false\n", 1, ""),
        ("packs: nowhere\n", 2, "nowhere: there is no such pack"),
        ("packs: packs\n", 2, "packs/acme.yaml"),
        ("allow: [{ value: '^[A-Za-z0-9]{64}$', reason: all of that kind }]\n", 0, "allowed"),
        ("allow: [{ value: '(' }]\n", 2, "`value` is no regular expression"),
        ("allow: [{ path: '[z-a]' }]\n", 2, "`path`: pattern 1"),
    ] {
        repository.write("packs/acme.yaml", "provider: acme\n");
        repository.write(".keyfence.yaml", config);
        let output = repository.keyfence(&["scan"]);
        assert_code(config, &output, code);
        assert!(words(&output).contains(told), "{config}: {}", words(&output));
    }
}

#[test]
fn ignore_files_hold_in_every_mode() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.stage(".keyfenceignore", "samples/\n!samples/live/\n");
    repository.stage("svc/.keyfenceignore", "/local.env\n");
    // For a commit the ignore file counts as it was committed last.
    repository.git(&["commit", "--quiet", "--no-verify", "-m", "Ignore samples"]);
    repository.stage("samples/.env", &leaking_env());
    repository.stage("svc/local.env", &leaking_env());
    assert_code("tree", &repository.keyfence(&["scan"]), 0);
    assert_code("staged", &repository.keyfence(&["scan", "--staged"]), 0);
    assert_code("a file by name", &repository.keyfence(&["scan", "samples/.env"]), 0);
    assert_code("without our files", &repository.keyfence(&["scan", "--no-config"]), 1);
    repository.stage("svc/deeper/local.env", &leaking_env());
    assert_code("an anchored pattern", &repository.keyfence(&["scan", "--staged"]), 1);
}

#[test]
fn comments_that_allow_nothing_are_told_when_everything_was_scanned() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.write("a.py", "x = 1  # keyfence:allow[binance-api-key] gone since\n");
    let everything = repository.keyfence(&["scan"]);
    assert!(words(&everything).contains("a.py:1: this comment allows nothing"), "{}", words(&everything));
    let part = repository.keyfence(&["scan", "a.py"]);
    assert!(!words(&part).contains("allows nothing"), "{}", words(&part));
}

/// Every file below `directory` with its content.
fn snapshot(directory: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else {
            let content = fs::read(&path).expect("it can be read");
            files.push((path, content));
        }
    }
    files.sort();
    files
}

#[test]
fn the_doctor_proves_that_the_hook_stops_a_canary_and_touches_nothing() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    for begun in [false, true] {
        if begun {
            repository.first_commit();
        }
        let unguarded = repository.keyfence(&["doctor"]);
        assert_code("without hooks", &unguarded, 3);
        assert!(words(&unguarded).contains("WRONG hook pre-commit: not installed"), "{}", words(&unguarded));
    }
    repository.install_hook();
    repository.stage("half-done.py", "x = 1\n");
    repository.write(".gitignore", ".env\n*.key\nid_*\n");
    repository.write(".github/workflows/check.yml", "run: keyfence scan\n");
    let before = snapshot(&repository.top);
    let guarded = repository.keyfence(&["doctor"]);
    assert_code("guarded", &guarded, 0);
    assert!(!words(&guarded).contains("think"), "{}", words(&guarded));
    assert!(words(&guarded).contains("ok the scan of the hook stops a planted"), "{}", words(&guarded));
    assert_eq!(snapshot(&repository.top), before, "the repository is as it was");

    let copy = sandbox.path("older-keyfence");
    fs::copy(support::KEYFENCE, &copy).expect("the sandbox is writable");
    let with_copy = |arguments: &[&str]| repository.run(&copy, arguments);
    let said = words(&with_copy(&["hook", "status"]));
    assert!(said.contains("which is not this program"), "the hook runs another one: {said}");
    assert!(!words(&guarded).contains("not this program"), "{}", words(&guarded));

    repository.stage("deploy/.env.production", "A=b\n");
    assert!(words(&repository.keyfence(&["doctor"])).contains("deploy/.env.production is tracked"));
    for talked_out in ["rules: { disable: '*' }\n", "allow: [{ path: '*.env' }]\n", "confidence: certain\n"] {
        repository.write(".keyfence.yaml", talked_out);
        let deaf = repository.keyfence(&["doctor"]);
        assert_code(talked_out, &deaf, 3);
        assert!(words(&deaf).contains("WRONG the scan of the hook lets a planted"), "{}", words(&deaf));
    }
    repository.write(".keyfence.yaml", "");
    assert_code("from below", &repository.git(&["worktree", "add", "--quiet", "../side"]), 0);
    let side = sandbox.command(support::KEYFENCE, &sandbox.path("side")).arg("doctor").output();
    let side = side.expect("the program can be started");
    assert!(words(&side).contains("ok the scan of the hook stops a planted"), "{}", words(&side));
}

#[test]
fn init_takes_over_what_other_scanners_know() {
    use sha1::{Digest, Sha1};
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.write("bot/.env", &leaking_env());
    repository.write("vendor/keys.env", &other_env());
    repository.write("samples/keys.env", &other_env());
    repository.write(
        ".gitleaks.toml",
        "[allowlist]\ndescription = \"third parties\"\npaths = ['''^vendor/''', '''[a-z]+x''']\n",
    );
    repository.write(".gitleaksignore", "bot/.env:generic-api-key:1\n");
    repository.write(".secretsignore", "samples/\n");
    let hash = data_encoding::HEXLOWER.encode(&Sha1::digest(secret_value()));
    repository.write(
        ".secrets.baseline",
        &format!(
            "{{\"results\": {{\"bot/.env\": [{{\"type\": \"Secret Keyword\", \"hashed_secret\": \"{hash}\", \
             \"is_secret\": false, \"line_number\": 99}}]}}}}"
        ),
    );
    repository.git(&["config", "--add", "secrets.allowed", "EXAMPLE$"]);
    repository.git(&["config", "--add", "secrets.patterns", "own-[a-z]{20}"]);

    let dry = repository.keyfence(&["init", "--dry-run"]);
    assert_code("dry run", &dry, 0);
    assert!(!repository.top.join(".keyfence.yaml").exists(), "a dry run writes nothing");
    let init = repository.keyfence(&["init", "--no-baseline"]);
    assert_code("init", &init, 0);
    let told = words(&init);
    for part in [
        "taken over path `^vendor/` as `/vendor/**`",
        "needs you path `[a-z]+x`",
        "taken over pattern `samples/`, in .keyfenceignore",
        "needs you a pattern of your own",
        "1 in the baseline of detect-secrets, audited there as no secret",
        "1 taken over from gitleaks' ignore file",
        "1 credential with 2 findings",
        "Findings by directory 2 bot/",
        "critical credentials among them: 1",
    ] {
        assert!(told.contains(part), "the output lacks {part:?}:\n{}", support::words(&init));
    }
    assert_code("everything is known now", &repository.keyfence(&["scan"]), 0);
    assert_code("a second time", &repository.keyfence(&["init"]), 2);
    assert_code("show", &repository.keyfence(&["config", "show"]), 0);

    repository.write("new.env", &other_env());
    assert_code("what is new counts", &repository.keyfence(&["scan"]), 1);
    assert_code(
        "one tool that is not here",
        &repository.keyfence(&["init", "--force", "--from", "talisman"]),
        3,
    );
    assert_code("with a baseline of the rest", &repository.keyfence(&["init", "--force"]), 0);
    assert_code("now that is known, too", &repository.keyfence(&["scan"]), 0);
}

/// A file as kingfisher 2.14.0 wrote it for these values at these bytes; its fingerprints hold nothing of them.
const KINGFISHER_BASELINE: &str = "\
version: 2
fingerprint_algorithm: kingfisher-v1
repositories:
- id: local:///somewhere
  findings:
  - path: bot/config.py
    fingerprint: '5684735876828608313'
    rule_id: betterleaks.github-pat
    line: 2
    first_seen_at: 2026-11-26T07:47:05.350111638+00:00
    last_updated_at: 2026-11-26T07:47:05.350111638+00:00
";

#[test]
fn init_recognises_what_a_baseline_of_kingfisher_knows() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    let token = ["ghp_", "wWPw5k4aXcaT4f", "NP0UcnZwJUVFk6", "LO0pINUx"].concat();
    let file = format!("# header\nGITHUB_TOKEN = '{token}'\n");
    repository.write("bot/config.py", &file);
    repository.write("vendor/config.py", &file.replace("header", "other header"));
    repository.write("known.yml", KINGFISHER_BASELINE);
    repository.write("kingfisher.yaml", "baseline: { file: ./known.yml }\nfilters: { exclude: [vendor/] }\n");
    let init = repository.keyfence(&["init", "--from", "kingfisher", "--no-baseline"]);
    assert_code("init", &init, 0);
    for part in ["taken over 1 known secrets", "in .keyfenceignore", "1 in the baseline of kingfisher"] {
        assert!(words(&init).contains(part), "{part}: {}", words(&init));
    }
    assert_eq!(words(&init).matches("known.yml").count(), 2, "it is read once: {}", words(&init));
    assert!(!support::words(&init).contains(&token));
    assert_code("what kingfisher knew", &repository.keyfence(&["scan"]), 0);

    let rotated = file.replace("5k4aXcaT4f", "5k4aXcaT4g");
    repository.write("bot/config.py", &rotated);
    fs::remove_file(repository.top.join(".keyfence-baseline")).expect("it was written");
    fs::remove_file(repository.top.join("kingfisher.yaml")).expect("it was written");
    let again = ["init", "--from", "kingfisher", "--no-baseline", "--force"];
    assert_code("a baseline alone, another value", &repository.keyfence(&again), 0);
    assert!(!repository.top.join(".keyfence-baseline").exists(), "another value at the place is not known");
}

#[test]
fn init_begins_without_other_scanners() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository("bot");
    repository.write("a/b/c/.env", &leaking_env());
    let init = repository.keyfence(&["init"]);
    assert_code("init", &init, 0);
    for part in [
        "no files of other scanners here",
        "By severity 1 critical",
        "2 a/b/",
        "2 found when keyfence was adopted",
    ] {
        assert!(words(&init).contains(part), "the output lacks {part:?}:\n{}", support::words(&init));
    }
    assert_code("scan", &repository.keyfence(&["scan"]), 0);
    repository.write(".talismanrc", "a: [hunter");
    let broken = repository.keyfence(&["init", "--force"]);
    assert_code("a broken file of another tool", &broken, 2);
    assert!(
        words(&broken).contains(".talismanrc cannot be taken over") && !words(&broken).contains("hunter")
    );
}
