//! All objects of one kind, wherever they are stored.
//!
//! Must not know: what is done with them.
//! Invariant: each one is shown once, or is a problem, or is settled already.

use gix::hash::ObjectId;
use gix::objs::Kind;

use super::families::Families;
use super::packs::{Pack, object_problem};
use super::set::NumberSet;
use super::survey::Ground;
use super::table::Table;
use super::walk::{Crew, Hands, Plan, Seen, Visit};
use crate::model::Problem;
use crate::source::git::entry::EntryError;

/// Loose objects by what they are.
pub(super) struct LooseKinds {
    kinds: Vec<(Kind, u32)>,
    pub problems: Vec<Problem>,
}

impl LooseKinds {
    /// Of all but those that are settled.
    pub(super) fn read(table: &Table, settled: &NumberSet) -> Self {
        let mut read = Self { kinds: Vec::with_capacity(table.loose.len()), problems: Vec::new() };
        for (place, (id, path)) in table.loose.iter().enumerate() {
            let number = table.loose_number(place);
            if settled.contains(number) {
                continue;
            }
            match table.loose_kind(place) {
                Ok(kind) => read.kinds.push((kind, number)),
                Err(error) => read.problems.push(object_problem(id, path, &error)),
            }
        }
        read
    }
}

/// All objects of a kind, wherever they are, but for those that are settled.
pub(super) struct Over<'a> {
    table: &'a Table,
    loose: LooseKinds,
    limit: u64,
    /// For each pack what of it is open.
    open: Vec<Open>,
}

/// What of a pack is not settled.
enum Open {
    All,
    /// By rank, the entries that are open, or lead to one that is.
    Some(Vec<bool>),
    None,
}

impl<'a> Over<'a> {
    pub(super) fn new(ground: &Ground<'a>, loose: LooseKinds, settled: &NumberSet) -> Self {
        let Ground { table, limit, .. } = *ground;
        let open = |pack: &Pack| {
            let is_open = |rank: u32| !settled.contains(pack.number(rank));
            let count = (0..pack.count()).filter(|&rank| is_open(rank)).count();
            match count {
                0 if pack.count() > 0 => Open::None,
                _ if count == pack.count() as usize => Open::All,
                _ => Open::Some(pack.families().leading_to(is_open)),
            }
        };
        let open = table.packs.iter().map(open).collect();
        Self { table, loose, limit, open }
    }

    /// Packs of which anything is open, with their families, and which entries lead to something that is open; `None`
    /// where all do.
    fn packs(&self) -> impl Iterator<Item = (&'a Pack, &'a Families, Option<&[bool]>)> {
        self.table.packs.iter().zip(&self.open).filter_map(|(pack, open)| {
            let leading = match open {
                Open::All => None,
                Open::Some(leading) => Some(leading.as_slice()),
                Open::None => return None,
            };
            Some((pack, pack.families(), leading))
        })
    }

    /// How many objects of a kind there are, settled ones counted where others are made from them.
    pub(super) fn count(&self, kind: Kind) -> u64 {
        let packed = self.packs().map(|(_, families, leading)| {
            let is_led = |rank: u32| leading.is_none_or(|leading| leading[rank as usize]);
            let roots = families.roots.iter().filter(|&&(rank, found)| found == kind && is_led(rank));
            roots.map(|&(rank, _)| u64::from(families.weight(rank))).sum::<u64>()
        });
        let loose = self.loose.kinds.iter().filter(|(found, _)| *found == kind).count();
        packed.sum::<u64>() + loose as u64
    }

    pub(super) fn all<V: Visit>(&self, kind: Kind, make: &(dyn Fn() -> V + Sync)) -> Vec<V> {
        let crew = Crew::new(self.table, self.limit, make);
        for (pack, families, leading) in self.packs() {
            let roots: Vec<u32> =
                families.roots.iter().filter(|(_, found)| *found == kind).map(|&(rank, _)| rank).collect();
            let of_kind = |base: &ObjectId| {
                let number = self.table.find(base);
                number
                    .and_then(|number| self.table.read(number, self.limit).ok())
                    .is_some_and(|(found, _)| found == kind)
            };
            let orphans: Vec<(u32, ObjectId)> =
                families.orphans.iter().filter(|(_, base)| of_kind(base)).copied().collect();
            crew.walk(&Plan { pack, families, roots: &roots, orphans: &orphans, wanted: leading });
            if kind == Kind::Blob {
                self.lost_orphans(&crew, pack, families);
            }
        }
        let loose: Vec<u32> =
            self.loose.kinds.iter().filter(|(found, _)| *found == kind).map(|&(_, number)| number).collect();
        crew.each(&loose, |hands: &mut Hands<V>, &number| match self.table.read(number, self.limit) {
            Ok((_, bytes)) => {
                drop(hands.visitor.object(&Seen { number, bytes: &bytes, base: None, is_base: false }))
            }
            Err(error) => {
                let id = self.table.id(number);
                hands.visitor.problem(object_problem(&id, &self.table.loose_path(number), &error));
            }
        });
        crew.into_visitors()
    }

    /// What is made from an object that is nowhere.
    fn lost_orphans<V: Visit>(&self, crew: &Crew<'_, V>, pack: &Pack, families: &Families) {
        let lost: Vec<u32> = families
            .orphans
            .iter()
            .filter(|(_, base)| self.table.find(base).is_none())
            .map(|&(rank, _)| rank)
            .collect();
        crew.each(&lost, |hands, &rank| hands.visitor.problem(pack.problem(rank, &EntryError::BaseMissing)));
    }
}
