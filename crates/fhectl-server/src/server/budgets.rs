//! How many rows of a model each token may ask for: counted in memory, leased from the store a block at a time.
//!
//! Rows are charged before they are computed, all of a batch or none, and nothing is computed that was not charged. A
//! batch that is dropped before its first row is computed gives its rows back, and so does one of which a device computed
//! some rows before it failed and the processor refused the others.

use crate::store::{KeyNamespace, KeyStore, Leasing};
use fhectl_core::error::{Error, ErrorCode, Result};
use prometheus_client::metrics::counter::Counter;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

/// How long a spent budget is taken for spent without a look at the store: a reset is noticed within this time.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Whether a budget can be kept: without tokens clients cannot be told apart.
///
/// # Errors
/// `row_budget_tokens`.
pub fn check_row_budget(rows: Option<u64>, with_tokens: bool) -> Result<()> {
    if rows.is_none() || with_tokens {
        return Ok(());
    }
    Err(Error::new(ErrorCode::RowBudgetTokens, "--row-budget counts rows a token, and this server has no tokens")
        .hint("name tokens with --token-file (`fhectl token new` makes one), or leave --row-budget away"))
}

/// The budgets of all tokens and models.
pub(super) struct Budgets {
    /// Rows a token and model.
    rows: u64,
    store: KeyStore,
    /// As many as tokens that asked and models that they asked for.
    accounts: Mutex<HashMap<KeyNamespace, Arc<Account>>>,
}

/// What this server may answer one token of one model.
#[derive(Default)]
struct Account {
    /// Leased rows that are not charged.
    here: Mutex<u64>,
    /// Held while rows are leased, so that of many requests one does it.
    outlook: Arc<tokio::sync::Mutex<Outlook>>,
}

/// What is known of the rows that nobody has leased yet.
#[derive(Default)]
struct Outlook {
    /// So many were left then, too few for a batch.
    short: Option<(u64, Instant)>,
}

/// Rows that were charged; they go back unless they are [kept](Charge::keep).
pub(super) struct Charge {
    account: Arc<Account>,
    rows: u64,
    /// Counts rows that are kept.
    kept: Counter,
}

impl Charge {
    /// The rows are about to be computed and do not come back.
    pub fn keep(mut self) {
        self.kept.inc_by(std::mem::take(&mut self.rows));
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        *self.account.here() += self.rows;
    }
}

impl Account {
    fn here(&self) -> MutexGuard<'_, u64> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All `rows`, where so many are here.
    fn take(self: &Arc<Self>, rows: u64, kept: &Counter) -> Option<Charge> {
        let mut here = self.here();
        *here = here.checked_sub(rows)?;
        drop(here);
        Some(Charge { account: self.clone(), rows, kept: kept.clone() })
    }

    /// What is here, `rows` at most.
    fn take_some(self: &Arc<Self>, rows: u64, kept: &Counter) -> Charge {
        let mut here = self.here();
        let taken = rows.min(*here);
        *here -= taken;
        drop(here);
        Charge { account: self.clone(), rows: taken, kept: kept.clone() }
    }
}

impl Budgets {
    pub fn new(rows: u64, store: KeyStore) -> Self {
        Self { rows, store, accounts: Mutex::default() }
    }

    fn account(&self, namespace: &KeyNamespace) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.entry(namespace.clone()).or_default().clone()
    }

    /// Charges a batch of `rows` rows for the model of this name. `kept` counts those that will have been computed.
    ///
    /// # Errors
    /// `row_budget_spent` where fewer are left, `budget_damaged`, `store_unavailable`, `store_failed`.
    pub async fn charge(&self, namespace: &KeyNamespace, model: &str, rows: usize, kept: &Counter) -> Result<Charge> {
        let (rows, account) = (rows as u64, self.account(namespace));
        if let Some(charge) = account.take(rows, kept) {
            return Ok(charge);
        }
        let outlook = account.outlook.clone().lock_owned().await;
        // Others may have leased, or given back, meanwhile.
        let charge = account.take_some(rows, kept);
        if charge.rows == rows {
            return Ok(charge);
        }
        let lessor = Lessor {
            store: self.store.clone(),
            budget: self.rows,
            namespace: namespace.clone(),
            model: model.to_owned(),
        };
        // Not given up when the client goes away: what the store has written down must arrive here.
        let leased = tokio::spawn(lessor.fill(charge, rows, outlook)).await;
        leased.map_err(|_| Error::new(ErrorCode::Internal, "leasing rows failed unexpectedly"))?
    }
}

/// Leases rows of one budget.
struct Lessor {
    store: KeyStore,
    budget: u64,
    namespace: KeyNamespace,
    model: String,
}

impl Lessor {
    /// Leases what a charge lacks to be of `rows` rows, and what else comes with it.
    async fn fill(self, mut charge: Charge, rows: u64, mut outlook: OwnedMutexGuard<Outlook>) -> Result<Charge> {
        let need = rows - charge.rows;
        let (owner, model) = (self.namespace.owner.as_str(), self.model.as_str());
        let known = outlook.short.filter(|(left, since)| need > *left && since.elapsed() < LOOK_AGAIN);
        if let Some((left, _)) = known {
            return Err(self.spent(rows, left.saturating_add(charge.rows)));
        }
        match self.store.lease_rows(&self.namespace, self.budget, need).await? {
            Leasing::Taken(lease) => {
                tracing::info!(model, owner, rows = lease.rows, before = lease.before, of = self.budget, "leased rows");
                *charge.account.here() += lease.rows - need;
                charge.rows = rows;
                outlook.short = None;
                Ok(charge)
            }
            Leasing::Short { left } => {
                // Once for each time that it is so, and not for every refusal.
                if outlook.short.is_none() {
                    tracing::warn!(model, owner, left, of = self.budget, "a token's row budget is spent");
                }
                outlook.short = Some((left, Instant::now()));
                Err(self.spent(rows, left.saturating_add(charge.rows)))
            }
        }
    }

    fn spent(&self, rows: u64, left: u64) -> Error {
        let what = format!(
            "this batch has {rows} rows, and {left} are left to this token of the {} that it may ask of this model",
            self.budget
        );
        Error::new(ErrorCode::RowBudgetSpent, what).hint(
            "ask the server's operator, who sees what is used with `fhectl budgets list`, and raises it with --row-budget or \
             gives it anew with `fhectl budgets reset`",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Owner;
    use fhectl_core::bundle::ModelId;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    fn namespace(token: &str) -> KeyNamespace {
        KeyNamespace { model: ModelId([3; 32]), owner: Owner::of_token(token) }
    }

    async fn leased(store: &KeyStore) -> u64 {
        store.budgets().await.unwrap().iter().map(|one| one.rows).sum()
    }

    #[tokio::test]
    async fn whole_batches_are_charged_to_the_last_row() {
        let store = KeyStore::open("memory:").await.unwrap();
        let (budgets, mine, kept) = (Budgets::new(2560, store.clone()), namespace("a"), Counter::default());
        let charge = async |rows: usize| budgets.charge(&mine, "m", rows, &kept).await.map(Charge::keep);
        for _ in 0..10 {
            charge(1).await.unwrap();
        }
        assert_eq!(leased(&store).await, 10, "one lease for ten requests");
        charge(4).await.unwrap();
        // Six are here, so four more are needed, and a block comes.
        charge(10).await.unwrap();
        assert_eq!((leased(&store).await, *budgets.account(&mine).here()), (30, 6));
        let error = charge(2560).await.unwrap_err();
        assert!(error.code == ErrorCode::RowBudgetSpent && error.message.contains("2536 are left"), "{error:?}");
        charge(2536).await.unwrap();
        assert_eq!(charge(1).await.unwrap_err().code, ErrorCode::RowBudgetSpent);
        assert_eq!(kept.get(), 2560);
        budgets.charge(&namespace("b"), "m", 1, &kept).await.map(Charge::keep).unwrap();
    }

    #[tokio::test]
    async fn what_was_not_computed_comes_back() {
        let store = KeyStore::open("memory:").await.unwrap();
        let (budgets, mine, kept) = (Budgets::new(5, store.clone()), namespace("a"), Counter::default());
        let charge = async |rows: usize| budgets.charge(&mine, "m", rows, &kept).await;
        let first = charge(3).await.unwrap();
        assert_eq!(charge(3).await.map(drop).unwrap_err().code, ErrorCode::RowBudgetSpent);
        drop(first);
        assert_eq!((leased(&store).await, *budgets.account(&mine).here()), (3, 3));
        charge(5).await.unwrap().keep();
        assert_eq!(charge(1).await.map(drop).unwrap_err().code, ErrorCode::RowBudgetSpent);
        assert_eq!(kept.get(), 5);
    }

    #[tokio::test]
    async fn a_client_that_goes_away_loses_no_rows() {
        let store = KeyStore::open("memory:").await.unwrap();
        let (budgets, mine, kept) = (Budgets::new(5, store.clone()), namespace("a"), Counter::default());
        {
            // Begun, and dropped before it is done.
            let mut asking = pin!(budgets.charge(&mine, "m", 5, &kept));
            assert!(poll_fn(|cx| Poll::Ready(asking.as_mut().poll(cx).is_pending())).await);
        }
        budgets.charge(&mine, "m", 5, &kept).await.unwrap().keep();
        assert_eq!(leased(&store).await, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_spent_budget_is_looked_at_again_after_a_while_only() {
        let store = KeyStore::open("memory:").await.unwrap();
        let (budgets, mine, kept) = (Budgets::new(2, store.clone()), namespace("a"), Counter::default());
        let charge = async |rows: usize| budgets.charge(&mine, "m", rows, &kept).await.map(Charge::keep);
        charge(2).await.unwrap();
        assert_eq!(charge(1).await.unwrap_err().code, ErrorCode::RowBudgetSpent);
        store.reset_budget(&mine).await.unwrap();
        assert_eq!(charge(1).await.unwrap_err().code, ErrorCode::RowBudgetSpent, "the store is not asked every time");
        tokio::time::advance(LOOK_AGAIN).await;
        charge(2).await.unwrap();
        assert_eq!(charge(1).await.unwrap_err().code, ErrorCode::RowBudgetSpent);
    }

    #[tokio::test]
    async fn nothing_passes_while_the_store_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("store");
        let store = KeyStore::open(place.to_str().unwrap()).await.unwrap();
        let (budgets, mine, kept) = (Budgets::new(512, store), namespace("a"), Counter::default());
        let charge = async |rows: usize| budgets.charge(&mine, "m", rows, &kept).await.map(Charge::keep);
        charge(1).await.unwrap();
        let away = folder.path().join("away");
        std::fs::rename(&place, &away).unwrap();
        std::fs::write(&place, "").unwrap();
        charge(1).await.unwrap();
        assert_eq!(charge(1).await.unwrap_err().code, ErrorCode::StoreUnavailable, "only what was leased");
        std::fs::remove_file(&place).unwrap();
        std::fs::rename(&away, &place).unwrap();
        charge(510).await.unwrap();
        assert_eq!(charge(1).await.unwrap_err().code, ErrorCode::RowBudgetSpent);
    }

    #[tokio::test]
    async fn many_requests_at_once_lease_once() {
        let store = KeyStore::open("memory:").await.unwrap();
        let (budgets, mine, kept) = (Budgets::new(25_600, store.clone()), namespace("a"), Counter::default());
        let all = (0..100).map(|_| budgets.charge(&mine, "m", 1, &kept));
        futures_util::future::join_all(all).await.into_iter().for_each(|charge| charge.unwrap().keep());
        let budget = store.budgets().await.unwrap().remove(0);
        assert_eq!((budget.rows, budget.leases, kept.get()), (100, 1, 100));
    }

    #[test]
    fn a_budget_wants_tokens() {
        check_row_budget(None, false).unwrap();
        check_row_budget(Some(1), true).unwrap();
        assert_eq!(check_row_budget(Some(1), false).unwrap_err().code, ErrorCode::RowBudgetTokens);
    }
}
