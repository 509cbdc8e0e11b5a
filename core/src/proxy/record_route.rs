//! Record-Route (RFC 3261 §16.6 step 4, RFC 5658 §6.2, RFC 6157 §3.1.1).

use alloc::boxed::Box;
use alloc::string::String;

use crate::flow::ListenerId;
use crate::message::header::Contact;
use crate::message::{Method, Request, Uri};
use crate::stack::Context;
use crate::transport::{Dialog, Here, Listener, NextHop, RecordRoute};

use super::Settings;

/// Whether a request of this method may begin a dialog or refresh one, so that a Record-Route has a meaning; a method that
/// we do not know may.
pub(super) fn has_meaning(method: Method<'_>) -> bool {
    !matches!(
        method,
        Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Options
            | Method::Prack
            | Method::Info
            | Method::Message
            | Method::Publish
    )
}

/// What is to be said of one copy.
pub(super) struct Copied<'a> {
    pub(super) inbound: ListenerId,
    /// The Request-URI or the first Route of the copy is a SIPS URI.
    pub(super) secure: bool,
    /// The URI that the copy goes to: its first Route, else its Request-URI.
    pub(super) towards: Option<Uri<'a>>,
    pub(super) next_hop: &'a NextHop,
    /// The parameters for the hop before and for the next hop, if the owner has any.
    pub(super) recorded: Option<&'a [String; 2]>,
}

/// The proofs in the Record-Route of a copy.
#[derive(Default)]
pub(super) struct Tokens {
    /// The parameters of a value that stands alone, of the upper and of the lower one.
    pub(super) parameters: [String; 3],
    /// The dialog, if its special addresses are to be told.
    pub(super) dialog: Option<Dialog>,
}

/// The Record-Route of a copy of `request`. `tokens` gives the last parameters of a value that stands alone, of the upper and of
/// the lower one.
pub(super) fn of_copy<E>(
    cx: &Context<'_, E>,
    settings: &Settings,
    request: &Request,
    copied: &Copied<'_>,
    tokens: impl FnOnce() -> Tokens,
) -> Here {
    let Copied { inbound, secure, .. } = *copied;
    let between_families = !(settings.record_route || copied.recorded.is_some() || must(cx, copied));
    if !has_meaning(request.method()) || between_families && !has_other_family(cx, inbound) {
        return Here::Unsaid;
    }
    let names_tls = |uri: Option<Uri<'_>>| {
        let transport = uri.and_then(|uri| uri.parameters().value("transport"));
        settings.tls_parameter && transport.is_some_and(|transport| transport.eq_ignore_ascii_case(b"tls"))
    };
    let contact = request.headers().get::<Contact<'_>>();
    let contact = contact.as_ref().and_then(|contact| contact.as_ref().ok()?.address()).map(|address| address.uri);
    let names_tls = [names_tls(contact), names_tls(copied.towards)];
    let Tokens { mut parameters, dialog } = tokens();
    if let ([alone, upper, lower], Some([before, behind])) = (&mut parameters, copied.recorded) {
        alone.push_str(before);
        alone.push_str(behind);
        upper.push_str(behind);
        lower.push_str(before);
    }
    let parameters = parameters.map(Box::from);
    Here::RecordRoute(Box::new(RecordRoute { inbound, secure, names_tls, parameters, between_families, dialog }))
}

/// Whether a request that came in by `inbound` may leave its address family. Then a Record-Route is demanded, if it does: neither end may be able to
/// send to the other (RFC 6157 §3.1.1).
fn has_other_family<E>(cx: &Context<'_, E>, inbound: ListenerId) -> bool {
    let is_ipv4 = |listener: &Listener| listener.local.is_ipv4();
    cx.listener(inbound)
        .map(is_ipv4)
        .is_some_and(|family| cx.listeners().any(|(_, listener)| is_ipv4(listener) != family))
}

/// Whether a Record-Route is demanded, because the request is secure on one side and not on the other: a SIPS request that came
/// without TLS, or one that came over TLS and goes on without a SIPS URI, if that is not over TLS.
fn must<E>(cx: &Context<'_, E>, copied: &Copied<'_>) -> bool {
    let over_tls = cx.listener(copied.inbound).is_some_and(|inbound| inbound.protocol.is_secure());
    if copied.secure { !over_tls } else { over_tls && !copied.next_hop.protocol().is_secure() }
}
