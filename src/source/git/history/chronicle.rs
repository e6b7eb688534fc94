//! When credentials came, how far they got, and when they went: told from commits, for those that were found.
//!
//! 64 credentials are followed at a time, one bit each: once through the directories, once through the commits. Who
//! remembers only which contents they stand in has those handed out once more.
//!
//! Must not know: detection, output, clocks.
//! Invariant: what is told depends on the repository's content only, not on how it is stored.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use gix::hash::ObjectId;
use rayon::prelude::*;

use super::super::commits::Writing;
use super::beside::is_lfs_object;
use super::graph::{Graph, NOWHERE};
use super::hand_out::is_left;
use super::holdings::Held;
use super::set::NumberSet;
use super::table::Table;
use super::tips::Tip;
use crate::model::{Chunk, Commit, ContentKind, Exposure, FilePath, Occurrence, Provenance, Reach};
use crate::source;

/// When the scan is interrupted, so many contents are still read again: what was found so far is told.
const LAST_PLACES: u32 = 64;
/// Commits are no larger.
const LARGEST_COMMIT: u64 = 64 << 20;

/// When a credential must have come to be told, in seconds since 1970, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// Not before.
    pub since: Option<i64>,
    /// Not after.
    pub until: Option<i64>,
}

/// Everything that is needed to tell.
pub(super) struct Chronicle {
    pub table: Table,
    /// No object is larger.
    pub limit: u64,
    pub graph: Graph,
    pub held: Held,
    pub tips: Vec<Tip>,
    /// What indexes hold.
    pub indexed: NumberSet,
    /// Which commits a tip leads to, by place.
    pub reachable: Vec<bool>,
    pub period: Period,
}

/// Where a finding stands, and on which line.
type Place = (Arc<Provenance>, u32);

/// One credential's places, by object.
struct Trail<'a> {
    places: &'a [(Arc<Provenance>, u32)],
    numbers: Vec<u32>,
}

impl Trail<'_> {
    /// Names of references, lines of reflogs and what stands beside the objects are in no object: what they are says how
    /// far they got.
    fn named_reach(&self, has_remotes: bool) -> Option<Reach> {
        if !self.numbers.is_empty() {
            return None;
        }
        // An object of LFS goes away with a push, and nothing here says whether it did.
        let is_remote = |place: &Provenance| match place.kind {
            ContentKind::ReferenceName => place.path.as_bytes().starts_with(b"refs/remotes/"),
            _ => has_remotes && is_lfs_object(place),
        };
        let is_named = |place: &Provenance| match place.kind {
            ContentKind::ReferenceName | ContentKind::Reflog => true,
            _ => place.blob.is_none() && place.commit.is_none(),
        };
        let reach = self
            .places
            .iter()
            .filter(|(place, _)| is_named(place))
            .map(|(place, _)| if is_remote(place) { Reach::Pushed } else { Reach::Local });
        reach.max()
    }
}

/// What is known of each of up to 64 credentials, a bit each.
struct Marks {
    /// Of objects that hold one.
    objects: HashMap<u32, u64>,
    /// Of commits that have one, by place.
    has: Vec<u64>,
    /// Of commits whose history has one, by place.
    contains: Vec<u64>,
}

impl source::Chronicle for Chronicle {
    fn exposures(&self, credentials: &[Vec<(Arc<Provenance>, u32)>]) -> Vec<Exposure> {
        source::threads::prepare(0);
        let told: Vec<Vec<Exposure>> = credentials.par_chunks(64).map(|group| self.tell(group)).collect();
        told.into_iter().flatten().collect()
    }

    fn is_wanted(&self, exposure: &Exposure) -> bool {
        let Period { since, until } = self.period;
        let time = exposure.first_seen.as_ref().map(|commit| commit.time);
        let after = since.is_none_or(|since| time.is_some_and(|time| time >= since));
        after && until.is_none_or(|until| time.is_some_and(|time| time <= until))
    }

    fn first_commits(&self, places: &[Arc<Provenance>]) -> Vec<Option<String>> {
        let firsts = if places.is_empty() { Vec::new() } else { self.firsts() };
        let first = |place: &Arc<Provenance>| {
            let first = firsts.get(self.number(place)? as usize).filter(|&&first| first != NOWHERE)?;
            Some(self.id(first % self.count()))
        };
        places.iter().map(first).collect()
    }

    fn again(&self, places: &[Arc<Provenance>], receiver: &dyn source::Receiver) {
        source::threads::prepare(0);
        let grace = AtomicU32::new(LAST_PLACES);
        places.par_iter().for_each_init(
            || receiver.worker(),
            |worker, place| {
                let is_late = worker.interrupted() && !is_left(&grace);
                let Some(number) = self.number(place).filter(|_| !is_late) else { return };
                match self.table.bytes(number, self.limit) {
                    Ok(bytes) => worker.chunk(&Chunk::whole(&bytes, place)),
                    Err(problem) => worker.problem(problem),
                }
            },
        );
    }
}

impl super::modules::Chronicle for Chronicle {
    fn has(&self, place: &Provenance) -> bool {
        let is_named = matches!(place.kind, ContentKind::ReferenceName | ContentKind::Reflog);
        is_named || self.number(place).is_some()
    }
}

impl Chronicle {
    fn count(&self) -> u32 {
        u32::try_from(self.graph.commits().len()).unwrap_or(NOWHERE)
    }

    /// For each object the place of the first commit that has it; commits that nothing leads to come after all others, as
    /// if they stood behind them once more.
    fn firsts(&self) -> Vec<u32> {
        let mut firsts = vec![NOWHERE; self.table.count()];
        for (place, commit) in (0..).zip(self.graph.commits()) {
            let place = if self.reachable[place as usize] { place } else { place + self.count() };
            for number in [commit.number, commit.tree] {
                if let Some(first) = firsts.get_mut(number as usize) {
                    *first = place.min(*first);
                }
            }
        }
        for (tree, children) in self.held.trees().rev() {
            let first = firsts[tree as usize];
            children.iter().for_each(|&child| firsts[child as usize] = first.min(firsts[child as usize]));
        }
        firsts
    }

    fn tell(&self, group: &[Vec<(Arc<Provenance>, u32)>]) -> Vec<Exposure> {
        let trails: Vec<Trail<'_>> = group
            .iter()
            .map(|places| {
                let mut numbers: Vec<u32> =
                    places.iter().filter_map(|(place, _)| self.number(place)).collect();
                numbers.sort_unstable();
                numbers.dedup();
                Trail { places, numbers }
            })
            .collect();
        let numbers: Vec<Vec<u32>> = trails.iter().map(|trail| trail.numbers.clone()).collect();
        let marks = self.mark(&numbers);
        trails.iter().enumerate().map(|(bit, trail)| self.exposure(trail, &marks, bit)).collect()
    }

    /// The object that a finding stands in: a content, a tree (for names), a commit or a tag.
    fn number(&self, provenance: &Provenance) -> Option<u32> {
        let id = match provenance.kind {
            ContentKind::CommitMessage | ContentKind::CommitHeader => provenance.commit.as_ref(),
            _ => provenance.blob.as_ref(),
        }?;
        self.table.find(&ObjectId::from_hex(id.as_bytes()).ok()?)
    }

    /// Follows the objects of each credential upwards, then from commit to commit.
    fn mark(&self, credentials: &[Vec<u32>]) -> Marks {
        let mut objects: HashMap<u32, u64> = HashMap::new();
        for (bit, numbers) in credentials.iter().enumerate() {
            for &number in numbers {
                *objects.entry(number).or_default() |= 1 << bit;
            }
        }
        let mut marked = NumberSet::of(self.table.count(), objects.keys().copied());
        for (tree, children) in self.held.trees() {
            let below = children.iter().filter(|&&child| marked.contains(child));
            let mask = below.filter_map(|child| objects.get(child)).fold(0, |mask, child| mask | child);
            if mask != 0 {
                *objects.entry(tree).or_default() |= mask;
                marked.insert(tree);
            }
        }
        let commits = self.graph.commits();
        let of = |number: u32| objects.get(&number).copied().unwrap_or(0);
        let has: Vec<u64> = commits.iter().map(|commit| of(commit.tree) | of(commit.number)).collect();
        let mut contains = has.clone();
        for place in 0..contains.len() {
            let place_number = u32::try_from(place).unwrap_or(u32::MAX);
            for &parent in self.graph.parents(place_number) {
                contains[place] |= contains[parent as usize];
            }
        }
        Marks { objects, has, contains }
    }

    fn exposure(&self, trail: &Trail<'_>, marks: &Marks, bit: usize) -> Exposure {
        let holds = |mask: u64| mask >> bit & 1 == 1;
        let in_history = |tip: &Tip| match self.graph.place(tip.number) {
            Some(place) => holds(marks.contains[place as usize]),
            None => holds(marks.objects.get(&tip.number).copied().unwrap_or(0)),
        };
        let by_tag =
            |tip: &Tip| tip.tags.iter().any(|tag| marks.objects.get(tag).is_some_and(|&mask| holds(mask)));
        let at_tip = |tip: &Tip| match self.graph.place(tip.number) {
            Some(place) => holds(marks.has[place as usize]),
            None => holds(marks.objects.get(&tip.number).copied().unwrap_or(0)),
        };
        let leads = |tip: &Tip| in_history(tip) || by_tag(tip);
        let names = |wanted: &dyn Fn(&Tip) -> bool| {
            let mut names: Vec<String> =
                self.tips.iter().filter(|tip| wanted(tip)).map(|tip| tip.name.clone()).collect();
            names.sort();
            names.dedup();
            names
        };
        let remotes = names(&|tip| tip.is_remote && leads(tip));
        let tips = names(&|tip| at_tip(tip) || by_tag(tip));
        let is_in_own_tip = self.tips.iter().any(|tip| !tip.is_remote && (at_tip(tip) || by_tag(tip)));
        let is_local = self.tips.iter().any(leads)
            || trail.numbers.iter().any(|&number| self.indexed.contains(number))
            || (0..marks.has.len()).any(|place| holds(marks.has[place]) && self.reachable[place]);
        let reach = match trail.named_reach(self.tips.iter().any(|tip| tip.is_remote)) {
            Some(reach) => reach,
            None if !remotes.is_empty() => Reach::Pushed,
            None if is_local => Reach::Local,
            None => Reach::Unreachable,
        };
        Exposure {
            reach,
            first_seen: self.first(marks, bit).and_then(|place| self.commit(place)),
            last_seen: self.last(marks, bit).and_then(|place| self.commit(place)),
            removed_by: if is_in_own_tip { None } else { self.remover(marks, bit) },
            commits: self.having(marks, bit).count() as u64,
            references: names(&|tip| !tip.is_remote && leads(tip)),
            tips,
            remotes,
            occurrences: self.occurrences(trail),
        }
    }

    /// The commits that have it, first to last; those that nothing leads to only if there are no others.
    fn having<'m>(&'m self, marks: &'m Marks, bit: usize) -> impl DoubleEndedIterator<Item = u32> + 'm {
        let holds = move |place: &usize| marks.has[*place] >> bit & 1 == 1;
        let any_reachable = (0..marks.has.len()).any(|place| holds(&place) && self.reachable[place]);
        (0..marks.has.len())
            .filter(holds)
            .filter(move |&place| !any_reachable || self.reachable[place])
            .filter_map(|place| u32::try_from(place).ok())
    }

    fn first(&self, marks: &Marks, bit: usize) -> Option<u32> {
        self.having(marks, bit).next()
    }

    fn last(&self, marks: &Marks, bit: usize) -> Option<u32> {
        self.having(marks, bit).next_back()
    }

    /// The last commit that does not have it while a parent does.
    fn remover(&self, marks: &Marks, bit: usize) -> Option<Commit> {
        let holds = |place: u32| marks.has[place as usize] >> bit & 1 == 1;
        let count = u32::try_from(marks.has.len()).unwrap_or(u32::MAX);
        let removes = |place: &u32| {
            self.reachable[*place as usize]
                && !holds(*place)
                && self.graph.parents(*place).iter().any(|&parent| holds(parent))
        };
        (0..count).rev().find(removes).and_then(|place| self.commit(place))
    }

    fn id(&self, place: u32) -> String {
        self.table.id(self.graph.commits()[place as usize].number).to_string()
    }

    fn commit(&self, place: u32) -> Option<Commit> {
        let number = self.graph.commits()[place as usize].number;
        let (_, bytes) = self.table.read(number, LARGEST_COMMIT).ok()?;
        Some(Writing::read(&bytes).commit(&self.table.id(number)))
    }

    /// Where it stands, each path once, in the order of the commits that brought it there.
    fn occurrences(&self, trail: &Trail<'_>) -> Vec<Occurrence> {
        let mut by_path: BTreeMap<(ContentKind, &FilePath), Vec<&Place>> = BTreeMap::new();
        for place in trail.places {
            by_path.entry((place.0.kind, &place.0.path)).or_default().push(place);
        }
        let rank = |provenance: &Provenance| {
            let commit = provenance.commit.as_ref()?;
            self.graph.place(self.table.find(&ObjectId::from_hex(commit.as_bytes()).ok()?)?)
        };
        let mut occurrences: Vec<(u32, Occurrence)> = by_path
            .into_iter()
            .filter_map(|((kind, path), mut places)| {
                let key = |place: &(Arc<Provenance>, u32)| {
                    (rank(&place.0).unwrap_or(u32::MAX), place.0.blob.clone(), place.1)
                };
                places.sort_by_cached_key(|place| key(place));
                let first = *places.first()?;
                let mut versions: Vec<&Option<String>> =
                    places.iter().map(|(place, _)| &place.blob).collect();
                versions.sort();
                versions.dedup();
                let occurrence = Occurrence {
                    kind,
                    path: path.clone(),
                    line: first.1,
                    blob: first.0.blob.clone(),
                    commit: first.0.commit.clone(),
                    versions: versions.len() as u64,
                };
                Some((rank(&first.0).unwrap_or(u32::MAX), occurrence))
            })
            .collect();
        occurrences.sort_by(|one, other| (one.0, &one.1.path).cmp(&(other.0, &other.1.path)));
        occurrences.into_iter().map(|(_, occurrence)| occurrence).collect()
    }
}
