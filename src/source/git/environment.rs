//! The environment variables of git that say where things are, as a plain value.
//!
//! Must not know: files, repositories.
//! Invariant: the only place of this folder that reads the process's environment; everything else is handed a value,
//! so that a test can say what a hook was given.

use std::ffi::OsString;
use std::path::PathBuf;

/// What git tells a hook (and a user tells git) through environment variables. Relative paths stay as they were
/// given: what they are relative to differs from variable to variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitEnvironment {
    /// `GIT_DIR`, relative to the current directory.
    pub git_dir: Option<PathBuf>,
    /// `GIT_WORK_TREE`, relative to the current directory.
    pub work_tree: Option<PathBuf>,
    /// `GIT_INDEX_FILE`, relative to the top of the work tree.
    pub index_file: Option<PathBuf>,
    /// `GIT_COMMON_DIR`, relative to the current directory.
    pub common_dir: Option<PathBuf>,
    /// `GIT_OBJECT_DIRECTORY`, relative to the current directory.
    pub object_directory: Option<PathBuf>,
    /// `GIT_ALTERNATE_OBJECT_DIRECTORIES`, a list like `PATH`.
    pub alternate_object_directories: Option<OsString>,
    /// `GIT_CEILING_DIRECTORIES`, a list like `PATH`: where the search for a repository stops.
    pub ceiling_directories: Option<OsString>,
    /// `GIT_CONFIG_GLOBAL`, in place of the user's two files.
    pub config_global: Option<PathBuf>,
    /// `GIT_CONFIG_SYSTEM`, in place of `/etc/gitconfig`.
    pub config_system: Option<PathBuf>,
    /// `GIT_CONFIG_NOSYSTEM`: leave the system's file out.
    pub config_without_system: bool,
    /// Keys and values of `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_n` and `GIT_CONFIG_VALUE_n`, in order.
    pub config_pairs: Vec<(OsString, OsString)>,
    /// `GIT_CONFIG_PARAMETERS`, what `git -c` hands on.
    pub config_parameters: Option<OsString>,
    /// `GIT_TEMPLATE_DIR`.
    pub template_directory: Option<PathBuf>,
    /// `GIT_EDITOR` is `:`, which is how git tells a hook that nobody edits the message.
    pub without_editor: bool,
    /// `HOME` (`USERPROFILE` where there is none).
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
}

impl GitEnvironment {
    /// The environment of this process.
    pub fn from_process() -> Self {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// The environment that `lookup` answers for. Empty values count as unset, except where git counts them.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let path = |name: &str| text(name).map(PathBuf::from);
        Self {
            git_dir: path("GIT_DIR"),
            work_tree: path("GIT_WORK_TREE"),
            index_file: path("GIT_INDEX_FILE"),
            common_dir: path("GIT_COMMON_DIR"),
            object_directory: path("GIT_OBJECT_DIRECTORY"),
            alternate_object_directories: text("GIT_ALTERNATE_OBJECT_DIRECTORIES"),
            ceiling_directories: text("GIT_CEILING_DIRECTORIES"),
            // Set but empty means "no such file at all" to git.
            config_global: lookup("GIT_CONFIG_GLOBAL").map(PathBuf::from),
            config_system: lookup("GIT_CONFIG_SYSTEM").map(PathBuf::from),
            config_without_system: lookup("GIT_CONFIG_NOSYSTEM").is_some_and(|value| is_true(&value)),
            config_pairs: config_pairs(&lookup),
            config_parameters: text("GIT_CONFIG_PARAMETERS"),
            template_directory: path("GIT_TEMPLATE_DIR"),
            without_editor: lookup("GIT_EDITOR").is_some_and(|editor| editor == ":"),
            home: path("HOME").or_else(|| path("USERPROFILE")),
            config_home: path("XDG_CONFIG_HOME"),
        }
    }
}

fn is_true(value: &OsString) -> bool {
    let word = value.to_string_lossy().to_ascii_lowercase();
    !matches!(word.as_str(), "" | "0" | "false" | "no" | "off")
}

fn config_pairs(lookup: impl Fn(&str) -> Option<OsString>) -> Vec<(OsString, OsString)> {
    let count = lookup("GIT_CONFIG_COUNT").and_then(|count| count.to_str()?.parse::<usize>().ok());
    // The first gap ends the list: git refuses to run then, so nothing after it can matter.
    (0..count.unwrap_or(0))
        .map_while(|index| {
            Some((lookup(&format!("GIT_CONFIG_KEY_{index}"))?, lookup(&format!("GIT_CONFIG_VALUE_{index}"))?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::GitEnvironment;
    use std::ffi::OsString;
    use std::path::PathBuf;

    #[test]
    fn reads_paths_and_pairs() {
        let variables = [
            ("GIT_DIR", ""),
            ("GIT_INDEX_FILE", ".git/index"),
            ("GIT_CONFIG_GLOBAL", ""),
            ("GIT_CONFIG_NOSYSTEM", "true"),
            ("GIT_CONFIG_COUNT", "3"),
            ("GIT_CONFIG_KEY_0", "core.hooksPath"),
            ("GIT_CONFIG_VALUE_0", "hooks"),
        ];
        let environment = GitEnvironment::from_lookup(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        });
        assert_eq!(environment.git_dir, None);
        assert_eq!(environment.index_file, Some(PathBuf::from(".git/index")));
        assert_eq!(environment.config_global, Some(PathBuf::new()));
        assert!(environment.config_without_system);
        assert_eq!(environment.config_pairs, [(OsString::from("core.hooksPath"), OsString::from("hooks"))]);
    }
}
