//! The few settings of git that matter here: hooks, templates, comment characters.
//!
//! Must not know: objects, the index.
//! Invariant: settings are read, never obeyed as commands; a file that git would refuse is an error here too.

use std::io;
use std::path::{Path, PathBuf};

use gix::bstr::{BStr, BString, ByteSlice};
use gix::config::file::Metadata;
use gix::config::file::includes;
use gix::config::file::init::Options;
use gix::config::path::interpolate;
use gix::config::{File as ConfigFile, Source as Scope};

use super::layout::{CONFIG_LIMIT, is_absent, native_path, read_regular};
use super::{GitEnvironment, Layout};
use crate::source::SourceError;

/// Git's configuration: system, user, repository, worktree and environment together, the last word winning.
#[derive(Debug)]
pub struct Settings {
    file: ConfigFile,
    /// From the environment, in order.
    overrides: Vec<(BString, BString)>,
    home: Option<PathBuf>,
    template_from_environment: Option<PathBuf>,
}

/// Why settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file exists but cannot be read.
    #[error("cannot read the git configuration {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be parsed, or one of its includes cannot be used.
    #[error("cannot understand the git configuration {}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

impl From<SettingsError> for SourceError {
    fn from(error: SettingsError) -> Self {
        let hint = "`git config --list --show-origin` names what is wrong".to_string();
        Self { message: error.to_string(), hint: Some(hint) }
    }
}

impl Settings {
    /// Reads all there are. Without a `layout` only those of the system, the user and the environment.
    ///
    /// # Errors
    /// A file that exists and cannot be read or parsed, as git would refuse it.
    pub fn read(layout: Option<&Layout>, environment: &GitEnvironment) -> Result<Self, SettingsError> {
        let mut file = ConfigFile::new(Metadata::api());
        for (path, scope) in files(layout, environment) {
            if let Some(part) = read_file(&path, scope, layout, environment)? {
                file.append(part).map_err(|_| SettingsError::Malformed { path })?;
            }
        }
        if let Some(layout) = layout {
            let own = layout.git_dir.join("config.worktree");
            if matches!(file.boolean("extensions.worktreeConfig"), Ok(Some(true)))
                && let Some(part) = read_file(&own, Scope::Worktree, Some(layout), environment)?
            {
                file.append(part).map_err(|_| SettingsError::Malformed { path: own })?;
            }
        }
        Ok(Self {
            file,
            overrides: overrides(environment),
            home: environment.home.clone(),
            template_from_environment: environment.template_directory.clone(),
        })
    }

    /// The raw value of `core.hooksPath`.
    pub fn hooks_path(&self) -> Option<PathBuf> {
        self.string("core.hooksPath").map(native_path)
    }

    /// The directory in which git looks for hooks: `core.hooksPath` with `~` expanded, relative to the top of the
    /// work tree (the git directory when bare), else `hooks` of the common directory.
    pub fn hooks_directory(&self, layout: &Layout) -> PathBuf {
        let base = layout.work_tree.as_deref().unwrap_or(&layout.git_dir);
        match self.string("core.hooksPath") {
            Some(path) => base.join(self.expand(path)),
            None => layout.default_hooks_directory(),
        }
    }

    /// Where `git init` and `git clone` copy new repositories from: `GIT_TEMPLATE_DIR` or `init.templateDir`.
    pub fn template_directory(&self) -> Option<PathBuf> {
        let configured = || self.string("init.templateDir").map(|path| self.expand(path));
        self.template_from_environment.clone().or_else(configured)
    }

    /// What begins a comment line in a commit message: `core.commentString` or `core.commentChar`, whichever was
    /// set last; `auto` is handed out as it is. `None` means `#`.
    pub fn comment_string(&self) -> Option<Vec<u8>> {
        self.string("core.commentString").or_else(|| self.string("core.commentChar")).map(Vec::from)
    }

    /// `commit.cleanup`: what git does with a message before it commits.
    pub fn commit_cleanup(&self) -> Option<Vec<u8>> {
        self.string("commit.cleanup").map(Vec::from)
    }

    /// Every value of `key`, which is `section.name`; the environment's last.
    pub fn values(&self, key: &str) -> Vec<Vec<u8>> {
        let from_files = self.file.strings(key).unwrap_or_default().into_iter();
        let from_environment =
            self.overrides.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key.as_bytes()));
        from_files.chain(from_environment.map(|(_, value)| value.clone())).map(Vec::from).collect()
    }

    fn string(&self, key: &str) -> Option<BString> {
        let from_environment =
            self.overrides.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(key.as_bytes()));
        from_environment.map(|(_, value)| value.clone()).or_else(|| self.file.string(key))
    }

    fn expand(&self, path: BString) -> PathBuf {
        let plain = native_path(path.clone());
        gix::config::Path::from(path).interpolate(interpolation(self.home.as_deref())).unwrap_or(plain)
    }
}

fn interpolation(home: Option<&Path>) -> interpolate::Context<'_> {
    interpolate::Context { home_dir: home, ..Default::default() }
}

/// The files in the order in which later ones win.
fn files(layout: Option<&Layout>, environment: &GitEnvironment) -> Vec<(PathBuf, Scope)> {
    let mut files = Vec::new();
    if !environment.config_without_system {
        let system = environment.config_system.clone();
        files.push((system.unwrap_or_else(|| PathBuf::from("/etc/gitconfig")), Scope::System));
    }
    match &environment.config_global {
        Some(global) => files.push((global.clone(), Scope::User)),
        None => {
            let home = environment.home.as_ref();
            let config_home = environment.config_home.clone().or_else(|| Some(home?.join(".config")));
            files.extend(config_home.map(|directory| (directory.join("git/config"), Scope::Git)));
            files.extend(home.map(|home| (home.join(".gitconfig"), Scope::User)));
        }
    }
    files.extend(layout.map(|layout| (layout.common_dir.join("config"), Scope::Local)));
    files.retain(|(path, _)| !path.as_os_str().is_empty());
    files
}

fn read_file(
    path: &Path,
    scope: Scope,
    layout: Option<&Layout>,
    environment: &GitEnvironment,
) -> Result<Option<ConfigFile>, SettingsError> {
    // GIT_CONFIG_GLOBAL=/dev/null is how people say "none".
    if path == Path::new("/dev/null") {
        return Ok(None);
    }
    let mut bytes = match read_regular(path, CONFIG_LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(source) => return Err(SettingsError::Unreadable { path: path.to_path_buf(), source }),
    };
    let conditional = includes::conditional::Context {
        git_dir: layout.map(|layout| layout.git_dir.as_path()),
        branch_name: None,
    };
    let includes = includes::Options {
        err_on_max_depth_exceeded: false,
        err_on_missing_config_path: false,
        ..includes::Options::follow(interpolation(environment.home.as_deref()), conditional)
    };
    let options = Options { includes, lossy: true, ignore_io_errors: true };
    ConfigFile::from_bytes_owned(&mut bytes, Metadata::from(scope).at(path), options)
        .map(Some)
        .map_err(|_| SettingsError::Malformed { path: path.to_path_buf() })
}

/// Settings from the environment: first the numbered pairs, then what `git -c` handed on.
fn overrides(environment: &GitEnvironment) -> Vec<(BString, BString)> {
    let bytes = |text: &std::ffi::OsString| BString::from(text.as_encoded_bytes());
    let mut pairs: Vec<_> =
        environment.config_pairs.iter().map(|(key, value)| (bytes(key), bytes(value))).collect();
    if let Some(parameters) = &environment.config_parameters {
        pairs.extend(parse_parameters(parameters.as_encoded_bytes()));
    }
    pairs
}

/// `'key'='value' 'key'='value'`, or the older `'key=value'`, quoted as for a shell.
fn parse_parameters(text: &[u8]) -> Vec<(BString, BString)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_ascii_start();
    while let Some((first, after)) = unquote(rest) {
        rest = after;
        if let Some((value, after)) = rest.strip_prefix(b"=").and_then(unquote) {
            pairs.push((first, value));
            rest = after;
        } else if let Some((key, value)) = first.split_once_str(b"=") {
            pairs.push((BString::from(key), BString::from(value)));
        } else {
            rest = rest.strip_prefix(b"=").unwrap_or(rest);
            pairs.push((first, BString::default()));
        }
        rest = rest.trim_ascii_start();
    }
    pairs
}

/// One word in single quotes, in which `'\''` and `'\!'` stand for the character itself; with what comes after it.
fn unquote(text: &[u8]) -> Option<(BString, &BStr)> {
    let mut rest = text.strip_prefix(b"'")?;
    let mut word = BString::default();
    loop {
        let end = rest.find_byte(b'\'')?;
        word.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        match rest {
            [b'\\', escaped @ (b'\'' | b'!'), b'\'', after @ ..] => {
                word.push(*escaped);
                rest = after;
            }
            _ => return Some((word, rest.as_bstr())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse_parameters;

    #[test]
    fn parameters_of_both_styles_are_read() {
        let cases: [(&str, &[(&str, &str)]); 5] = [
            ("", &[]),
            ("'core.hookspath'='a b'", &[("core.hookspath", "a b")]),
            ("'core.hookspath=x' 'a.b'='it'\\''s'", &[("core.hookspath", "x"), ("a.b", "it's")]),
            ("'a.b'= 'c.d'='e'", &[("a.b", ""), ("c.d", "e")]),
            ("'broken", &[]),
        ];
        for (text, expected) in cases {
            let pairs = parse_parameters(text.as_bytes());
            let pairs: Vec<_> = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            let expected: Vec<_> = expected.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            assert_eq!(pairs, expected, "{text}");
        }
    }
}
