//! Where a scan runs when things go badly: on file systems that may not be written or are full, in repositories that are
//! pushed to and packed meanwhile, beside files of the project's own that were made to be slow or huge.
//!
//! File systems of their own are mounted in a namespace, which needs no rights; where that is not allowed, it is said.

#![allow(clippy::print_stderr, reason = "why something was not tried")]
#![cfg(all(target_os = "linux", feature = "cli"))]

#[path = "common/figures.rs"]
mod figures;
#[path = "cli/support.rs"]
mod support;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::{KEYFENCE, Repository, Sandbox, leaking_env, secret_value, words};

/// The figure of these tests, and how many of them share it.
const FIGURE: (&str, usize) = ("surroundings", 5);
/// How many pages a disk has left.
const PAGES: [usize; 5] = [0, 1, 2, 3, 6];
/// How often a repository is scanned while it is pushed to.
const MEANWHILE: usize = 20;

/// Mounts a small file system at `$1`, copies the repository `$2` to it, does `$3`, and runs the rest there.
const MOUNTED: &str = "mount -t tmpfs -o size=16m none \"$1\" && cp -a \"$2\" \"$1/repository\" && cd \"$1/repository\" && \
                       eval \"$3\" && shift 3 && exec \"$@\"";
const READ_ONLY: &str = "mount -o remount,ro \"$1\"";

/// What only looks, and finds something.
const SCANS: &[&[&str]] = &[
    &["scan", "-f", "json"],
    &["scan", "--staged", "-f", "json"],
    &["scan", "--range", "begin..HEAD", "-f", "json"],
    &["scan", "--history", "-f", "json"],
    &["hook", "run", "pre-commit"],
];
/// What writes, and the file that is there before.
const WRITES: &[(&[&str], &str)] = &[
    (&["scan", "-o", "json:report.json"], "report.json"),
    (&["scan", "-o", "html:report.json"], "report.json"),
    (&["baseline", "update"], ".keyfence-baseline"),
    (&["hook", "install"], ".git/hooks/pre-commit"),
    (&["init", "--force"], ".keyfence.yaml"),
];

fn may_mount() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs none /mnt"]);
    let may = command.output().is_ok_and(|output| output.status.success());
    if !may {
        eprintln!("SKIPPED: no file system may be mounted here");
    }
    may
}

/// A repository with something to find in every place, and every file that a command replaces.
fn repository(sandbox: &Sandbox) -> Repository<'_> {
    let repository = sandbox.repository("template");
    let _ = fs::remove_dir_all(repository.top.join(".git/hooks"));
    repository.first_commit();
    repository.git(&["tag", "begin"]);
    repository.stage("old.env", &leaking_env());
    repository.git(&["commit", "-q", "--no-verify", "-m", "Leak"]);
    repository.stage("new.env", &leaking_env().replace("f8OYXGw5bmzxh5vo", "Vj74b4TLa1WmMkUz"));
    repository.write("report.json", "the report of yesterday\n");
    repository.write(".keyfence.yaml", "confidence: likely\n");
    repository.write(".keyfence-baseline", "");
    fs::remove_file(repository.top.join(".keyfence-baseline")).expect("it was just written");
    let created = repository.keyfence(&["baseline", "create"]);
    assert!(created.status.success(), "{}", words(&created));
    // Salt and all, but nothing is known.
    let text = fs::read_to_string(repository.top.join(".keyfence-baseline")).expect("it was written");
    let head: Vec<&str> =
        text.lines().filter(|line| line.starts_with('#') || line.starts_with("salt")).collect();
    repository.write(".keyfence-baseline", &(head.join("\n") + "\n"));
    repository.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 0\n");
    fs::set_permissions(repository.top.join(".git/hooks/pre-commit"), fs::Permissions::from_mode(0o755))
        .expect("it is ours");
    repository
}

/// Runs a program in a copy of the repository on a file system of its own, after `preparation` there.
fn mounted(repository: &Repository<'_>, preparation: &str, program: &[&str]) -> Output {
    let place = repository.sandbox.path("mounted");
    fs::create_dir_all(&place).expect("the sandbox is writable");
    let mut command = repository.sandbox.command("unshare", &repository.top);
    command.args(["--map-root-user", "--mount", "sh", "-c", MOUNTED, "sh"]);
    command.args([&place, &repository.top]).arg(preparation).args(program);
    command.output().expect("unshare can be started")
}

fn checked(what: &str, output: &Output) {
    let told = words(output);
    assert!(!told.contains("itself failed") && !told.contains("panicked"), "{what}: {told}");
    assert!(!told.contains(&secret_value()), "{what}: it prints a value");
}

#[test]
fn where_nothing_may_be_written_all_is_found() {
    if !may_mount() {
        return;
    }
    let sandbox = Sandbox::new();
    let repository = repository(&sandbox);
    for scan in SCANS {
        let free = mounted(&repository, "true", &[&[KEYFENCE], *scan].concat());
        let held = mounted(&repository, READ_ONLY, &[&[KEYFENCE], *scan].concat());
        checked(&format!("{scan:?}"), &held);
        assert_eq!(free.status.code(), Some(1), "{scan:?}: {}", words(&free));
        assert_eq!(held.status.code(), Some(1), "{scan:?}: {}", words(&held));
        assert_eq!(held.stdout, free.stdout, "{scan:?}");
    }
    for (writes, file) in WRITES {
        let output = mounted(&repository, READ_ONLY, &[&[KEYFENCE], *writes].concat());
        checked(&format!("{writes:?}"), &output);
        let told = words(&output);
        assert_ne!(output.status.code(), Some(0), "{writes:?}: {told}");
        assert!(told.contains(file), "{writes:?} names what it could not write: {told}");
    }
    figures::share(FIGURE.0, FIGURE.1, SCANS.len() + WRITES.len());
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    if !may_mount() {
        return;
    }
    let sandbox = Sandbox::new();
    let repository = repository(&sandbox);
    let (mut refused, mut written) = (0, 0);
    for pages in PAGES {
        // Fills all but so many pages, runs the command, and tells how it ended and what is there then.
        let preparation = format!(
            "dd if=/dev/zero of=../room bs=4096 count={pages} status=none; dd if=/dev/zero of=../filler bs=4096 status=none; \
             rm ../room; true"
        );
        for (writes, file) in WRITES {
            let what = format!("{pages} pages: {writes:?}");
            let before = fs::read(repository.top.join(file)).expect("it is in the template");
            let script = format!(
                "\"$@\" >/dev/null 2>&1; echo $?; ls -A . .git .git/hooks | grep -c '^\\.keyfence-[^b]'; cat '{file}'"
            );
            let told = mounted(
                &repository,
                &preparation,
                &[&["sh", "-c", &script, "sh", KEYFENCE], *writes].concat(),
            );
            let told = told.stdout;
            let text = String::from_utf8_lossy(&told).into_owned();
            let mut lines = text.splitn(3, '\n');
            let code: i32 = lines.next().and_then(|line| line.parse().ok()).expect("the code is first");
            assert_eq!(lines.next(), Some("0"), "{what}: nothing is left behind: {text}");
            let after = lines.next().unwrap_or_default().as_bytes();
            let is_old = after == before;
            assert!((0..=3).contains(&code), "{what}: {code}");
            assert!(is_old || is_complete(file, after), "{what}: half a file: {text}");
            // Whoever could not write says so.
            let is_told = code != 0 || !is_old;
            assert!(is_told, "{what}: {code}, and nothing was written");
            refused += usize::from(is_old);
            written += usize::from(!is_old);
        }
        for scan in SCANS {
            let output = mounted(&repository, &preparation, &[&[KEYFENCE], *scan].concat());
            checked(&format!("{pages} pages: {scan:?}"), &output);
            assert_eq!(output.status.code(), Some(1), "{pages} pages: {scan:?}: {}", words(&output));
        }
    }
    assert!(refused > 0 && written > 0, "{refused} were refused, {written} were written");
    figures::share(FIGURE.0, FIGURE.1, PAGES.len() * (SCANS.len() + WRITES.len()));
}

/// Whether a file is whole, by how it ends.
fn is_complete(file: &str, content: &[u8]) -> bool {
    match file {
        "report.json" => {
            serde_json::from_slice::<serde_json::Value>(content).is_ok()
                || content.trim_ascii_end().ends_with(b"</html>")
        }
        _ => content.ends_with(b"\n"),
    }
}

/// Runs to the end within a bounded time and amount of memory.
fn bounded(directory: &Path, sandbox: &Sandbox, arguments: &[&str]) -> (Output, Duration) {
    let begun = Instant::now();
    let script = format!("ulimit -v 2000000; exec timeout 60 '{KEYFENCE}' \"$@\"");
    let mut command = sandbox.command("/bin/sh", directory);
    let output = command.args(["-c", &script, "sh"]).args(arguments).output().expect("there is a shell");
    (output, begun.elapsed())
}

/// Ten lists of ten of the one before: ten thousand million of the first in all.
fn laughter(field: &str) -> String {
    let mut text = format!("a: &a0 [{}]\n", ["x"; 10].join(", "));
    for level in 1..10 {
        let line = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("b{level}: &a{level} [{line}]\n");
    }
    format!("{text}{field}: *a9\n")
}

#[test]
fn files_that_were_made_to_be_slow_or_huge_are_refused_soon() {
    let deep = |text: &str| text.repeat(200_000);
    let huge = "# nothing\n".repeat(20 << 20 >> 3);
    let many = |line: &str, count: usize| {
        (0..count).map(|number| line.replace('N', &number.to_string())).collect::<String>()
    };
    let rows: Vec<(&str, &str, String)> = vec![
        ("aliases of aliases", ".keyfence.yaml", laughter("allow")),
        ("aliases of aliases in a pack", "pack.yaml", laughter("parts")),
        ("an alias of itself", ".keyfence.yaml", "allow: &a [*a]\n".to_owned()),
        ("an alias of itself in a pack", "pack.yaml", "parts: &a [*a]\n".to_owned()),
        ("lists in lists", ".keyfence.yaml", format!("allow: {}", deep("["))),
        ("lists in lists in a pack", "pack.yaml", format!("parts: {}", deep("["))),
        ("maps in maps", ".keyfence.yaml", format!("allow: {}", deep("{a: "))),
        ("keys of keys", ".keyfence.yaml", deep("? ")),
        ("20 MB of configuration", ".keyfence.yaml", huge.clone()),
        ("20 MB of a pack", "pack.yaml", huge.clone()),
        ("20 MB of a baseline", ".keyfence-baseline", huge),
        (
            "a hundred thousand allowed things",
            ".keyfence.yaml",
            format!("allow:\n{}", many("  - path: 'N*'\n", 100_000)),
        ),
        (
            "a hundred thousand rules",
            "pack.yaml",
            format!("provider: acme\ntitle: Acme\nparts:\n{}", many("  - id: acme-N\n", 100_000)),
        ),
        (
            "a shape beyond all bounds",
            "pack.yaml",
            format!(
                "provider: acme\ntitle: Acme\nparts:\n  - id: acme-key\n    part: key\n    role: secret\n    severity: high\n    need: name\n    shape: '{}[a-z]{{1,60000}}{}'\n    match: ['x']\n",
                "(".repeat(3000),
                ")".repeat(3000)
            ),
        ),
    ];
    let (mut wrong, tried) = (Vec::new(), rows.len());
    for (name, file, content) in rows {
        let sandbox = Sandbox::new();
        let repository = sandbox.repository("slow");
        repository.write(".env", &leaking_env());
        repository.write(file, &content);
        let arguments: &[&str] =
            if file == "pack.yaml" { &["scan", "--rules", "pack.yaml", ".env"] } else { &["scan", ".env"] };
        let (output, took) = bounded(&repository.top, &sandbox, arguments);
        let told = words(&output);
        checked(name, &output);
        // A baseline that cannot be read hides nothing, and that is said beside what was found.
        let code = if file == ".keyfence-baseline" { 1 } else { 2 };
        if output.status.code() != Some(code)
            || took > Duration::from_secs(10)
            || told.len() > 4096
            || !told.contains(file)
        {
            wrong.push(format!(
                "{name}: {:?} after {took:?}: {}",
                output.status,
                &told[..told.len().min(400)]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} went wrong:\n{}", wrong.len(), wrong.join("\n"));
    figures::share(FIGURE.0, FIGURE.1, tried);
}

#[test]
fn ignore_files_that_were_made_to_be_slow_end_soon() {
    let rows: [(&str, &str, String); 4] = [
        ("stars", ".keyfenceignore", format!("{}b\n", "*a".repeat(2000))),
        ("stars of stars", ".keyfenceignore", "**/a/".repeat(2000)),
        ("many lines", ".keyfenceignore", (0..100_000).map(|number| format!("{number}/**/x*y\n")).collect()),
        ("stars in .gitignore", ".gitignore", format!("{}b\n", "*a".repeat(2000))),
    ];
    for (name, file, content) in &rows {
        let sandbox = Sandbox::new();
        let repository = sandbox.repository("slow");
        repository.write(".env", &leaking_env());
        repository.write(&"a".repeat(200), "nothing\n");
        repository.write(file, content);
        let (output, took) = bounded(&repository.top, &sandbox, &["scan"]);
        checked(name, &output);
        assert!(
            matches!(output.status.code(), Some(1..=3)),
            "{name}: {:?}: {}",
            output.status,
            words(&output)
        );
        assert!(took < Duration::from_secs(20), "{name}: {took:?}");
    }
    figures::share(FIGURE.0, FIGURE.1, rows.len());
}

/// Pushes, fetches and packing go on while the repository that receives them is scanned over and over.
#[test]
fn a_repository_that_is_pushed_to_meanwhile_is_scanned() {
    let sandbox = Sandbox::new();
    let work = sandbox.repository("work");
    work.first_commit();
    work.stage("old.env", &leaking_env());
    work.git(&["commit", "-q", "--no-verify", "-m", "Leak"]);
    for number in 0..20 {
        work.stage(&format!("{number}.py"), &"x = 1\n".repeat(200 + number));
        work.git(&["commit", "-q", "--no-verify", "-m", "More"]);
    }
    work.git(&["clone", "-q", "--bare", ".", "../remote.git"]);
    let remote = sandbox.path("remote.git");
    let script = "i=0; while [ ! -e ../stop ]; do i=$((i+1)); echo $i > $i.txt; git add $i.txt; git commit -q -m $i; \
                  git push -q ../remote.git HEAD:main HEAD:refs/heads/b$i HEAD:refs/tags/t$i; \
                  [ $((i % 3)) = 0 ] && git -C ../remote.git repack -q -a -d; \
                  [ $((i % 4)) = 0 ] && git -C ../remote.git push -q . :refs/heads/b$((i - 1)); \
                  [ $((i % 5)) = 0 ] && git -C ../remote.git gc -q --prune=now; done; true";
    let mut pusher = sandbox.command("/bin/sh", &work.top);
    let mut pusher = pusher
        .args(["-c", script])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("there is a shell");
    let mut told = Vec::new();
    for _ in 0..MEANWHILE {
        let mut command = sandbox.command(KEYFENCE, &remote);
        let output = command.args(["scan", "--history", "--no-cache"]).output().expect("it starts");
        told.push(output);
    }
    fs::File::create(sandbox.path("stop"))
        .and_then(|mut file| file.write_all(b"x"))
        .expect("the sandbox is writable");
    pusher.wait().expect("it ends");
    for output in &told {
        checked("while it is pushed", output);
        // The leak was there before, whatever came and went since.
        assert_eq!(output.status.code(), Some(1), "{}", words(output));
        assert!(words(output).contains("old.env"), "{}", words(output));
    }
    figures::share(FIGURE.0, FIGURE.1, MEANWHILE);
}
