//! The commands of a user agent that concern its accounts and their logins.

use super::Account;
use crate::auth::{Login, Scope};
use crate::error::CommandError;
use crate::stack::Stack;
use crate::time::Instant;
use crate::user_agent::AccountId;
use crate::user_agent::agent::Core;

impl Stack<Core> {
    /// Gives a login, in the place of one with the same scope: challenges of its realm, or of its host, are answered with it (RFC 3261
    /// §22.1). A login that is known only when it is asked for: see [`Event::Wanted`](crate::user_agent::Event::Wanted).
    ///
    /// ```
    /// # use sansip::{Config, Seed};
    /// # use sansip::auth::{Login, Scope, Secret};
    /// # use sansip::user_agent::{Profile, UserAgent};
    /// let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// alice.login(Scope::realm("atlanta.com"), Login::new("alice", Secret::password("s3cret")))?;
    /// assert!(!format!("{alice:?}").contains("s3cret"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Invalid`: the user name or the realm has a line end, or the user name a colon (RFC 7616 §4).
    pub fn login(&mut self, scope: Scope, login: Login) -> Result<(), CommandError> {
        self.command(Instant::ZERO, |core, _| core.login(scope, login))
    }

    /// As [`login`](Self::login), for another account than the default one. For an example see [`add_account`](Self::add_account).
    ///
    /// # Errors
    /// `Gone`: there is no such account; as there.
    pub fn login_to(&mut self, account: AccountId, scope: Scope, login: Login) -> Result<(), CommandError> {
        self.command(Instant::ZERO, |core, _| core.login_to(account, scope, login))
    }

    /// Adds an account beside the default one, which is that of the [`Profile`](crate::user_agent::Profile): requests of ours name it
    /// ([`Outgoing::account`](crate::user_agent::Outgoing::account), [`Register::account`](crate::user_agent::Register::account)), and events say for which account a peer's request is. Which one that is, the user
    /// part of the Request-URI says, which is compared with those of each account's identity and contact, and of what a REGISTER of ours
    /// has bound (RFC 3261 §8.2.2.1).
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::auth::{Login, Scope, Secret};
    /// # use sansip::user_agent::{Account, Outgoing, Profile, Register, UserAgent};
    /// let mut bob = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:bob@biloxi.com>".parse()?));
    /// bob.listen(Listener::udp("192.0.2.4:5060".parse()?));
    /// let work = bob.add_account(Account::new("Bob <sip:b.smith@chicago.com>".parse()?))?;
    /// bob.login_to(work, Scope::realm("chicago.com"), Login::new("b.smith", Secret::password("s3cret")))?;
    /// bob.register(Instant::ZERO, Register::at(&"sip:registrar.chicago.com".parse()?).account(work))?;
    /// bob.call(Instant::ZERO, Outgoing::to(&"<sip:carol@chicago.com>".parse()?).account(work))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `NotSip`: the identity or the contact; `Limit("accounts")`.
    pub fn add_account(&mut self, account: Account) -> Result<AccountId, CommandError> {
        self.command(Instant::ZERO, |core, _| core.add_account(account))
    }

    /// Removes an account, and with it its logins. One that is in use is not removed: end its calls and registrations first. A request
    /// that [`ask`](Self::ask) has sent for it goes on, but proves itself no more.
    ///
    /// ```
    /// # use sansip::{CommandError, Config, Seed};
    /// # use sansip::user_agent::{Account, AccountId, Profile, UserAgent};
    /// # let mut bob = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:bob@biloxi.com>".parse()?));
    /// let work = bob.add_account(Account::new("<sip:b.smith@chicago.com>".parse()?))?;
    /// bob.remove_account(work)?;
    /// assert_eq!(bob.remove_account(work), Err(CommandError::Gone));
    /// assert_eq!(bob.remove_account(AccountId::DEFAULT), Err(CommandError::Invalid("account")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState`: a call or registration of the account is alive; `Invalid("account")`: the default account stays.
    pub fn remove_account(&mut self, account: AccountId) -> Result<(), CommandError> {
        self.command(Instant::ZERO, |core, _| core.remove_account(account))
    }
}
