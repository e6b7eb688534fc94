//! What to write instead of a secret, and how to allow a line, in the language of the file.
//!
//! Must not know: findings, output, git.
//! Invariant: a language is told by the file's name alone; a file of unknown language gets advice that is true for all.

/// The language of a file, as far as advice differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    JavaScript,
    Go,
    Rust,
    Java,
    Kotlin,
    CSharp,
    Php,
    Ruby,
    C,
    Swift,
    Dart,
    Lua,
    Elixir,
    Shell,
    PowerShell,
    Dotenv,
    Yaml,
    Toml,
    Ini,
    Json,
    Notebook,
    Terraform,
    Markup,
    Css,
    Sql,
    KeyFile,
    Other,
}

/// Tells the language by extension or by the whole name.
pub(super) fn language_of(file_name: &[u8]) -> Language {
    let name = String::from_utf8_lossy(file_name).to_lowercase();
    if name == ".env" || name.starts_with(".env.") || name == ".envrc" {
        return Language::Dotenv;
    }
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "py" | "pyi" | "pyw" => Language::Python,
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" | "vue" | "svelte" => {
            Language::JavaScript
        }
        "go" => Language::Go,
        "rs" => Language::Rust,
        "java" | "scala" | "groovy" => Language::Java,
        "kt" | "kts" => Language::Kotlin,
        "cs" => Language::CSharp,
        "php" => Language::Php,
        "rb" => Language::Ruby,
        "c" | "cc" | "cpp" | "cxx" | "h" | "hpp" | "hh" => Language::C,
        "swift" => Language::Swift,
        "dart" => Language::Dart,
        "lua" => Language::Lua,
        "ex" | "exs" => Language::Elixir,
        "sh" | "bash" | "zsh" | "fish" | "ksh" => Language::Shell,
        "ps1" | "psm1" | "psd1" => Language::PowerShell,
        "env" => Language::Dotenv,
        "yaml" | "yml" => Language::Yaml,
        "toml" => Language::Toml,
        "ini" | "cfg" | "conf" | "properties" => Language::Ini,
        "json" | "json5" | "jsonc" | "webmanifest" => Language::Json,
        "ipynb" => Language::Notebook,
        "tf" | "tfvars" | "hcl" => Language::Terraform,
        "md" | "markdown" | "html" | "htm" | "xml" | "svg" | "xhtml" => Language::Markup,
        "css" | "scss" | "less" => Language::Css,
        "sql" => Language::Sql,
        "pem" | "key" | "p8" | "pk8" | "p12" | "pfx" | "jks" | "keystore" | "ppk" | "der" => {
            Language::KeyFile
        }
        _ => Language::Other,
    }
}

/// What stands in the file instead of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Replacement {
    /// One expression for each value.
    Code(String),
    /// The file itself should not be in git.
    IgnoreFile,
    /// No expression is true for this kind of file.
    Advice(&'static str),
}

/// What to write instead of a value that will be in the environment variable `variable`.
pub(super) fn replacement(language: Language, variable: &str) -> Replacement {
    let code = match language {
        Language::Python | Language::Notebook => format!("os.environ[\"{variable}\"]"),
        Language::JavaScript => format!("process.env.{variable}"),
        Language::Go => format!("os.Getenv(\"{variable}\")"),
        Language::Rust => format!("std::env::var(\"{variable}\")?"),
        Language::Java | Language::Kotlin => format!("System.getenv(\"{variable}\")"),
        Language::CSharp => format!("Environment.GetEnvironmentVariable(\"{variable}\")"),
        Language::Php => format!("getenv('{variable}')"),
        Language::Ruby => format!("ENV.fetch(\"{variable}\")"),
        Language::C => format!("getenv(\"{variable}\")"),
        Language::Swift => format!("ProcessInfo.processInfo.environment[\"{variable}\"]"),
        Language::Dart => format!("Platform.environment['{variable}']"),
        Language::Lua => format!("os.getenv(\"{variable}\")"),
        Language::Elixir => format!("System.fetch_env!(\"{variable}\")"),
        Language::Shell => format!("\"${{{variable}:?is not set}}\""),
        Language::PowerShell => format!("$env:{variable}"),
        Language::Yaml | Language::Toml | Language::Ini | Language::Json => format!("${{{variable}}}"),
        Language::Terraform => format!("var.{}", variable.to_lowercase()),
        Language::Dotenv | Language::KeyFile => return Replacement::IgnoreFile,
        Language::Markup | Language::Css | Language::Sql | Language::Other => {
            return Replacement::Advice("Put a placeholder in its place, such as <your key>.");
        }
    };
    Replacement::Code(code)
}

/// What has to be true for the replacement to work, where it is not plain code.
pub(super) fn replacement_note(language: Language) -> Option<&'static str> {
    match language {
        Language::Yaml | Language::Toml | Language::Ini | Language::Json => {
            Some("if the program that reads the file expands variables; else keep the file out of git")
        }
        Language::Terraform => Some("declared with sensitive = true and set as TF_VAR_…"),
        _ => None,
    }
}

/// How a line is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Allow {
    /// This at the end of the line.
    Comment(String),
    /// This on the line before: at the end of the line it would become a part of the value.
    LineBefore(String),
    /// The format has no comments: this second field on the same line.
    Field(String),
    /// Nothing can be written into the file.
    Impossible,
}

/// How a finding of `rule` is allowed in a file of this language; `several_lines` where its value goes over them.
pub(super) fn allow(language: Language, rule: &str, several_lines: bool) -> Allow {
    let on_the_line = format!("keyfence:allow[{rule}] reason");
    let comment = match language {
        Language::Json => return Allow::Field(format!("\"_allow\": \"{on_the_line}\"")),
        Language::KeyFile => return Allow::Impossible,
        _ => comment_marks(language),
    };
    let write = |word: &str| comment.replace('…', word);
    let ends_the_value = matches!(language, Language::Dotenv | Language::Ini | Language::Other);
    if ends_the_value || several_lines {
        Allow::LineBefore(write(&format!("keyfence:allow-next-line[{rule}] reason")))
    } else {
        Allow::Comment(write(&on_the_line))
    }
}

/// A comment, with `…` where its words go; bare words where nothing is known.
fn comment_marks(language: Language) -> &'static str {
    match language {
        Language::JavaScript
        | Language::Go
        | Language::Rust
        | Language::Java
        | Language::Kotlin
        | Language::CSharp
        | Language::Php
        | Language::C
        | Language::Swift
        | Language::Dart => "// …",
        Language::Lua | Language::Sql => "-- …",
        Language::Markup => "<!-- … -->",
        Language::Css => "/* … */",
        Language::Python
        | Language::Notebook
        | Language::Ruby
        | Language::Elixir
        | Language::Shell
        | Language::PowerShell
        | Language::Dotenv
        | Language::Yaml
        | Language::Toml
        | Language::Ini
        | Language::Terraform => "# …",
        Language::Json | Language::KeyFile | Language::Other => "…",
    }
}

/// The name of an environment variable for a part: `BINANCE_API_KEY`.
pub(super) fn variable_name(provider: &str, part: &str) -> String {
    let whole = if provider.is_empty() { part.to_owned() } else { format!("{provider}_{part}") };
    let name: String = whole
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' })
        .collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Whether a name that stands in a file is one that people give to environment variables.
pub(super) fn is_variable_name(name: &str) -> bool {
    (4..=40).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.contains('_')
        && name
            .chars()
            .all(|character| character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_')
}

/// A path as a git command takes it that reads patterns, in a shell.
pub(super) fn pathspec(path: &[u8]) -> String {
    let is_pattern = path.first() == Some(&b':') || path.iter().any(|byte| b"*?[\\".contains(byte));
    if is_pattern { shell_path(&[b":(top,literal)", path].concat()) } else { shell_path(path) }
}

/// The shell command that adds exactly this path to `.gitignore`.
pub(super) fn ignore_command(path: &[u8]) -> String {
    let pattern = ignore_pattern(path);
    // `echo` reads a leading hyphen as an option and, in some shells, backslashes as escapes.
    let tells_echo = pattern.first() == Some(&b'-') || pattern.contains(&b'\\');
    let print = if tells_echo { "printf '%s\\n'" } else { "echo" };
    format!("{print} {} >> .gitignore", quoted(&pattern, ""))
}

/// The line of a `.gitignore` for this path and, where it has no directory, for files of that name everywhere.
fn ignore_pattern(path: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(path.len());
    for (at, &byte) in path.iter().enumerate() {
        let special = b"*?[\\".contains(&byte)
            || (at == 0 && b"!#".contains(&byte))
            || (at + 1 == path.len() && byte == b' ');
        match byte {
            // A line of the file cannot hold a line end; `?` stands for any one character.
            b'\n' | b'\r' => pattern.push(b'?'),
            _ if special => pattern.extend([b'\\', byte]),
            _ => pattern.push(byte),
        }
    }
    pattern
}

/// A path as a shell takes it, quoted where it must be; bytes that would act on a terminal are written as escapes
/// that the shell turns back.
pub(super) fn shell_path(path: &[u8]) -> String {
    // A leading `-` would be an option.
    quoted(path, if path.first() == Some(&b'-') { "./" } else { "" })
}

fn quoted(path: &[u8], prefix: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+@%,".contains(byte);
    if !path.is_empty() && path.iter().all(plain) {
        return format!("{prefix}{}", String::from_utf8_lossy(path));
    }
    let text = super::escape::escape(path);
    if text.as_bytes() == path {
        return format!("'{prefix}{}'", text.replace('\'', "'\\''"));
    }
    let mut quoted = format!("$'{prefix}");
    for &byte in path {
        match byte {
            b'\'' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            // A colon and a hash could begin a command of a CI system.
            b' '..=b'~' if !b":#".contains(&byte) => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::{
        Allow, Language, Replacement, allow, ignore_command, is_variable_name, language_of, pathspec,
        replacement, shell_path, variable_name,
    };

    #[test]
    fn names_tell_the_language() {
        let cases = [
            ("bot.py", Language::Python),
            ("hardhat.config.TS", Language::JavaScript),
            (".env", Language::Dotenv),
            (".env.production", Language::Dotenv),
            ("prod.env", Language::Dotenv),
            ("config.yml", Language::Yaml),
            ("Makefile", Language::Other),
            ("a.b.ipynb", Language::Notebook),
            ("py", Language::Other),
            ("", Language::Other),
        ];
        for (name, expected) in cases {
            assert_eq!(language_of(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn advice_speaks_the_language() {
        let code = |language| replacement(language, "A_KEY");
        assert_eq!(code(Language::Python), Replacement::Code("os.environ[\"A_KEY\"]".into()));
        assert_eq!(code(Language::Shell), Replacement::Code("\"${A_KEY:?is not set}\"".into()));
        assert_eq!(code(Language::Dotenv), Replacement::IgnoreFile);
        assert_eq!(allow(Language::Go, "r", false), Allow::Comment("// keyfence:allow[r] reason".into()));
        assert_eq!(
            allow(Language::Json, "r", false),
            Allow::Field("\"_allow\": \"keyfence:allow[r] reason\"".into())
        );
        let before =
            |comment: &str| Allow::LineBefore(comment.replace('…', "keyfence:allow-next-line[r] reason"));
        assert_eq!(allow(Language::Dotenv, "r", false), before("# …"));
        assert_eq!(allow(Language::Ini, "r", false), before("# …"));
        assert_eq!(allow(Language::Other, "r", false), before("…"));
        assert_eq!(allow(Language::Markup, "r", true), before("<!-- … -->"));
        assert_eq!(variable_name("gate", "api-key"), "GATE_API_KEY");
        assert_eq!(variable_name("1inch", "key"), "_1INCH_KEY");
        assert!(is_variable_name("BINANCE_API_KEY2"));
        assert!(["apiKey", "KEY", "A-B_C", "_A_B", ""].iter().all(|name| !is_variable_name(name)));
    }

    #[test]
    fn paths_survive_a_shell() {
        let cases: [(&[u8], &str); 8] = [
            (b"src/bot.py", "src/bot.py"),
            (b"my keys/a.py", "'my keys/a.py'"),
            (b"it's.py", "'it'\\''s.py'"),
            (b"-rf", "./-rf"),
            (b"a\nb", "$'a\\x0ab'"),
            (b"caf\xc3\xa9.py", "'caf\u{e9}.py'"),
            (b"bad\xff'name", "$'bad\\xff\\'name'"),
            (b"$(x)", "'$(x)'"),
        ];
        for (path, expected) in cases {
            assert_eq!(shell_path(path), expected);
        }
    }

    #[test]
    fn commands_mean_the_path_and_no_pattern() {
        let cases: [(&[u8], &str, &str); 8] = [
            (b".env", ".env", "echo .env >> .gitignore"),
            (b"a b/.env", "'a b/.env'", "echo 'a b/.env' >> .gitignore"),
            (b"*.env", "':(top,literal)*.env'", "printf '%s\\n' '\\*.env' >> .gitignore"),
            (b"[a]/?", "':(top,literal)[a]/?'", "printf '%s\\n' '\\[a]/\\?' >> .gitignore"),
            (b"!a.env", "'!a.env'", "printf '%s\\n' '\\!a.env' >> .gitignore"),
            (b"#a#", "'#a#'", "printf '%s\\n' '\\#a#' >> .gitignore"),
            (b"a ", "'a '", "printf '%s\\n' 'a\\ ' >> .gitignore"),
            (b"-a\n", "$'./-a\\x0a'", "printf '%s\\n' '-a?' >> .gitignore"),
        ];
        for (path, spec, command) in cases {
            assert_eq!(pathspec(path), spec);
            assert_eq!(ignore_command(path), command);
        }
        assert_eq!(pathspec(b":x"), "':(top,literal):x'");
    }
}
