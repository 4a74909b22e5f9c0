//! Budgets of rows: what an owner may ask of a model, leased to servers a block at a time.
//!
//! A lease is an object that is named by how many rows were leased before it and holds how many are with it. So the
//! last one tells all that is leased, the next name can be created by one server only, and leases of different lengths
//! follow one another: servers may lease what they need, and a budget may be raised at any time.

use super::key_store::KeyStore;
use super::names::KeyNamespace;
use super::objects::Created;
use fhectl_core::error::{Error, ErrorCode, Result};
use object_store::path::Path;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// How many leases a budget makes: few enough to be listed at once, so many that one that is lost is small.
const LEASES: u64 = 256;
/// The most bytes that are read of a lease, which has up to 20 digits.
const LONGEST: usize = 64;
/// How often a server goes on after others were faster.
const TRIES: usize = 100;
/// How often a reset looks whether a running server has leased meanwhile.
const RESET_PASSES: usize = 5;

/// Rows that one server may answer, and nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Rows that were leased before.
    pub before: u64,
    pub rows: u64,
}

/// What asking for a lease gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leasing {
    Taken(Lease),
    /// Fewer rows are left than are needed, and none were taken.
    Short {
        left: u64,
    },
}

/// What is leased of one budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedRows {
    pub namespace: KeyNamespace,
    pub rows: u64,
    pub leases: usize,
    pub latest: SystemTime,
}

/// Rows that are leased at once of a budget of so many: a 256th, and at least one.
pub fn lease_block(budget: u64) -> u64 {
    (budget / LEASES).max(1)
}

impl KeyNamespace {
    /// The lease before which so many rows were leased; names sort as numbers do.
    pub(super) fn lease(&self, before: u64) -> Path {
        self.folder("budgets").join(format!("{before:020}"))
    }
}

/// How many rows were leased before this lease; `None` for what is none.
fn before(name: Option<&str>) -> Option<u64> {
    name.filter(|name| name.len() == 20 && name.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}

impl KeyStore {
    /// Leases `need` rows or a block, whichever is more, of what is left of a budget of `budget` rows.
    ///
    /// Where the store creates without replacing, no row is leased twice. Where it cannot, servers that lease at the
    /// same moment may each get the same rows.
    ///
    /// # Errors
    /// `budget_damaged` where a lease cannot be read, `store_unavailable`, `store_failed`.
    pub async fn lease_rows(&self, namespace: &KeyNamespace, budget: u64, need: u64) -> Result<Leasing> {
        let mut leased = self.leased_rows(namespace).await?;
        for _ in 0..TRIES {
            let left = budget.saturating_sub(leased);
            if left < need.max(1) {
                return Ok(Leasing::Short { left });
            }
            let rows = lease_block(budget).max(need).min(left);
            let at = namespace.lease(leased);
            if self.create(&at, (leased + rows).to_string().into()).await? == Created::Now {
                return Ok(Leasing::Taken(Lease { before: leased, rows }));
            }
            // Another server was faster. A listing may be old, so what follows is looked up lease by lease.
            leased = match self.lease_end(&at, leased).await? {
                Some(end) => end,
                None => self.leased_rows(namespace).await?,
            };
        }
        Err(Error::new(ErrorCode::StoreUnavailable, "too many servers lease rows of one budget at once")
            .hint("try again after a short wait"))
    }

    /// All rows of a budget that are leased.
    async fn leased_rows(&self, namespace: &KeyNamespace) -> Result<u64> {
        let leases = self.list(&namespace.folder("budgets")).await?;
        let Some(last) = leases.iter().filter_map(|meta| before(meta.location.filename())).max() else { return Ok(0) };
        // One that is gone by now was deleted by a reset, which begins with the first.
        Ok(self.lease_end(&namespace.lease(last), last).await?.unwrap_or(0))
    }

    /// Where a lease ends; `None` where there is none.
    async fn lease_end(&self, at: &Path, before: u64) -> Result<Option<u64>> {
        let damaged = || {
            tracing::error!(%at, "key store: a lease of rows is damaged");
            Err(Error::new(ErrorCode::BudgetDamaged, "the record of this token's rows is damaged")
                .hint("the operator resets it with `fhectl budgets reset`"))
        };
        let bytes = match self.read(at, LONGEST).await {
            Ok(Some((bytes, _))) => bytes,
            Ok(None) => return Ok(None),
            Err(error) if error.code == ErrorCode::KeyDamaged => return damaged(),
            Err(error) => return Err(error),
        };
        let end = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse::<u64>().ok());
        match end {
            Some(end) if end > before => Ok(Some(end)),
            _ => damaged(),
        }
    }

    /// What is leased of all budgets, by model and owner.
    ///
    /// # Errors
    /// `budget_damaged`, `store_unavailable`, `store_failed`.
    pub async fn budgets(&self) -> Result<Vec<LeasedRows>> {
        let all = self.leases().await?;
        let mut found = Vec::new();
        for (namespace, leases) in all {
            let last = leases.iter().map(|(before, _)| *before).max().unwrap_or(0);
            let Some(rows) = self.lease_end(&namespace.lease(last), last).await? else { continue };
            let latest = leases.iter().map(|(_, written)| *written).max().unwrap_or(SystemTime::UNIX_EPOCH);
            found.push(LeasedRows { namespace, rows, leases: leases.len(), latest });
        }
        Ok(found)
    }

    /// The namespaces that have leases, by model and owner.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn budgeted(&self) -> Result<Vec<KeyNamespace>> {
        Ok(self.leases().await?.into_iter().map(|(namespace, _)| namespace).collect())
    }

    /// All leases: how many rows were leased before each, and when it was written.
    async fn leases(&self) -> Result<Vec<(KeyNamespace, Vec<(u64, SystemTime)>)>> {
        let at = Path::from("budgets");
        let mut listing = self.objects.list(Some(&at));
        let mut all: BTreeMap<(String, String), (KeyNamespace, Vec<_>)> = BTreeMap::new();
        while let Some(meta) = self.next_of(&mut listing, &at).await? {
            // What is none of ours is left alone.
            let Some((namespace, rest)) = KeyNamespace::of(&meta.location) else { continue };
            let [name] = rest.as_slice() else { continue };
            let Some(before) = before(Some(name)) else { continue };
            let place = (namespace.model.to_string(), namespace.owner.as_str().to_owned());
            all.entry(place).or_insert_with(|| (namespace, Vec::new())).1.push((before, meta.last_modified.into()));
        }
        Ok(all.into_values().collect())
    }

    /// Deletes all leases of a budget, so that it is whole again; tells how many there were. Rows that running servers
    /// have leased stay theirs.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn reset_budget(&self, namespace: &KeyNamespace) -> Result<usize> {
        let mut deleted = 0;
        for _ in 0..RESET_PASSES {
            // By name, the first ones first: the last one counts, so until it goes nothing is given back.
            let listed = self.list(&namespace.folder("budgets")).await?.into_iter().map(|meta| meta.location);
            let mut leases: Vec<Path> = listed.filter(|at| before(at.filename()).is_some()).collect();
            leases.sort();
            let Some(last) = leases.last().cloned() else { break };
            deleted += leases.len();
            self.remove_all(&leases).await?;
            self.sync_folder_of(&last).await?;
        }
        Ok(deleted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::names::Owner;
    use fhectl_core::bundle::ModelId;
    use std::time::Duration;
    use tokio::task::JoinSet;

    fn namespace(token: &str) -> KeyNamespace {
        KeyNamespace { model: ModelId([3; 32]), owner: Owner::of_token(token) }
    }

    fn rows(leasing: Leasing) -> Option<(u64, u64)> {
        match leasing {
            Leasing::Taken(Lease { before, rows }) => Some((before, rows)),
            Leasing::Short { .. } => None,
        }
    }

    #[tokio::test]
    async fn leases_follow_one_another_up_to_the_budget_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path().to_str().unwrap()).await.unwrap();
        // Folders date their files by a coarser clock.
        let begun = SystemTime::now() - Duration::from_secs(1);
        let mine = namespace("a");
        assert_eq!((lease_block(1), lease_block(511), lease_block(1 << 20)), (1, 1, 4096));
        for (need, expected) in [(1, Some((0, 4))), (10, Some((4, 10))), (1011, None), (1009, Some((14, 1009)))] {
            assert_eq!(rows(store.lease_rows(&mine, 1024, need).await.unwrap()), expected);
        }
        assert_eq!(store.lease_rows(&mine, 1024, 2).await.unwrap(), Leasing::Short { left: 1 });
        assert_eq!(rows(store.lease_rows(&mine, 1024, 1).await.unwrap()), Some((1023, 1)));
        assert_eq!(store.lease_rows(&mine, 1024, 1).await.unwrap(), Leasing::Short { left: 0 });
        // It is in the store, not in the process.
        let again = KeyStore::open(folder.path().to_str().unwrap()).await.unwrap();
        assert_eq!(again.lease_rows(&mine, 1024, 1).await.unwrap(), Leasing::Short { left: 0 });
        // Lower is spent, raised has room, another token and another model have their own.
        assert_eq!(again.lease_rows(&mine, 100, 1).await.unwrap(), Leasing::Short { left: 0 });
        assert_eq!(rows(again.lease_rows(&mine, 2048, 1).await.unwrap()), Some((1024, 8)));
        assert_eq!(rows(again.lease_rows(&namespace("b"), 1024, 1).await.unwrap()), Some((0, 4)));
        let other = KeyNamespace { model: ModelId([4; 32]), ..mine.clone() };
        assert_eq!(rows(again.lease_rows(&other, 5, 1).await.unwrap()), Some((0, 1)));
        let listed = again.budgets().await.unwrap();
        let mut told: Vec<(u64, usize)> = listed.iter().map(|one| (one.rows, one.leases)).collect();
        told.sort_unstable();
        assert_eq!(told, [(1, 1), (4, 1), (1032, 5)]);
        assert_eq!(listed[2].namespace, other, "by model");
        assert!(listed.iter().all(|one| one.latest >= begun));

        assert_eq!(again.reset_budget(&mine).await.unwrap(), 5);
        assert_eq!(again.reset_budget(&mine).await.unwrap(), 0);
        assert_eq!(rows(store.lease_rows(&mine, 1024, 1).await.unwrap()), Some((0, 4)));
        assert_eq!(again.budgeted().await.unwrap().len(), 3);
        assert_eq!(rows(store.lease_rows(&mine, u64::MAX, u64::MAX - 4).await.unwrap()), Some((4, u64::MAX - 4)));
        assert_eq!(store.lease_rows(&mine, u64::MAX, 1).await.unwrap(), Leasing::Short { left: 0 });
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn servers_that_race_share_a_budget_to_the_last_row() {
        let folder = tempfile::tempdir().unwrap();
        let mut racing = JoinSet::new();
        for index in 0..4 {
            let store = KeyStore::open(folder.path().to_str().unwrap()).await.unwrap();
            racing.spawn(async move {
                let mut own = Vec::new();
                while let Some(lease) = rows(store.lease_rows(&namespace("a"), 60, 1 + index % 2).await.unwrap()) {
                    own.push(lease);
                }
                own
            });
        }
        let mut all: Vec<(u64, u64)> = racing.join_all().await.concat();
        all.sort_unstable();
        let mut end = 0;
        for (before, rows) in all {
            assert_eq!(before, end, "no row is leased twice, and none is lost");
            end = before + rows;
        }
        assert_eq!(end, 60);
    }

    #[tokio::test]
    async fn what_is_no_lease_counts_for_nothing_and_a_damaged_one_stops_all() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path().to_str().unwrap()).await.unwrap();
        let mine = namespace("a");
        store.lease_rows(&mine, 10, 4).await.unwrap();
        let at = |name: &str| folder.path().join(mine.folder("budgets").as_ref()).join(name);
        for name in ["x", "5", "+0000000000000000009", "99999999999999999999", "00000000000000000004#1"] {
            std::fs::write(at(name), "9").unwrap();
        }
        assert_eq!(rows(store.lease_rows(&mine, 10, 3).await.unwrap()), Some((4, 3)));
        for damage in ["", "seven", "-1", "4", "99999999999999999999", &"7".repeat(1000)] {
            std::fs::write(at("00000000000000000004"), damage).unwrap();
            let error = store.lease_rows(&mine, 10, 1).await.unwrap_err();
            assert_eq!(error.code, ErrorCode::BudgetDamaged, "{damage}");
        }
        assert!(store.budgets().await.is_err());
        assert_eq!(store.budgeted().await.unwrap(), std::slice::from_ref(&mine));
        assert_eq!(store.reset_budget(&mine).await.unwrap(), 2);
        assert_eq!(rows(store.lease_rows(&mine, 10, 1).await.unwrap()), Some((0, 1)));
    }

    #[tokio::test]
    async fn a_store_that_only_replaces_is_asked_first() {
        let mut store = KeyStore::open("memory:").await.unwrap();
        store.creates = false;
        let mine = namespace("a");
        let mut leased = 0;
        while let Some((before, rows)) = rows(store.lease_rows(&mine, 20, 3).await.unwrap()) {
            assert_eq!(before, leased);
            leased += rows;
        }
        assert_eq!(leased, 18);
    }
}
