//! A split index: what changed, over a shared part in a file of its own.
//!
//! Must not know: where either of them lies, which index is meant, objects.
//! Invariant: what comes out has the entries that git would put together; anything else is an error in words. A shared
//! part that names another one is taken by itself, as git takes it: nothing is followed in a circle.

use std::collections::HashSet;

use gix::bstr::BString;
use gix::hash::ObjectId;
use gix::index::State;
use gix::index::entry::{Flags, Mode, Stat};
use gix::index::extension::Link;
use gix::index::extension::link::Bitmaps;

/// What an entry is made of.
struct Parts {
    stat: Stat,
    id: ObjectId,
    flags: Flags,
    mode: Mode,
    path: BString,
}

/// Puts `split` over the part that it shares, as `link` says.
pub(super) fn put_together(mut split: State, link: &Link, shared: &State) -> Result<State, String> {
    let mut entries = parts_of(shared);
    let mut changed = parts_of(&split).into_iter();
    if let Some(bitmaps) = &link.bitmaps {
        replace(&mut entries, &mut changed, bitmaps)?;
        entries = without_deleted(entries, bitmaps)?;
    }
    entries.extend(changed);
    if entries.iter().any(|entry| entry.path.is_empty()) {
        return Err("an entry of the split index has no name".to_owned());
    }
    split.remove_entries(|_, _, _| true);
    for entry in &entries {
        split.dangerously_push_entry(entry.stat, entry.id, entry.flags, entry.mode, entry.path.as_ref());
    }
    split.sort_entries();
    Ok(split)
}

fn parts_of(state: &State) -> Vec<Parts> {
    let parts = |entry: &gix::index::Entry| Parts {
        stat: entry.stat,
        id: entry.id,
        flags: entry.flags,
        mode: entry.mode,
        path: entry.path(state).to_owned(),
    };
    state.entries().iter().map(parts).collect()
}

/// The first entries of a split index have no names: they stand for those that the map points at, in its order.
fn replace(
    entries: &mut [Parts],
    changed: &mut impl Iterator<Item = Parts>,
    bitmaps: &Bitmaps,
) -> Result<(), String> {
    let replaced = bitmaps.replace.for_each_set_bit(|at| {
        let (old, new) = (entries.get_mut(at)?, changed.next()?);
        if !new.path.is_empty() {
            return None;
        }
        let path = std::mem::take(&mut old.path);
        *old = Parts { path, ..new };
        Some(())
    });
    replaced.ok_or_else(|| "what the split index replaces does not fit its shared part".to_owned())
}

fn without_deleted(entries: Vec<Parts>, bitmaps: &Bitmaps) -> Result<Vec<Parts>, String> {
    let mut deleted = HashSet::new();
    let marked = bitmaps.delete.for_each_set_bit(|at| {
        deleted.insert(at);
        (at < entries.len()).then_some(())
    });
    if marked.is_none() {
        return Err("what the split index leaves out does not fit its shared part".to_owned());
    }
    let left = entries.into_iter().enumerate().filter(|(at, _)| !deleted.contains(at));
    Ok(left.map(|(_, entry)| entry).collect())
}
