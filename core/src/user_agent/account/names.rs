//! The names by which accounts are found.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;

use super::Account;
use crate::id::{Arena, Id, Kind};
use crate::keyed_index::KeyedIndex;
use crate::message::{Uri, UriBuf, user_key};
use crate::user_agent::AccountId;

/// The names that accounts are found by: user parts, and addresses-of-record.
#[derive(Clone, Debug)]
pub(super) struct Names {
    table: Arena<NameKind, Name>,
    index: KeyedIndex<Id<NameKind>>,
}

#[derive(Clone, Copy, Debug)]
enum NameKind {}

impl Kind for NameKind {
    const NAME: &'static str = "name";
}

/// A name, and how often each account has it.
#[derive(Clone, Debug)]
struct Name {
    text: Box<str>,
    accounts: BTreeMap<AccountId, usize>,
}

impl Names {
    /// No name yet. Names are hashed with this key.
    pub(super) const fn new(key: [u8; 16]) -> Self {
        Self { table: Arena::new(), index: KeyedIndex::new(key) }
    }

    /// See [`KeyedIndex::key_probe`].
    #[cfg(test)]
    pub(super) fn key_probe(&self) -> u64 {
        self.index.key_probe()
    }

    /// Number of names.
    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        self.index.len()
    }

    /// Adds the names that an account has by itself.
    pub(super) fn enter(&mut self, id: AccountId, account: &Account) {
        names(account).for_each(|name| self.add(id, &name));
    }

    /// Removes the names that an account has by itself.
    pub(super) fn leave(&mut self, id: AccountId, account: &Account) {
        names(account).for_each(|name| self.remove(id, &name));
    }

    /// The accounts of a name. Shows the names that were compared for it.
    pub(super) fn find(&self, text: &str, compared: impl FnMut(&str)) -> Option<&BTreeMap<AccountId, usize>> {
        let name = self.place(text, compared)?;
        self.table.get(name).map(|name| &name.accounts)
    }

    fn place(&self, text: &str, mut compared: impl FnMut(&str)) -> Option<Id<NameKind>> {
        self.index.find(self.index.hash(&[text.as_bytes()]), |id| {
            self.table.get(id).is_some_and(|name| {
                compared(&name.text);
                *name.text == *text
            })
        })
    }

    pub(super) fn add(&mut self, account: AccountId, text: &str) {
        let place = self.place(text, |_| {}).unwrap_or_else(|| {
            let place = self.table.insert(Name { text: text.into(), accounts: BTreeMap::new() });
            self.index.insert(self.index.hash(&[text.as_bytes()]), place);
            place
        });
        if let Some(name) = self.table.get_mut(place) {
            *name.accounts.entry(account).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, account: AccountId, text: &str) {
        let Some(place) = self.place(text, |_| {}) else { return };
        let Some(name) = self.table.get_mut(place) else { return };
        if let Some(count) = name.accounts.get_mut(&account) {
            *count -= 1;
            if *count == 0 {
                name.accounts.remove(&account);
            }
        }
        if name.accounts.is_empty() {
            self.table.remove(place);
            self.index.remove(self.index.hash(&[text.as_bytes()]), place);
        }
    }
}

/// The names that an account has by itself: the user parts of its identity and its contact, and its address-of-record.
fn names(account: &Account) -> impl Iterator<Item = Cow<'_, str>> {
    let identity = account.identity.uri();
    let contact = account.contact.as_ref().map(UriBuf::as_uri);
    let users = [Some(identity), contact].into_iter().flatten().filter_map(Uri::user).map(user_key);
    users.chain(address_key(identity).map(Cow::Owned))
}

/// The name of an address-of-record. No user part can look like it, because a user part that has an `@` has it escaped.
pub(super) fn address_key(uri: Uri<'_>) -> Option<String> {
    let address = uri.address_of_record()?;
    let (_, address) = address.as_str().split_once(':')?;
    Some(if address.contains('@') { address.into() } else { ["@", address].concat() })
}
