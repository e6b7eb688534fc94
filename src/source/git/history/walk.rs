//! Walks families of a pack: each object is inflated once, each delta applied once.
//!
//! A version is kept while others are made from it, and given back as soon as the last of them is made: of several
//! children the one with the most descendants comes last, so that few are kept at a time. Large subfamilies are
//! handed to other threads.
//!
//! Must not know: what is in an object, what is done with it.
//! Invariant: every wanted object is visited exactly once or is a problem, and so is everything made from it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gix::hash::ObjectId;
use gix::zlib::Inflate;
use rayon::Scope;

use super::delta;
use super::families::Families;
use super::packs::Pack;
use super::table::Table;
use crate::model::{CopiedPiece, Problem, ProblemKind};
use crate::source::git::entry::EntryError;

/// Subfamilies from this size on may go to another thread: so many versions, or so many bytes.
const SHARED_WEIGHT: u32 = 64;
const SHARED_BYTES: u64 = 8 << 20;
/// Families from so many bytes on are a piece of work each.
const LARGE_FAMILY: u64 = 32 << 20;
/// So many families are begun as one piece of work at most.
const FAMILIES_AT_ONCE: usize = 64;
/// So many pieces of work there should be for each thread: families are of very different size.
const PIECES: usize = 16;
/// So many objects that are lost with one are named each; the rest is counted.
const LOST_BY_NAME: usize = 100;
/// A thread keeps buffers of so many bytes for what comes next, and gives others back to the system.
const SPARE: usize = 32 << 20;
/// So many buffers, at most.
const SPARES: usize = 8;
/// A buffer is not used for what is smaller than half of it, unless it has no more than this: it could be held for long.
const SMALL_SPARE: usize = 64 << 10;

/// An object under the eyes of a visitor.
pub(super) struct Seen<'a, C> {
    /// Its number among all objects.
    pub number: u32,
    pub bytes: &'a [u8],
    /// What the visitor gave for the version it was made from, and what was copied from there.
    pub base: Option<(&'a C, &'a [CopiedPiece])>,
    /// Whether it is only shown because others are made from it; it is looked at elsewhere.
    pub is_base: bool,
}

/// Looks at objects, on one thread.
pub(super) trait Visit: Send {
    /// What it wants to know again when it sees a version made from this one.
    type Carried: Send + Sync;

    fn object(&mut self, seen: &Seen<'_, Self::Carried>) -> Self::Carried;

    /// Takes note of what could not be looked at.
    fn problem(&mut self, problem: Problem);

    /// Whether to end as soon as possible.
    fn stopped(&self) -> bool;
}

/// The visitors of all threads.
pub(super) struct Crew<'m, V> {
    table: &'m Table,
    hands: Vec<Mutex<Option<Hands<V>>>>,
    make: &'m (dyn Fn() -> V + Sync),
    limit: u64,
}

/// One thread's visitor and buffers.
pub(super) struct Hands<V> {
    pub visitor: V,
    pub inflate: Inflate,
    pub buffer: Vec<u8>,
    pieces: Vec<CopiedPiece>,
    spare: Vec<Vec<u8>>,
}

/// A version that others are made from.
struct Version<C> {
    bytes: Vec<u8>,
    carried: C,
}

/// Entries to visit, each with what it is made from.
type Waiting<C> = Vec<(u32, Option<Arc<Version<C>>>)>;

/// Which entries of a pack are walked.
pub(super) struct Plan<'p> {
    pub pack: &'p Pack,
    pub families: &'p Families,
    /// Ranks of entries that stand for themselves, to begin with.
    pub roots: &'p [u32],
    /// Ranks of entries that are made from an object outside of the pack, to begin with, and that object.
    pub orphans: &'p [(u32, ObjectId)],
    /// Whether an entry, or something made from it, is wanted; by rank. `None` wants all.
    pub wanted: Option<&'p [bool]>,
}

impl<'m, V: Visit> Crew<'m, V> {
    /// A crew that makes its visitors when they are needed and reads no object larger than `limit`.
    pub(super) fn new(table: &'m Table, limit: u64, make: &'m (dyn Fn() -> V + Sync)) -> Self {
        let hands = (0..rayon::current_num_threads().max(1)).map(|_| Mutex::default()).collect();
        Self { table, hands, make, limit }
    }

    /// All visitors that were needed.
    pub(super) fn into_visitors(self) -> Vec<V> {
        let hands = self.hands.into_iter();
        let visitors = hands.filter_map(|hands| hands.into_inner().unwrap_or_else(PoisonError::into_inner));
        visitors.map(|hands| hands.visitor).collect()
    }

    /// Visits the planned entries.
    pub(super) fn walk(&self, plan: &Plan<'_>) {
        rayon::scope(|scope| {
            // Who begins with the largest ones does not end with them, when nobody else has anything to do.
            let wanted = || plan.roots.iter().copied().filter(|&rank| plan.wants(rank));
            let (large, others): (Vec<u32>, Vec<u32>) =
                wanted().partition(|&rank| plan.families.bytes(rank) >= LARGE_FAMILY);
            let begin = |ranks: &[u32]| {
                let waiting: Waiting<V::Carried> = ranks.iter().rev().map(|&rank| (rank, None)).collect();
                scope.spawn(|scope| self.families(plan, waiting, scope));
            };
            large.chunks(1).for_each(begin);
            others.chunks(at_once(others.len())).for_each(begin);
            for &(rank, base) in plan.orphans.iter().filter(|(rank, _)| plan.wants(*rank)) {
                scope.spawn(move |scope| {
                    let version = self.with_hands(|hands| self.outside(hands, plan, rank, &base));
                    if let Some(version) = version {
                        self.families(plan, vec![(rank, Some(Arc::new(version)))], scope);
                    }
                });
            }
        });
    }

    /// The version outside of the pack that an entry is made from.
    fn outside(
        &self,
        hands: &mut Hands<V>,
        plan: &Plan<'_>,
        rank: u32,
        base: &ObjectId,
    ) -> Option<Version<V::Carried>> {
        let number = self.table.find(base);
        let read =
            number.ok_or(EntryError::BaseMissing).and_then(|number| self.table.read(number, self.limit));
        match (number, read) {
            (Some(number), Ok((_, bytes))) => {
                let seen = Seen { number, bytes: &bytes, base: None, is_base: true };
                let carried = hands.visitor.object(&seen);
                Some(Version { bytes, carried })
            }
            (_, Err(error)) => {
                hands.lose(plan, rank, &error);
                None
            }
            (None, Ok(_)) => None,
        }
    }

    /// Hands each item to a visitor.
    pub(super) fn each<T: Sync>(&self, items: &[T], visit: impl Fn(&mut Hands<V>, &T) + Sync) {
        use rayon::prelude::*;
        items.par_chunks(at_once(items.len())).for_each(|items| {
            self.with_hands(|hands| {
                for item in items {
                    if hands.visitor.stopped() {
                        return;
                    }
                    visit(hands, item);
                }
            });
        });
    }

    fn with_hands<R>(&self, work: impl FnOnce(&mut Hands<V>) -> R) -> R {
        let mut slot = self.free_slot();
        let hands = slot.get_or_insert_with(|| Hands {
            visitor: (self.make)(),
            inflate: Inflate::default(),
            buffer: Vec::new(),
            pieces: Vec::new(),
            spare: Vec::new(),
        });
        work(hands)
    }

    /// The slot of this thread. Work never waits for other work while it holds its slot.
    fn free_slot(&self) -> MutexGuard<'_, Option<Hands<V>>> {
        let own = rayon::current_thread_index().unwrap_or(0) % self.hands.len();
        self.hands[own].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn families<'s>(&'s self, plan: &'s Plan<'s>, mut waiting: Waiting<V::Carried>, scope: &Scope<'s>) {
        self.with_hands(|hands| {
            while let Some((rank, base)) = waiting.pop() {
                if hands.visitor.stopped() {
                    return;
                }
                // A fault of ours on one object must not take the rest with it.
                let made = catch_unwind(AssertUnwindSafe(|| {
                    hands.version(plan.pack, rank, base.as_deref(), self.limit)
                }));
                hands.give_back(base);
                match made {
                    Ok(Ok(version)) => self.pass_on(hands, plan, (rank, version), &mut waiting, scope),
                    Ok(Err(error)) => hands.lose(plan, rank, &error),
                    Err(_) => hands.fail(plan, rank),
                }
            }
        });
    }

    /// Puts what is made from a version in line: on this thread, or on any where it is much.
    fn pass_on<'s>(
        &'s self,
        hands: &mut Hands<V>,
        plan: &'s Plan<'s>,
        (rank, version): (u32, Version<V::Carried>),
        waiting: &mut Waiting<V::Carried>,
        scope: &Scope<'s>,
    ) {
        let mut children: Vec<u32> =
            plan.families.children(rank).iter().copied().filter(|&child| plan.wants(child)).collect();
        if children.is_empty() {
            hands.keep_spare(version.bytes);
            return;
        }
        children.sort_by_key(|&child| std::cmp::Reverse(plan.families.weight(child)));
        let version = Arc::new(version);
        for (index, &child) in children.iter().enumerate() {
            let base = Some(Arc::clone(&version));
            let weight = plan.families.weight(child);
            let bytes = u64::from(weight) * version.bytes.len() as u64;
            if index > 0 && (weight >= SHARED_WEIGHT || bytes >= SHARED_BYTES) {
                scope.spawn(move |scope| self.families(plan, vec![(child, base)], scope));
            } else {
                waiting.push((child, base));
            }
        }
    }
}

/// How many of so many are one piece of work.
fn at_once(count: usize) -> usize {
    (count / (rayon::current_num_threads().max(1) * PIECES)).clamp(1, FAMILIES_AT_ONCE)
}

impl Plan<'_> {
    fn wants(&self, rank: u32) -> bool {
        self.wanted.is_none_or(|wanted| wanted[rank as usize])
    }
}

impl<V: Visit> Hands<V> {
    /// Makes the version of this rank and shows it to the visitor.
    fn version(
        &mut self,
        pack: &Pack,
        rank: u32,
        base: Option<&Version<V::Carried>>,
        limit: u64,
    ) -> Result<Version<V::Carried>, EntryError> {
        let number = pack.number(rank);
        let Some(base) = base else {
            let mut bytes = self.spare(0);
            let length = pack.inflate(rank, &mut self.inflate, &mut bytes, limit)?.len();
            bytes.truncate(length);
            let carried = self.visitor.object(&Seen { number, bytes: &bytes, base: None, is_base: false });
            return Ok(Version { bytes, carried });
        };
        let size = pack.inflate(rank, &mut self.inflate, &mut self.buffer, limit)?.len();
        let mut bytes = self.spare(version_size(&self.buffer[..size]));
        let instructions = &self.buffer[..size];
        make_version(&base.bytes, instructions, limit, (&mut bytes, &mut self.pieces))?;
        let seen = Seen { number, bytes: &bytes, base: Some((&base.carried, &self.pieces)), is_base: false };
        let carried = self.visitor.object(&seen);
        Ok(Version { bytes, carried })
    }

    /// The last one who lets go of a version keeps its buffer.
    fn give_back(&mut self, base: Option<Arc<Version<V::Carried>>>) {
        if let Some(version) = base.and_then(Arc::into_inner) {
            self.keep_spare(version.bytes);
        }
    }

    fn keep_spare(&mut self, bytes: Vec<u8>) {
        let kept: usize = self.spare.iter().map(Vec::capacity).sum();
        if kept + bytes.capacity() <= SPARE {
            self.spare.push(bytes);
        }
        // Small ones are made anew at nearly no cost.
        if self.spare.len() > SPARES {
            let smallest = (0..self.spare.len()).min_by_key(|&place| self.spare[place].capacity());
            smallest.map(|place| self.spare.swap_remove(place));
        }
    }

    /// A buffer for so many bytes: the smallest one in which they have room, or a new one.
    fn spare(&mut self, size: usize) -> Vec<u8> {
        let fits =
            |buffer: &Vec<u8>| (size..=size.saturating_mul(2).max(SMALL_SPARE)).contains(&buffer.capacity());
        let fitting = (0..self.spare.len()).filter(|&place| fits(&self.spare[place]));
        let best = fitting.min_by_key(|&place| self.spare[place].capacity());
        best.map(|place| self.spare.swap_remove(place)).unwrap_or_default()
    }

    /// Names what is lost with an entry.
    fn lose(&mut self, plan: &Plan<'_>, rank: u32, error: &EntryError) {
        self.visitor.problem(plan.pack.problem(rank, error));
        let mut waiting: Vec<u32> = plan.families.children(rank).to_vec();
        let mut lost = 0;
        while let Some(rank) = waiting.pop() {
            lost += 1;
            if lost > LOST_BY_NAME {
                continue;
            }
            self.visitor.problem(plan.pack.problem(rank, &EntryError::BaseMissing));
            waiting.extend_from_slice(plan.families.children(rank));
        }
        let unnamed = (plan.families.weight(rank) as usize).saturating_sub(1 + LOST_BY_NAME);
        if unnamed > 0 {
            let mut problem = plan.pack.problem(rank, error);
            problem.message = format!("{unnamed} more objects that are made from it were not looked at");
            self.visitor.problem(problem);
        }
    }

    fn fail(&mut self, plan: &Plan<'_>, rank: u32) {
        let mut problem = plan.pack.problem(rank, &EntryError::Damaged);
        problem.kind = ProblemKind::Internal;
        problem.message = "keyfence itself failed on this object and on what is made from it".to_owned();
        problem.hint = Some("please report it; the rest was scanned".to_owned());
        self.visitor.problem(problem);
    }
}

/// How large the version will be that a delta makes, as far as it says.
fn version_size(delta: &[u8]) -> usize {
    delta::sizes(delta).ok().and_then(|(_, size, _)| usize::try_from(size).ok()).unwrap_or_default()
}

/// Follows the instructions, within the limit.
pub(super) fn make_version(
    base: &[u8],
    delta: &[u8],
    limit: u64,
    made: (&mut Vec<u8>, &mut Vec<CopiedPiece>),
) -> Result<(), EntryError> {
    let (base_size, size, instructions) = delta::sizes(delta).map_err(|_| EntryError::Damaged)?;
    if base_size != base.len() as u64 {
        return Err(EntryError::Damaged);
    }
    if size > limit {
        return Err(EntryError::TooLarge(size, limit));
    }
    let size = usize::try_from(size).map_err(|_| EntryError::TooLarge(size, limit))?;
    delta::apply(base, instructions, size, made).map_err(|_| EntryError::Damaged)
}
