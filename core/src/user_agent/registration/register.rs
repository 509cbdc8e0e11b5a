//! The wishes of a REGISTER of ours (RFC 3261 §10.2).

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::binding::Binding;
use crate::dialog::RouteSet;
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::header::NameAddrBuf;
use crate::message::{HeaderId, HeaderName, Lines, Scheme, Uri, UriBuf};
use crate::transport::NextHop;
use crate::user_agent::AccountId;
use crate::user_agent::account::Accounts;
use crate::user_agent::compose::{Body, Extra, Outgoing};
use crate::user_agent::keep_alive::KeepAlive;

/// The interval that is asked for unless something else is said, in seconds.
const EXPIRES: u32 = 3_600;

/// The wishes of a user agent at a registrar: which bindings, of which address-of-record, for how long (RFC 3261 §10.2).
///
/// ```
/// # use sansip::user_agent::{Binding, Register};
/// let registrar = "sip:registrar.biloxi.com".parse()?;
/// // Our contact, bound to the identity of the profile for an hour.
/// let usual = Register::at(&registrar);
/// // An assistant binds two contacts of the chief.
/// let chief = Register::at(&registrar)
///     .address_of_record(&"<sip:chief@biloxi.com>".parse()?)
///     .from(&"<sip:assistant@biloxi.com>".parse()?)
///     .binding(Binding::to(&"sip:chief@desk.biloxi.com".parse()?).q(700))
///     .binding(Binding::to(&"sip:chief@192.0.2.7".parse()?).q(100).expires(600))
///     .expires(7200);
/// # let _ = (usual, chief);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Register {
    registrar: UriBuf,
    /// `None`: the registrar chooses.
    expires: Option<u32>,
    address_of_record: Option<NameAddrBuf>,
    from: Option<NameAddrBuf>,
    bindings: Vec<Binding>,
    next_hop: Option<NextHop>,
    routes: RouteSet,
    extra: Extra,
    supports_path: bool,
    as_seen: bool,
    outbound: bool,
    account: Option<AccountId>,
    keep_alive: Option<KeepAlive>,
}

impl Register {
    /// Our contact, bound to the account's identity at that registrar for an hour. User and headers of the URI are left out (RFC 3261
    /// §10.2).
    pub fn at(registrar: &UriBuf) -> Self {
        Self {
            registrar: registrar.clone(),
            expires: Some(EXPIRES),
            address_of_record: None,
            from: None,
            bindings: Vec::new(),
            next_hop: None,
            routes: RouteSet::default(),
            extra: Extra::new(),
            supports_path: false,
            as_seen: false,
            outbound: false,
            account: None,
            keep_alive: None,
        }
    }

    /// Our contact, bound to that address-of-record at the registrar of its own domain, for an hour: where no other registrar is known
    /// (RFC 3261 §10.2.6).
    ///
    /// ```
    /// # use sansip::user_agent::Register;
    /// let bob = Register::of(&"Bob <sip:bob@biloxi.com>".parse()?);
    /// # let _ = bob;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(address: &NameAddrBuf) -> Self {
        Self::at(&address.uri().to_buf()).address_of_record(address)
    }

    /// Registers for that account, which without this is the default one: with its identity, contact, routes and logins.
    #[must_use]
    pub const fn account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// Keeps the flow alive by which the registrar has answered, as long as the registration lasts. If the flow is lost,
    /// [`Event::FlowLost`](crate::user_agent::Event::FlowLost) says so, and the registration is made anew at once; should that fail, as
    /// [`Policy::registering`](crate::user_agent::Policy::registering) says (RFC 5626 §4.5).
    #[must_use]
    pub const fn keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.keep_alive = Some(keep_alive);
        self
    }

    /// Sets the interval in seconds that every binding without one of its own asks for; 0 removes them (RFC 3261 §10.2.1.1, §10.2.2).
    #[must_use]
    pub const fn expires(mut self, seconds: u32) -> Self {
        self.expires = Some(seconds);
        self
    }

    /// Asks for no interval, so that the registrar chooses the one of every binding without one of its own (RFC 3261 §10.2.1.1). If its 2xx does
    /// not say which, an hour is taken for it.
    ///
    /// ```
    /// # use sansip::user_agent::Register;
    /// let register = Register::at(&"sip:registrar.biloxi.com".parse()?).interval_of_registrar();
    /// # let _ = register;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn interval_of_registrar(mut self) -> Self {
        self.expires = None;
        self
    }

    /// Sets the address-of-record that is bound, To, in the place of the account's identity: another one of ours, or that of a visitor.
    #[must_use]
    pub fn address_of_record(mut self, address: &NameAddrBuf) -> Self {
        self.address_of_record = Some(address.clone());
        self
    }

    /// Sets who registers, From, if that is not the address-of-record: a third party (RFC 3261 §10.2).
    #[must_use]
    pub fn from(mut self, from: &NameAddrBuf) -> Self {
        self.from = Some(from.clone());
        self
    }

    /// Adds a binding. Without any, our own contact is bound.
    #[must_use]
    pub fn binding(mut self, binding: Binding) -> Self {
        self.bindings.push(binding);
        self
    }

    /// Sends the REGISTER there, whatever Request-URI and Route say (RFC 3261 §8.1.2).
    #[must_use]
    pub fn next_hop(mut self, next_hop: NextHop) -> Self {
        self.next_hop = Some(next_hop);
        self
    }

    /// Adds a proxy that the REGISTER goes through: see [`Outgoing::route`].
    #[must_use]
    pub fn route(mut self, proxy: &UriBuf) -> Self {
        self.routes.push(proxy.clone());
        self
    }

    /// Says `Supported: path`, so that proxies on the way may see to it that requests for us come through them (RFC 3327 §5.1).
    #[must_use]
    pub const fn supports_path(mut self) -> Self {
        self.supports_path = true;
        self
    }

    /// Registers a flow (RFC 5626): asks that requests for us come along the way that this REGISTER goes, for a user agent behind a NAT or a
    /// firewall, or one that nobody can open a connection to. Our contact alone is bound, with the [instance](field@crate::user_agent::Profile::instance) of the account,
    /// and `reg-id=1`.
    ///
    /// If the 2xx of [`Event::Registered`](crate::user_agent::Event::Registered) has `Require: outbound`, the registrar keeps the flow. From then on
    ///
    /// * the flow is kept alive, as often as a Flow-Timer of the 2xx says (§4.4); without [`keep_alive`](Self::keep_alive) by line ends every 120 s, along
    ///   datagrams by OPTIONS every 29 s (a driver that has STUN asks for line ends instead);
    /// * what refreshes the registration goes along the flow (§4.2.2), and so do requests of the address-of-record outside of dialogs that say no
    ///   way of their own (§4.3); Contact says `ob` in dialogs;
    /// * a flow that fails is told by [`Event::FlowLost`](crate::user_agent::Event::FlowLost), and another one formed at once. After a failure it is
    ///   tried again later, as [`Policy::registering`](crate::user_agent::Policy::registering) says, or if that says nothing, [`BackOff::default`](crate::user_agent::BackOff::default) (§4.5).
    ///
    /// A registrar that answers 439, as the proxy next to us keeps no flows, is asked again without a flow (§4.2.1). If the 2xx does not say
    /// `Require: outbound`, the contact is bound as any other.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::user_agent::{Profile, Register, UserAgent};
    /// let mut profile = Profile::new("<sip:bob@biloxi.com>".parse()?);
    /// profile.instance = Some("urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF".parse()?);
    /// profile.routes = ["sip:edge.biloxi.com;transport=tcp;lr".parse()?].into_iter().collect();
    /// let mut bob = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
    /// bob.listen(Listener::tcp("10.0.0.4:5060".parse()?));
    /// bob.register(Instant::ZERO, Register::at(&"sip:biloxi.com".parse()?).outbound())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The command refuses this (`Invalid("instance")`) for an account without an instance, and (`Invalid("binding")`) with other bindings than
    /// our own contact.
    #[must_use]
    pub const fn outbound(mut self) -> Self {
        self.outbound = true;
        self
    }

    /// Binds our contact as the registrar's side sees it: if `received` and `rport` of a 2xx (RFC 3581) say another address than our
    /// contact has, a second REGISTER binds that one and removes the first. Once for each refresh at most. Nothing of this where
    /// [`Profile::contact`](crate::user_agent::Profile::contact) says the contact.
    #[must_use]
    pub const fn as_seen(mut self) -> Self {
        self.as_seen = true;
        self
    }

    /// Adds a header field: see [`Extra::header`]. Expires is refused too: see [`expires`](Self::expires).
    #[must_use]
    pub fn header<'n>(mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> Self {
        let name = name.into();
        if name == HeaderName::Known(HeaderId::Expires) {
            self.extra.fail(CommandError::HeaderOwned("Expires"));
        } else {
            self.extra = self.extra.header(name, value);
        }
        self
    }

    /// Sets the body of each REGISTER, which may be of any type (RFC 3261 §7.4).
    #[must_use]
    pub fn body(mut self, body: impl Into<Option<Body>>) -> Self {
        self.extra = self.extra.body(body);
        self
    }
}

impl From<&UriBuf> for Register {
    fn from(registrar: &UriBuf) -> Self {
        Self::at(registrar)
    }
}

/// A [`Register`] that can be sent: whose addresses are known, and whose parts were checked.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) account: AccountId,
    /// The Request-URI: without a user.
    pub(super) registrar: UriBuf,
    /// The interval of all, in seconds; `None`: the registrar chooses.
    pub(super) expires: Option<u32>,
    /// The address-of-record.
    pub(super) to: NameAddrBuf,
    /// From without a tag.
    pub(super) from: NameAddrBuf,
    /// One at least.
    pub(super) bindings: Vec<Binding>,
    /// Where it goes whatever else is said. In a box, as few registrations have one.
    next_hop: Option<Box<NextHop>>,
    routes: RouteSet,
    extra: Extra,
    pub(super) supports_path: bool,
    /// Whether our contact is bound as it is seen.
    pub(super) as_seen: bool,
    /// Whether a flow is to be bound (RFC 5626).
    pub(super) outbound: bool,
    /// How the flow is kept alive.
    pub(super) keep_alive: Option<KeepAlive>,
}

impl Terms {
    /// Adds what a REGISTER carries besides, in the place of what was to stand there under the same names.
    ///
    /// # Errors
    /// `HeaderOwned`: also Expires; as [`Extra::check`].
    pub(super) fn say_before(&mut self, extra: &Extra) -> Result<(), CommandError> {
        extra.check_request()?;
        if extra.has(HeaderId::Expires) {
            return Err(CommandError::HeaderOwned("Expires"));
        }
        if !extra.is_empty() {
            self.extra = extra.clone().before(&self.extra);
        }
        Ok(())
    }

    /// The wishes of a user agent that has these accounts.
    ///
    /// # Errors
    /// `Gone`: there is no such account; `NotSip`: the registrar or the address-of-record; `Invalid`: a `q` above 1, our contact twice, a flow
    /// without an instance or with other contacts; as [`Extra::check`].
    pub(super) fn of(register: Register, accounts: &Accounts) -> Result<Self, CommandError> {
        let Register { registrar, expires, address_of_record, from, mut bindings, .. } = register;
        let Register { next_hop, routes, extra, supports_path, as_seen, outbound, account, keep_alive, .. } = register;
        let account = accounts.named(account)?;
        let registrar = without_user(registrar.as_uri()).ok_or(CommandError::NotSip)?;
        extra.check()?;
        if bindings.iter().any(|binding| binding.q.is_some_and(|q| q > 1_000)) {
            return Err(CommandError::Invalid("q"));
        }
        if bindings.iter().filter(|binding| binding.uri.is_none()).count() > 1 {
            return Err(CommandError::Invalid("binding"));
        }
        if bindings.is_empty() {
            bindings.push(Binding::ours());
        }
        if outbound && accounts.get(account).instance.is_none() {
            return Err(CommandError::Invalid("instance"));
        }
        // Of several contacts none could be a flow (RFC 5626 §6).
        if outbound && !bindings.iter().all(|binding| binding.uri.is_none()) {
            return Err(CommandError::Invalid("binding"));
        }
        let to = address_of_record.unwrap_or_else(|| accounts.get(account).identity.clone()).without_parameters();
        if !to.uri().is_sip() {
            return Err(CommandError::NotSip);
        }
        let from = from.unwrap_or_else(|| to.clone());
        Ok(Self {
            account,
            registrar,
            expires,
            to,
            from,
            bindings,
            next_hop: next_hop.map(Box::new),
            routes,
            extra,
            supports_path,
            as_seen,
            outbound,
            keep_alive,
        })
    }

    /// How the REGISTER is addressed, and what the application adds.
    pub(super) fn outgoing(&self) -> Outgoing {
        let mut outgoing = Outgoing::to(&self.to).request_uri(&self.registrar).extra(self.extra.clone());
        if let Some(next_hop) = &self.next_hop {
            outgoing = outgoing.next_hop((**next_hop).clone());
        }
        self.routes.iter().fold(outgoing, |outgoing, route| outgoing.route(&route.to_buf()))
    }

    /// Adds Supported for what is used of the way (RFC 3327 §5.1, RFC 5626 §4.2.1).
    pub(super) fn add_supported(&self, lines: &mut Lines) {
        let supported = match (self.outbound, self.supports_path) {
            (true, _) => Extensions::of(&[Extension::Outbound, Extension::Path]),
            (false, true) => Extensions::of(&[Extension::Path]),
            (false, false) => return,
        };
        lines.header(HeaderId::Supported, format!("{supported}"));
    }

    /// The URI whose scheme our contact has: SIPS if the address-of-record or the registrar is (§8.1.1.8, §10.2.1).
    pub(super) fn likeness(&self) -> Uri<'_> {
        let to = self.to.uri();
        if to.scheme() == Scheme::Sips { to } else { self.registrar.as_uri() }
    }

    /// The user parts by which requests reach the bindings: those of the address-of-record and of contacts that are not ours anyway.
    pub(super) fn users(&self) -> impl Iterator<Item = &str> {
        let contacts = self.bindings.iter().filter_map(|binding| binding.uri.as_ref()?.as_uri().user());
        self.to.uri().user().into_iter().chain(contacts)
    }

    /// The interval that a binding asks for, in seconds.
    pub(super) fn interval(&self, binding: &Binding) -> u32 {
        binding.expires.or(self.expires).unwrap_or(EXPIRES)
    }

    /// Whether a binding is to stay.
    pub(super) fn keeps_any(&self) -> bool {
        self.bindings.iter().any(|binding| self.interval(binding) > 0)
    }

    /// Raises the intervals that single bindings have of their own to `least` seconds. Whether any was less; a removal is not.
    pub(super) fn lengthen(&mut self, least: u32) -> bool {
        let mut was_brief = false;
        for seconds in self.bindings.iter_mut().filter_map(|binding| binding.expires.as_mut()) {
            if (1..least).contains(seconds) {
                (*seconds, was_brief) = (least, true);
            }
        }
        was_brief
    }

    /// Forgets the bindings that are removed, once they are.
    pub(super) fn forget_removed(&mut self) {
        let is_removed = self.expires == Some(0);
        self.bindings.retain(|binding| binding.expires.map_or(!is_removed, |seconds| seconds > 0));
    }
}

/// A registrar's URI as the Request-URI of a REGISTER: user and password are left out, and so are headers (§10.2). `None`
/// unless it is a SIP URI.
fn without_user(registrar: Uri<'_>) -> Option<UriBuf> {
    let scheme = if registrar.scheme() == Scheme::Sips { "sips" } else { "sip" };
    let mut text: Vec<u8> = format!("{scheme}:{}", registrar.host_port()?).into_bytes();
    text.extend_from_slice(registrar.parameters().as_bytes());
    UriBuf::parse(&text).ok()
}
