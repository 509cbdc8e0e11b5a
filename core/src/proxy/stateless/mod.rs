//! The stateless proxy core (RFC 3261 §16.11).
//!
//! Nothing is remembered between two messages. While the resolver is asked, or a connection opens, the message waits that goes that
//! way; there are at most [`Limits::waiting_relays`](crate::Limits::waiting_relays), and a retransmission of one is dropped meanwhile.
//! What goes out is a function of the message, the configuration and the answers of the resolver: a request has one target, one place
//! and one branch, and none is tried instead if that place cannot be reached (RFC 3263 §4.4).
//!
//! No request is known to have come by before: [`Settings`] has no forking, there is no loop check (which §16.3 leaves open), and what
//! loops ends by Max-Forwards.

#[cfg(test)]
mod dialogs_test;
mod farm;
#[cfg(test)]
mod tests;

pub use farm::{Farm, Member};

use super::copy::{Copy, Maker};
use super::preprocess::{Preprocessed, preprocess};
use super::record_route::Tokens;
use super::relay::discard;
use super::token::TokenKey;
use super::validate::{check, proxy_require};
use super::{Refusal, Target, sips};
use crate::endpoint::{Arrival, Config, Indication, KeyPurpose};
use crate::error::{CommandError, Limit};
use crate::flow::Flow;
use crate::message::{Method, Phrase, Request, Response, StatusCode, Uri};
use crate::stack::Context;

/// Seconds after which a refused sender may try again, if nothing better is known.
const RETRY_AFTER: u32 = 10;

/// The choices of a stateless proxy's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether to stay on the path of dialogs: see [`proxy::Settings::record_route`](super::Settings::record_route). Off by default.
    pub record_route: bool,
    /// See [`proxy::Settings::tls_parameter`](super::Settings::tls_parameter). On by default.
    pub tls_parameter: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { record_route: false, tls_parameter: true }
    }
}

/// The stateless proxy core. Its transaction user must take [strays](crate::TransactionUser::TAKES_STRAYS): the core
/// gets responses by no other way.
///
/// ```
/// use sansip::proxy::stateless::{Core, Farm, Member, Settings};
/// use sansip::proxy::{Refusal, Target};
/// use sansip::message::{StatusCode, Uri};
/// use sansip::{Config, Context, Indication, Input, Instant, Listener, Node, Output, Seed, Stack, TransactionUser};
///
/// /// A stateless proxy before a farm.
/// #[derive(Clone, Debug)]
/// struct Front { core: Core, farm: Farm }
///
/// impl TransactionUser for Front {
///     type Event = ();
///
///     const TAKES_STRAYS: bool = true;
///
///     fn indicate(&mut self, cx: &mut Context<'_, ()>, indication: Indication) {
///         let Self { core, farm } = self;
///         let now = cx.now();
///         let is_ours = |uri: Uri<'_>| uri.host().is_some_and(|host| host.to_string() == "biloxi.com");
///         core.indicate(cx, indication, is_ours, |preprocessed| {
///             let uri = preprocessed.request.uri().map_err(|_| Refusal::Status(StatusCode::BAD_REQUEST))?;
///             match is_ours(uri) {
///                 true => farm.target(now, &preprocessed.request),
///                 // A request of a dialog whose route we have recorded goes where it says, any other nowhere.
///                 false if preprocessed.recorded => Ok(Target::new(uri.to_buf())),
///                 false => Err(Refusal::Status(StatusCode::FORBIDDEN)),
///             }
///         });
///     }
///
///     fn is_idle(&self) -> bool {
///         true
///     }
/// }
///
/// let config = Config::new(Seed::from_u64(1));
/// let hop = |host: &str| host.parse::<sansip::message::HostBuf>().unwrap().into();
/// let farm = Farm::new(&config, vec![Member::new("s1", hop("192.0.2.11")), Member::new("s2", hop("192.0.2.12"))]);
/// let core = Core::new(&config, Settings::default());
/// let mut front = Stack::new(config, Front { core, farm });
/// let listener = front.listen(Listener::udp("192.0.2.3:5060".parse().unwrap()));
///
/// let request = b"OPTIONS sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
///     Max-Forwards: 70\r\nTo: <sip:bob@biloxi.com>\r\nFrom: <sip:alice@atlanta.com>;tag=1\r\nCall-ID: 1\r\n\
///     CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
/// let remote = "192.0.2.1:5060".parse().unwrap();
/// front.handle(Instant::from_millis(1), Input::Datagram { listener, remote, bytes: request });
/// let Some(Output::Send(forwarded)) = front.poll() else { panic!() };
/// assert!(["192.0.2.11:5060", "192.0.2.12:5060"].contains(&forwarded.flow.remote.to_string().as_str()));
/// assert!(front.is_idle());
/// ```
#[derive(Clone, Debug)]
pub struct Core {
    settings: super::Settings,
    tokens: TokenKey,
}

impl Core {
    /// A core for a node of this configuration, from which its keys come.
    pub fn new(config: &Config, settings: Settings) -> Self {
        let Settings { record_route, tls_parameter } = settings;
        Self {
            settings: super::Settings { record_route, tls_parameter, ..super::Settings::default() },
            tokens: TokenKey::new(config.hash_key(KeyPurpose::RouteTokens), config.owner),
        }
    }

    /// Takes all that the endpoint has to say. `names_us` says which URIs indicate this proxy. `choose` gives the one target of a
    /// request after preprocessing (§16.4), or the refusal; it must depend on nothing but the request and what does not change
    /// with time, and must choose alike for an INVITE, its CANCEL and its ACK (§16.11): see [`Farm`]. Whether
    /// the request may be forwarded at all is the choice's part. Our token in Record-Route has no time:
    /// [`Preprocessed::recorded`] holds for as long as its key.
    pub fn indicate<E>(
        &self,
        cx: &mut Context<'_, E>,
        indication: Indication,
        names_us: impl Fn(Uri<'_>) -> bool,
        choose: impl FnOnce(&Preprocessed) -> Result<Target, Refusal>,
    ) {
        match indication {
            Indication::Request(arrival) => {
                if let Err(refusal) = self.forward(cx, &arrival.request, arrival.flow, names_us, choose) {
                    answer(cx, &arrival, &refusal);
                }
            }
            Indication::Ack { request, flow, .. } => {
                if let Err(refusal) = self.forward(cx, &request, flow, names_us, choose) {
                    discard(cx, &request, flow, &refusal);
                }
            }
            Indication::Stray { response, flow } => pass_back(cx, &response, flow),
            // There is no transaction, delivery or timer of this core that anything could be told of.
            _ => {}
        }
    }

    /// Forwards a response for one of the servers of a farm: to the member that has written its topmost Via and is up, as the response
    /// came; any other as [`indicate`](Self::indicate) does with an [`Indication::Stray`].
    pub fn stray<E>(&self, cx: &mut Context<'_, E>, response: &Response, flow: Flow, farm: &Farm) {
        match farm.owner_of(response).filter(|_| !cx.has_marked(response)) {
            Some(member) => {
                if cx.hand_over(response, &member.next_hop).is_err() {
                    cx.discard_stray(flow, response);
                }
            }
            None => pass_back(cx, response, flow),
        }
    }

    /// Forwards a request to the one target that is chosen: §16.3, §16.4, and §16.6 as §16.11 changes it.
    fn forward<E>(
        &self,
        cx: &mut Context<'_, E>,
        received: &Request,
        flow: Flow,
        names_us: impl Fn(Uri<'_>) -> bool,
        choose: impl FnOnce(&Preprocessed) -> Result<Target, Refusal>,
    ) -> Result<(), Refusal> {
        let preprocessed = preprocess(&self.tokens, None, cx, received, flow.listener, names_us)?;
        let breadth = check(&preprocessed.request)?;
        proxy_require(&preprocessed.request)?;
        // In a CANCEL a Max-Breadth has no meaning, and an ACK is not refused (RFC 5393 §5.4.1).
        let share = match received.method() {
            Method::Cancel => None,
            Method::Ack => Some(breadth.max(1)),
            _ if breadth == 0 => return Err(Refusal::Status(StatusCode::MAX_BREADTH_EXCEEDED)),
            _ => Some(breadth),
        };
        let target = choose(&preprocessed)?;
        let Preprocessed { request, listener: outbound, .. } = preprocessed;
        let target = sips::allowed(cx, &request, &target)?;
        let (inbound, source) = (flow.listener, flow.remote.ip());
        let maker = Maker { settings: &self.settings, inbound, source, peers: None, outbound, share };
        // Whatever the choice may be, it is the owner's, who vouches for it.
        let tokens = || Tokens { parameters: self.tokens.parameters(received, None), dialog: None };
        let Copy { edit, here, next_hop, .. } = maker.copy(cx, &request, &target, tokens)?;
        match cx.relay_marked(&edit, &here, received, next_hop) {
            Ok(()) => Ok(()),
            Err(CommandError::Limit(name)) => {
                cx.refused(Limit::named(name));
                Err(Refusal::Later(RETRY_AFTER))
            }
            Err(_) => Err(Refusal::Unable(Phrase::TOO_LONG_TO_FORWARD)),
        }
    }
}

/// Answers a request the same way each time it comes (§8.2.7).
fn answer<E>(cx: &mut Context<'_, E>, arrival: &Arrival, refusal: &Refusal) {
    let tag = cx.stateless_tag(&arrival.request);
    let response = refusal.response(&arrival.request).to_tag(&tag).finish();
    // Nothing was kept, and where not even this can be written nothing can be said.
    let Ok(response) = response else { return };
    cx.reply(arrival, response);
}

/// Forwards a response without its topmost Via, if we have written that; any other is dropped and counted.
fn pass_back<E>(cx: &mut Context<'_, E>, response: &Response, flow: Flow) {
    if !cx.has_marked(response) || cx.forward_response(response).is_err() {
        cx.discard_stray(flow, response);
    }
}
