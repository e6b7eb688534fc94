//! Whether git would leave a file out that somebody adds without thinking.
//!
//! Must not know: the index. Invariant: only the rules at the top count, which hold for every clone; those of a
//! person's own machine do not.

use std::path::Path;

use ignore::gitignore::GitignoreBuilder;

/// Whether the `.gitignore` at `top` leaves out the file of that name there.
pub fn is_ignored_at_top(top: &Path, name: &str) -> bool {
    let rules = top.join(".gitignore");
    if !rules.is_file() {
        return false;
    }
    let mut builder = GitignoreBuilder::new(top);
    // Lines that cannot be read are no rules to git either.
    let _ = builder.add(rules);
    builder.build().is_ok_and(|rules| rules.matched(top.join(name), false).is_ignore())
}
