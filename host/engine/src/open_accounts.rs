//! The accounts that are open, and how one is put on another version of its connector while calls are under way.
//!
//! A call takes the account that stands here when it begins, and keeps it to its end: putting another in its place changes nothing for it.
//! An account that was replaced stays as long as calls of it are under way, and where commands that it has sent something of are not done,
//! until they are.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tradepost_runtime::Account;

/// Accounts and the digests of components, as a store takes them.
type Pairs = Arc<Vec<(String, String)>>;

/// The accounts that are open. One per engine.
pub(crate) struct OpenAccounts {
    held: RwLock<Held>,
}

struct Held {
    places: BTreeMap<String, Place>,
    /// Now and before, as they were listed since the last change: of many accounts that are moved, not each is followed by a list of all.
    listed: Option<(Pairs, Pairs)>,
}

struct Place {
    now: Account,
    /// Those before it that are not done with their commands.
    before: Vec<Account>,
    /// Another version that reads along.
    shadow: Option<Account>,
}

impl Place {
    fn of(account: Account) -> Self {
        Self { now: account, before: Vec::new(), shadow: None }
    }
}

impl OpenAccounts {
    pub(crate) fn new(accounts: impl IntoIterator<Item = Account>) -> Self {
        let place = |account: Account| (account.id().to_owned(), Place::of(account));
        let held = Held { places: accounts.into_iter().map(place).collect(), listed: None };
        Self { held: RwLock::new(held) }
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account as calls begin on it now.
    pub(crate) fn get(&self, id: &str) -> Option<Account> {
        self.read().places.get(id).map(|place| place.now.clone())
    }

    /// All of them, by id.
    pub(crate) fn all(&self) -> Vec<Account> {
        self.read().places.values().map(|place| place.now.clone()).collect()
    }

    /// The account on the component that has this digest: the one of now, or one before it.
    pub(crate) fn on(&self, id: &str, digest: &str) -> Option<Account> {
        let held = self.read();
        let place = held.places.get(id)?;
        let is_it = |account: &&Account| account.connector().digest().to_string() == digest;
        std::iter::once(&place.now).chain(&place.before).find(is_it).cloned()
    }

    /// The version of this account that reads along.
    pub(crate) fn shadow(&self, id: &str) -> Option<Account> {
        self.read().places.get(id)?.shadow.clone()
    }

    /// Has another version of an account read along, or none.
    pub(crate) fn set_shadow(&self, id: &str, shadow: Option<Account>) {
        if let Some(place) = self.write().places.get_mut(id) {
            place.shadow = shadow;
        }
    }

    /// Adds an account. False where there is one with its id, which stays.
    pub(crate) fn add(&self, account: Account) -> bool {
        let mut held = self.write();
        let btree_map::Entry::Vacant(place) = held.places.entry(account.id().to_owned()) else { return false };
        place.insert(Place::of(account));
        held.listed = None;
        true
    }

    /// Puts an account in the place of the one with its id. Gives that one; none where there was none, and then it is not put there.
    pub(crate) fn replace(&self, account: Account) -> Option<Account> {
        let mut held = self.write();
        let place = held.places.get_mut(account.id())?;
        place.before.retain(|before| before.connector().digest() != account.connector().digest());
        let before = std::mem::replace(&mut place.now, account);
        if before.connector().digest() != place.now.connector().digest() {
            place.before.push(before.clone());
        }
        held.listed = None;
        Some(before)
    }

    /// Has an account finish, on the component that it is open on, what it began there.
    pub(crate) fn add_before(&self, account: Account) {
        let mut held = self.write();
        let Some(place) = held.places.get_mut(account.id()) else { return };
        place.before.retain(|before| before.connector().digest() != account.connector().digest());
        if place.now.connector().digest() != account.connector().digest() {
            place.before.push(account);
        }
        held.listed = None;
    }

    /// Lets go of the accounts before those of now that have no command to finish: all but these, by account and digest.
    pub(crate) fn let_go_but(&self, needed: &BTreeSet<(String, String)>) {
        let mut held = self.write();
        for (id, place) in &mut held.places {
            place.before.retain(|before| needed.contains(&(id.clone(), before.connector().digest().to_string())));
        }
        held.listed = None;
    }

    /// The accounts with the digests of the components that they are open on.
    pub(crate) fn now(&self) -> Pairs {
        self.listed().0
    }

    /// The accounts with the digests of the components on which they finish what they began.
    pub(crate) fn before(&self) -> Pairs {
        self.listed().1
    }

    fn listed(&self) -> (Pairs, Pairs) {
        if let Some(listed) = &self.read().listed {
            return listed.clone();
        }
        let held = &mut *self.write();
        held.listed.get_or_insert_with(|| list(&held.places)).clone()
    }
}

fn list(places: &BTreeMap<String, Place>) -> (Pairs, Pairs) {
    let pair = |account: &Account| (account.id().to_owned(), account.connector().digest().to_string());
    let now = places.values().map(|place| pair(&place.now)).collect();
    let before = places.values().flat_map(|place| place.before.iter().map(pair)).collect();
    (Arc::new(now), Arc::new(before))
}
