//! Every case folder under `tests/cli/`: what is typed, what is there, what comes out.
//!
//! A case holds `args` (one argument a line) and if needed `input/` (the directory it runs in; with a file `staged`
//! beside it, it becomes a repository in which everything is staged), `stdin`, `env` (NAME=VALUE lines), and the
//! expected `stdout`, `stderr` and `code`. The seam character is removed from names and contents of the input and from
//! what is expected.
//! `KEYFENCE_BLESS=1 cargo test --test cli` writes down what comes out now.

#[path = "cli/support.rs"]
mod support;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use support::{KEYFENCE, Repository, SEAM, Sandbox, copy_without_seam, read_without_seam};

#[test]
fn cases_print_what_they_should() {
    let bless = std::env::var_os("KEYFENCE_BLESS").is_some();
    let mut wrong = String::new();
    let cases = cases();
    assert!(!cases.is_empty(), "there are cases");
    for case in cases {
        let sandbox = Sandbox::new();
        let output = run(&case, &sandbox);
        for (name, actual) in seen(&output, &sandbox) {
            let file = case.join(name);
            if bless {
                write_expectation(&file, &actual);
            } else if read_without_seam(&file) != actual {
                let expected = read_without_seam(&file);
                let shown = file.strip_prefix(root()).unwrap_or(&file).display();
                wrong.push_str(&format!("\n{shown}: expected\n{expected}\nbut it is\n{actual}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli")
}

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(root()).expect("the cases can be listed");
    let mut cases: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("args").is_file())
        .collect();
    cases.sort();
    cases
}

fn run(case: &Path, sandbox: &Sandbox) -> Output {
    let directory = sandbox.path("input");
    if case.join("staged").exists() {
        sandbox.repository("input");
    }
    fs::create_dir_all(&directory).expect("the sandbox is writable");
    if case.join("input").is_dir() {
        copy_without_seam(&case.join("input"), &directory);
    }
    if case.join("staged").exists() {
        let repository = Repository { sandbox, top: directory.clone() };
        repository.git(&["add", "--all", "--force"]);
    }
    let mut command = sandbox.command(KEYFENCE, &directory);
    command.args(read_without_seam(&case.join("args")).lines());
    for (name, value) in read_without_seam(&case.join("env")).lines().filter_map(|line| line.split_once('='))
    {
        command.env(name, value);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("keyfence can be started");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    // Who reads no standard input may be gone already.
    let _ = stdin.write_all(read_without_seam(&case.join("stdin")).as_bytes());
    drop(stdin);
    child.wait_with_output().expect("keyfence ends")
}

/// What a person and a script see, with what differs from run to run replaced.
fn seen(output: &Output, sandbox: &Sandbox) -> [(&'static str, String); 3] {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace(&sandbox.path("").display().to_string(), "[ROOT]/");
        let text = text.replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
        let time = regex::Regex::new(r"\b\d+(\.\d+)? ?(µs|ms|s|min)\b").expect("the pattern is constant");
        time.replace_all(&text, "[TIME]").into_owned()
    };
    let code = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
    [("stdout", text(&output.stdout)), ("stderr", text(&output.stderr)), ("code", format!("{code}\n"))]
}

fn write_expectation(file: &Path, actual: &str) {
    let written = if actual.is_empty() {
        fs::remove_file(file).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })
    } else {
        fs::write(file, with_seam(actual))
    };
    written.expect("expectations can be written");
}

/// The seam in every run of letters and digits that is as long as a key, so that no scanner stops at our own files.
fn with_seam(text: &str) -> String {
    let key = regex::Regex::new("[0-9A-Za-z]{40,}").expect("the pattern is constant");
    key.replace_all(text, |found: &regex::Captures<'_>| {
        let (start, end) = found[0].split_at(20);
        format!("{start}{SEAM}{end}")
    })
    .into_owned()
}

#[cfg(unix)]
mod where_it_goes {
    //! What cannot be told in a folder: devices, pipes, modes.

    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Stdio;

    use super::support::{KEYFENCE, Sandbox, leaking_env, secret_value};

    fn scan(sandbox: &Sandbox, content: &str, arguments: &[&str], stdout: Stdio) -> (Option<i32>, String) {
        let directory = sandbox.path("input");
        fs::create_dir_all(&directory).expect("the sandbox is writable");
        fs::write(directory.join(".env"), content).expect("the sandbox is writable");
        let output = sandbox
            .command(KEYFENCE, &directory)
            .arg("scan")
            .args(arguments)
            .stdout(stdout)
            .output()
            .expect("keyfence can be started");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_and_never_clean() {
        for (content, format, code) in
            [("A=b\n", "json", 3), (leaking_env().as_str(), "json", 1), (leaking_env().as_str(), "human", 1)]
        {
            let full = fs::File::options().write(true).open("/dev/full").expect("Linux has it");
            let sandbox = Sandbox::new();
            let (actual, words) = scan(&sandbox, content, &["-f", format], full.into());
            assert_eq!(actual, Some(code), "{words}");
            assert!(words.contains("cannot write the report to standard output"), "{words}");
        }
    }

    #[test]
    fn a_reader_who_went_away_is_no_error() {
        for (content, code) in [("A=b\n", 0), (leaking_env().as_str(), 1)] {
            let (reader, writer) = std::io::pipe().expect("a pipe can be made");
            drop(reader);
            let sandbox = Sandbox::new();
            let (actual, words) = scan(&sandbox, content, &["-f", "json"], writer.into());
            assert_eq!((actual, words.as_str()), (Some(code), ""));
        }
    }

    #[test]
    fn a_report_file_is_private_and_complete() {
        let sandbox = Sandbox::new();
        let target = sandbox.path("report.json");
        let to = target.to_str().expect("the sandbox's name is UTF-8");
        let (code, words) = scan(&sandbox, &leaking_env(), &["-f", "json", "-o", to], Stdio::null());
        assert_eq!(code, Some(1), "{words}");
        assert_eq!(fs::metadata(&target).expect("it was written").permissions().mode() & 0o777, 0o600);
        let report: serde_json::Value =
            serde_json::from_slice(&fs::read(&target).expect("it was written")).expect("it is JSON");
        assert_eq!(report["version"], 1);
        assert_eq!(report["outcome"], "leaks");
        assert!(!report.to_string().contains(&secret_value()));
    }

    #[test]
    fn a_report_file_that_cannot_be_written_is_told() {
        let sandbox = Sandbox::new();
        let (code, words) = scan(&sandbox, "A=b\n", &["-o", "no/such/report"], Stdio::null());
        assert_eq!(code, Some(3), "{words}");
        assert!(words.contains("cannot write the report to no/such/report"), "{words}");
    }

    /// A pair that differs from those of other numbers, all of them invented.
    #[cfg(target_os = "linux")]
    fn numbered_env(number: u8) -> String {
        let source = leaking_env();
        let letters = |from: usize, to: &str| {
            let turned = source.chars().rev().filter(char::is_ascii_alphanumeric).cycle();
            format!("{to}{}", turned.skip(usize::from(number) * 3 + from).take(64).collect::<String>())
        };
        format!("{}\n{}\n", letters(0, "BINANCE_API_KEY="), letters(31, "BINANCE_API_SECRET="))
    }

    /// `script` gives it a terminal; the report ends alike, but only whoever asks gets every credential there.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_terminal_is_not_filled_and_a_pipe_gets_everything() {
        let sandbox = Sandbox::new();
        let directory = sandbox.path("input");
        fs::create_dir_all(&directory).expect("the sandbox is writable");
        for number in 0..25 {
            let file = directory.join(format!("{number}.env"));
            fs::write(file, numbered_env(number)).expect("the sandbox is writable");
        }
        let run = |program: &str, arguments: &[&str]| {
            let output = sandbox.command(program, &directory).args(arguments).output();
            String::from_utf8_lossy(&output.expect("the program can be started").stdout).into_owned()
        };
        let on_terminal = |more: &str| {
            let command = format!("{KEYFENCE} scan --no-progress --color never {more}");
            run("script", &["-qec", &command, "/dev/null"])
        };
        let brief = on_terminal("");
        for (situation, report, told) in [
            ("a terminal", &brief, 10),
            ("a terminal that asked for all", &on_terminal("--all"), 25),
            ("a pipe", &run(KEYFENCE, &["scan"]), 25),
        ] {
            assert_eq!(report.matches("  why   ").count(), told, "{situation}: {report}");
            assert!(report.contains("Found 25 credentials (50 findings)"), "{situation}: {report}");
            assert!(report.contains("Findings by directory"), "{situation}: {report}");
        }
        assert!(brief.contains("Told above are the 10 worst of 25; `--all` tells every one."), "{brief}");
    }
}
