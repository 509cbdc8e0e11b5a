//! The table of accounts, and which of them a request of a peer is for (RFC 3261 §8.2.2.1).

use super::Account;
use super::flows::OutboundFlows;
use super::names::{Names, address_key};
use crate::error::CommandError;
use crate::id::Arena;
use crate::message::{Request, Uri, user_key};
use crate::user_agent::profile::Profile;
use crate::user_agent::service_route::ServiceRoutes;
use crate::user_agent::{AccountId, AccountKind};

impl AccountId {
    /// The account of the [`Profile`]: what is meant where no account is named.
    pub const DEFAULT: Self = Self::from_parts(0, 0);
}

/// The accounts of a user agent.
#[derive(Clone, Debug)]
pub(in crate::user_agent) struct Accounts {
    /// The account of the profile.
    default: Entry,
    /// The accounts that were added. No handle of this table is that of the default: generations begin at 1.
    others: Arena<AccountKind, Entry>,
    names: Names,
}

/// An account and what is held for it.
#[derive(Clone, Debug)]
struct Entry {
    account: Account,
    service_routes: ServiceRoutes,
    flows: OutboundFlows,
    /// Calls and registrations that are alive.
    uses: usize,
}

impl Entry {
    fn new(account: Account) -> Self {
        Self { account, service_routes: ServiceRoutes::default(), flows: OutboundFlows::default(), uses: 0 }
    }
}

impl Accounts {
    /// The account of a profile alone. The names of accounts are hashed with this key.
    pub(in crate::user_agent) fn new(profile: &Profile, key: [u8; 16]) -> Self {
        let account = Account::of(profile);
        let mut names = Names::new(key);
        names.enter(AccountId::DEFAULT, &account);
        Self { default: Entry::new(account), others: Arena::new(), names }
    }

    /// See `KeyedIndex::key_probe`.
    #[cfg(test)]
    pub(in crate::user_agent) fn key_probe(&self) -> u64 {
        self.names.key_probe()
    }

    /// Adds an account.
    ///
    /// # Errors
    /// `NotSip`: the identity or the contact; `Limit("accounts")`.
    pub(in crate::user_agent) fn add(&mut self, account: Account, limit: usize) -> Result<AccountId, CommandError> {
        let is_sip = |uri: Uri<'_>| uri.is_sip();
        if !is_sip(account.identity.uri()) || !account.contact.as_ref().is_none_or(|uri| is_sip(uri.as_uri())) {
            return Err(CommandError::NotSip);
        }
        if self.others.len() >= limit {
            return Err(CommandError::Limit("accounts"));
        }
        let id = self.others.insert_with(|id| {
            self.names.enter(id, &account);
            Entry::new(account)
        });
        Ok(id)
    }

    /// Removes an account that nothing uses.
    ///
    /// # Errors
    /// `Gone`; `WrongState`: a call or a registration of the account is alive; `Invalid("account")`: the default one.
    pub(in crate::user_agent) fn remove(&mut self, id: AccountId) -> Result<(), CommandError> {
        if id == AccountId::DEFAULT {
            return Err(CommandError::Invalid("account"));
        }
        match self.others.get(id) {
            None => Err(CommandError::Gone),
            Some(entry) if entry.uses > 0 => Err(CommandError::WrongState),
            Some(entry) => {
                self.names.leave(id, &entry.account);
                self.others.remove(id);
                Ok(())
            }
        }
    }

    /// The account that a command names, or the default one.
    ///
    /// # Errors
    /// `Gone`.
    pub(in crate::user_agent) fn named(&self, id: Option<AccountId>) -> Result<AccountId, CommandError> {
        match id {
            None => Ok(AccountId::DEFAULT),
            Some(id) if id == AccountId::DEFAULT || self.others.contains(id) => Ok(id),
            Some(_) => Err(CommandError::Gone),
        }
    }

    /// The account; the default one in the place of one that is gone, which nothing but a request that has waited can name.
    pub(in crate::user_agent) fn get(&self, id: AccountId) -> &Account {
        &self.entry(id).account
    }

    /// The service routes of an account.
    pub(in crate::user_agent) fn service_routes(&self, id: AccountId) -> &ServiceRoutes {
        &self.entry(id).service_routes
    }

    /// The service routes of an account, to be changed.
    pub(in crate::user_agent) fn service_routes_mut(&mut self, id: AccountId) -> &mut ServiceRoutes {
        &mut self.entry_mut(id).service_routes
    }

    /// The flows that requests of an account go along.
    pub(in crate::user_agent) fn flows(&self, id: AccountId) -> &OutboundFlows {
        &self.entry(id).flows
    }

    /// The flows that requests of an account go along, to be changed.
    pub(in crate::user_agent) fn flows_mut(&mut self, id: AccountId) -> &mut OutboundFlows {
        &mut self.entry_mut(id).flows
    }

    /// Number of accounts that were added.
    pub(in crate::user_agent) const fn len(&self) -> usize {
        self.others.len()
    }

    /// Notes that a call or a registration of the account is alive, so that the account stays.
    pub(in crate::user_agent) fn hold(&mut self, id: AccountId) {
        let uses = &mut self.entry_mut(id).uses;
        *uses = uses.saturating_add(1);
    }

    /// Ends one [`hold`](Self::hold).
    pub(in crate::user_agent) fn let_go(&mut self, id: AccountId) {
        let uses = &mut self.entry_mut(id).uses;
        *uses = uses.saturating_sub(1);
    }

    /// The account is reached by this user part too, until as many [`forget_user`](Self::forget_user) have come.
    pub(in crate::user_agent) fn add_user(&mut self, id: AccountId, user: &str) {
        self.names.add(id, &user_key(user));
    }

    /// Ends one [`add_user`](Self::add_user).
    pub(in crate::user_agent) fn forget_user(&mut self, id: AccountId, user: &str) {
        self.names.remove(id, &user_key(user));
    }

    /// The account that a request outside of dialogs is for: the one that is reached by the user part of the Request-URI, whatever
    /// the host, because phones behind NAT are reached by rewritten hosts (§8.2.2.1). If several are, the one whose address-of-record
    /// stands in Request-URI or To is meant, and else the one added first. A Request-URI without a user is for the account in To, or
    /// else the default one. `None`: the Request-URI has another user.
    pub(in crate::user_agent) fn of_request(&self, request: &Request, uri: Uri<'_>) -> Option<AccountId> {
        let Some(user) = uri.user() else { return Some(self.of_to(request)) };
        let reached = self.names.find(&user_key(user), |_| {})?;
        if reached.len() > 1 {
            let to = request.headers().to();
            let addresses = [Some(uri), to.map(|to| to.uri)];
            let by_address = addresses.into_iter().flatten().find_map(|uri| self.addressed(uri));
            if let Some(account) = by_address.filter(|account| reached.contains_key(account)) {
                return Some(account);
            }
        }
        reached.keys().next().copied()
    }

    /// The account whose address-of-record stands in To; else the default one.
    pub(in crate::user_agent) fn of_to(&self, request: &Request) -> AccountId {
        if self.others.is_empty() {
            return AccountId::DEFAULT;
        }
        let to = request.headers().to();
        to.and_then(|to| self.addressed(to.uri)).unwrap_or(AccountId::DEFAULT)
    }

    /// The first account of that address-of-record.
    fn addressed(&self, uri: Uri<'_>) -> Option<AccountId> {
        self.names.find(&address_key(uri)?, |_| {})?.keys().next().copied()
    }

    fn entry(&self, id: AccountId) -> &Entry {
        self.others.get(id).unwrap_or(&self.default)
    }

    fn entry_mut(&mut self, id: AccountId) -> &mut Entry {
        self.others.get_mut(id).unwrap_or(&mut self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Limits, Message};
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::vec::Vec;

    fn account(identity: &str) -> Account {
        Account::new(identity.parse().unwrap())
    }

    fn accounts() -> Accounts {
        Accounts::new(&Profile::new("<sip:bob@biloxi.com>".parse().unwrap()), [7; 16])
    }

    fn request(uri: &str, to: &str) -> Request {
        let text = format!(
            "OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/UDP a.com;branch=z9hG4bKa\r\nFrom: <sip:alice@a.com>;tag=1\r\n\
             To: <{to}>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        let Ok(Message::Request(request)) = Message::parse(text.as_bytes(), &Limits::default()) else {
            panic!("{text}")
        };
        request
    }

    fn found(accounts: &Accounts, uri: &str, to: &str) -> Option<AccountId> {
        let request = request(uri, to);
        accounts.of_request(&request, request.uri().unwrap())
    }

    /// §8.2.2.1, whatever the host. The user is compared unescaped and with regard to case (§19.1.4).
    #[test]
    fn a_request_is_for_the_account_whose_user_its_uri_has() {
        let mut accounts = accounts();
        let carol = accounts.add(account("<sip:c%61rol@chicago.com>"), 9).unwrap();
        let both = |uri| found(&accounts, uri, "sip:x@y.com");
        assert_eq!(both("sip:bob@192.0.2.4"), Some(AccountId::DEFAULT));
        assert_eq!(both("sip:carol@203.0.113.7:40000"), Some(carol));
        assert_eq!(both("sip:%63arol@a.com"), Some(carol));
        assert_eq!(both("sip:Carol@chicago.com"), None);
        assert_eq!(both("sip:chicago.com"), Some(AccountId::DEFAULT));
        assert_eq!(found(&accounts, "sip:192.0.2.4", "sip:carol@chicago.com"), Some(carol));
        assert_eq!(both("sip:bob%40biloxi.com@x.com"), None, "a user part is no address-of-record");
        accounts.remove(carol).unwrap();
        assert_eq!(found(&accounts, "sip:carol@chicago.com", "sip:carol@chicago.com"), None);
        assert_eq!(accounts.remove(carol), Err(CommandError::Gone));
    }

    #[test]
    fn of_accounts_with_one_user_the_address_of_record_decides_and_then_the_order() {
        let mut accounts = accounts();
        let home = accounts.add(account("<sip:bob@atlanta.com>"), 9).unwrap();
        let work = accounts.add(account("<sips:bob@chicago.com:5070>"), 9).unwrap();
        assert_eq!(found(&accounts, "sip:bob@chicago.com:5070", "sip:x@y.com"), Some(work));
        assert_eq!(found(&accounts, "sip:bob@192.0.2.4", "sip:bob@ATLANTA.com"), Some(home));
        assert_eq!(found(&accounts, "sip:bob@192.0.2.4", "sip:x@y.com"), Some(AccountId::DEFAULT));
        // Another account stands in To, which is not reached by this user.
        let carol = accounts.add(account("<sip:carol@chicago.com>"), 9).unwrap();
        assert_eq!(found(&accounts, "sip:bob@192.0.2.4", "sip:carol@chicago.com"), Some(AccountId::DEFAULT));
        assert_eq!(found(&accounts, "sip:carol@192.0.2.4", "sip:bob@atlanta.com"), Some(carol));
    }

    #[test]
    fn an_account_is_reached_by_its_contact_and_by_what_was_registered() {
        let mut accounts = accounts();
        let with_contact =
            Account { contact: Some("sip:line2@192.0.2.4".parse().unwrap()), ..account("<sip:carol@chicago.com>") };
        let carol = accounts.add(with_contact, 9).unwrap();
        let reached = |accounts: &Accounts, user: &str| found(accounts, &format!("sip:{user}@z.com"), "sip:x@y.com");
        assert_eq!(reached(&accounts, "line2"), Some(carol));
        accounts.add_user(carol, "chief");
        accounts.add_user(carol, "chief");
        accounts.add_user(carol, "line2");
        accounts.forget_user(carol, "chief");
        accounts.forget_user(carol, "line2");
        assert_eq!((reached(&accounts, "chief"), reached(&accounts, "line2")), (Some(carol), Some(carol)));
        accounts.forget_user(carol, "chief");
        assert_eq!(reached(&accounts, "chief"), None);
    }

    #[test]
    fn an_account_in_use_stays_and_so_does_the_default_one() {
        let mut accounts = accounts();
        assert_eq!(accounts.remove(AccountId::DEFAULT), Err(CommandError::Invalid("account")));
        let carol = accounts.add(account("<sip:carol@chicago.com>"), 1).unwrap();
        assert_eq!(accounts.add(account("<sip:dave@chicago.com>"), 1), Err(CommandError::Limit("accounts")));
        assert_eq!(accounts.add(account("<tel:+12015550123>"), 9), Err(CommandError::NotSip));
        accounts.hold(carol);
        assert_eq!(accounts.remove(carol), Err(CommandError::WrongState));
        accounts.let_go(carol);
        assert_eq!(accounts.remove(carol), Ok(()));
        assert_eq!(accounts.named(Some(carol)), Err(CommandError::Gone));
        assert_eq!(accounts.named(None), Ok(AccountId::DEFAULT));
        let next = accounts.add(account("<sip:dave@chicago.com>"), 1).unwrap();
        assert_ne!(next, carol);
    }

    /// Only the one name that is meant is looked at among ten thousand, even if all accounts have one user.
    #[test]
    fn however_many_there_are_one_is_compared() {
        let mut accounts = accounts();
        let identity = |at: usize| format!("<sip:u{at}@a{at}.com>");
        let ids: Vec<_> = (0..10_000).map(|at| accounts.add(account(&identity(at)), 10_000).unwrap()).collect();
        for (at, id) in ids.iter().enumerate() {
            accounts.add_user(*id, "shared");
            let mut compared = 0;
            let found = accounts.names.find(&format!("u{at}"), |_| compared += 1).unwrap();
            assert_eq!((found.keys().copied().collect::<Vec<_>>(), compared), ([*id].into(), 1));
        }
        let mut compared = 0;
        assert_eq!(accounts.names.find("shared", |_| compared += 1).map(BTreeMap::len), Some(10_000));
        assert_eq!(compared, 1);
        assert_eq!(found(&accounts, "sip:shared@z.com", "sip:u77@a77.com"), Some(ids[77]));
        for id in ids {
            accounts.forget_user(id, "shared");
            accounts.remove(id).unwrap();
        }
        assert_eq!((accounts.len(), accounts.names.len()), (0, 2));
    }
}
