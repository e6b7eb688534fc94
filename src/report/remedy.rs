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
    /// The format has no comments: this second field on the same line.
    Field(String),
    /// Nothing can be written into the file.
    Impossible,
}

/// How a finding of `rule` is allowed in a file of this language.
pub(super) fn allow(language: Language, rule: &str) -> Allow {
    let word = format!("keyfence:allow[{rule}] reason");
    Allow::Comment(match language {
        Language::Json => return Allow::Field(format!("\"_allow\": \"{word}\"")),
        Language::KeyFile => return Allow::Impossible,
        Language::JavaScript
        | Language::Go
        | Language::Rust
        | Language::Java
        | Language::Kotlin
        | Language::CSharp
        | Language::Php
        | Language::C
        | Language::Swift
        | Language::Dart => format!("// {word}"),
        Language::Lua | Language::Sql => format!("-- {word}"),
        Language::Markup => format!("<!-- {word} -->"),
        Language::Css => format!("/* {word} */"),
        Language::Python
        | Language::Notebook
        | Language::Ruby
        | Language::Elixir
        | Language::Shell
        | Language::PowerShell
        | Language::Dotenv
        | Language::Yaml
        | Language::Toml
        | Language::Terraform => format!("# {word}"),
        Language::Ini | Language::Other => word,
    })
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

/// A path as a shell takes it, quoted where it must be; bytes that would act on a terminal are written as escapes
/// that the shell turns back.
pub(super) fn shell_path(path: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+@%,".contains(byte);
    // A leading `-` would be an option and a leading `:` a pathspec of another kind.
    let prefix = if matches!(path.first(), Some(b'-' | b':')) { "./" } else { "" };
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
        Allow, Language, Replacement, allow, is_variable_name, language_of, replacement, shell_path,
        variable_name,
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
        assert_eq!(allow(Language::Go, "r"), Allow::Comment("// keyfence:allow[r] reason".into()));
        assert_eq!(
            allow(Language::Json, "r"),
            Allow::Field("\"_allow\": \"keyfence:allow[r] reason\"".into())
        );
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
}
