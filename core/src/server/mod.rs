//! A domain's server: proxy and registrar over one endpoint.
//!
//! The proxy core asks where a request goes; the answer comes at once from the route table and the location service.
//! What is addressed to the server itself is answered here.

mod local;
mod policy;
mod settings;
#[cfg(test)]
mod tests;

pub use settings::{Route, RouteKey, Settings};

use crate::config::{Config, Limit};
use crate::endpoint::{Arrival, Indication};
use crate::flow::ListenerId;
use crate::message::{HeaderId, Method, Request, StatusCode};
use crate::proxy::{self, Preprocessed, Refusal};
use crate::registrar::{self, Binding};
use crate::stack::{Context, Stack, TransactionUser};
use crate::tag::Tag;
use policy::Decision;

/// A domain's proxy and registrar as one node.
pub type Server = Stack<Core>;

/// What a server tells its application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A binding was made or is gone.
    Binding(registrar::Change),
    /// A limit was met, and something that peers want was refused. Of many refusals one is told, and the next after 64·T1.
    Overload {
        /// The limit.
        limit: Limit,
        /// How often it has refused something since it was told last, this time included.
        refused: u64,
    },
}

/// Which of the server's parts a mark belongs to ([`Tag::role`]); what the server answers itself has [`Tag::NONE`].
mod role {
    pub(super) const PROXY: u8 = 1;
    pub(super) const REGISTRAR: u8 = 2;
}

/// The transaction user of a [`Server`].
#[derive(Clone, Debug)]
pub struct Core {
    settings: Settings,
    proxy: proxy::Core,
    registrar: registrar::Core,
}

impl Stack<Core> {
    /// A server with no listener yet.
    pub fn server(config: Config, settings: Settings) -> Self {
        let config = Config { strays: true, ..config };
        let proxy = proxy::Core::new(role::PROXY, settings.record_route);
        let registrar = registrar::Core::new(role::REGISTRAR, settings.registrar, &config.limits);
        Self::new(config, Core { settings, proxy, registrar })
    }

    /// The bindings of `user@host` in the order of registration; none if there is no such user.
    pub fn bindings(&self, address_of_record: &str) -> &[Binding] {
        self.user().registrar.location().bindings(address_of_record).unwrap_or_default()
    }
}

/// How many there are: of what is alive, or of what there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// The proxy's response contexts.
    pub response_contexts: usize,
    /// Addresses-of-record that the registrar knows: holdings, with one timer for all.
    pub addresses_of_record: usize,
}

impl Core {
    /// What is alive.
    pub fn census(&self) -> Census {
        Census {
            response_contexts: self.proxy.response_contexts(),
            addresses_of_record: self.registrar.location().len(),
        }
    }

    /// How many there is room for without another allocation; of what is kept in order, there is never more than is alive.
    pub fn capacity(&self) -> Census {
        Census { response_contexts: self.proxy.capacity(), ..self.census() }
    }
}

impl TransactionUser for Core {
    type Event = Event;

    fn indicate(&mut self, cx: &mut Context<'_, Event>, indication: Indication) {
        match indication {
            Indication::Request(arrival) => self.request(cx, arrival),
            Indication::Overload { limit, refused } => cx.emit(Event::Overload { limit, refused }),
            Indication::Ack { request, flow, .. } => self.ack(cx, &request, flow.listener),
            Indication::Stray { response } => self.proxy.stray(cx.now, cx.endpoint, &response),
            Indication::Response { tag, .. }
            | Indication::Failed { tag, .. }
            | Indication::Finished { tag, .. }
            | Indication::Unsent { tag, .. }
            | Indication::Completed { tag, .. }
            | Indication::Timer { tag, .. } => match (tag.role, indication) {
                (role::PROXY, indication) => self.proxy.indicate(cx.now, cx.endpoint, indication),
                (role::REGISTRAR, Indication::Timer { .. }) => {
                    let changes = self.registrar.timer(cx.now, cx.endpoint);
                    changes.into_iter().for_each(|change| cx.emit(Event::Binding(change)));
                }
                _ => {}
            },
            Indication::FlowFailed { .. } => {}
        }
    }

    fn is_idle(&self) -> bool {
        self.proxy.is_idle()
    }
}

impl Core {
    fn request(&mut self, cx: &mut Context<'_, Event>, arrival: Arrival) {
        let preprocessed = match self.preprocess(cx, &arrival.request, arrival.flow.listener) {
            Ok(preprocessed) => preprocessed,
            Err(refusal) => return self.proxy.answer(cx.now, cx.endpoint, arrival, refusal),
        };
        if arrival.request.method() == Method::Cancel {
            return self.cancel(cx, arrival, &preprocessed);
        }
        let Some(arrival) = self.serve(cx, arrival, &preprocessed.request) else { return };
        let Some(question) = self.proxy.request(cx.now, cx.endpoint, arrival, preprocessed) else { return };
        // The question was opened in this very call: its answer cannot come too late.
        let _ = match self.decide(cx.endpoint, &question.request, question.own_route) {
            Decision::Forward(targets) => self.proxy.forward(cx.now, cx.endpoint, question.id, &targets),
            Decision::Refuse(status) => self.proxy.refuse(cx.now, cx.endpoint, question.id, status),
        };
    }

    /// An ACK for a 2xx goes on like any request, but nothing is ever said about it.
    fn ack(&mut self, cx: &mut Context<'_, Event>, ack: &Request, listener: ListenerId) {
        let Ok(Preprocessed { request, own_route }) = self.preprocess(cx, ack, listener) else { return };
        if let Decision::Forward(targets) = self.decide(cx.endpoint, &request, own_route)
            && let Some(target) = targets.first()
        {
            let _ = self.proxy.relay(cx.now, cx.endpoint, &request, target);
        }
    }

    /// A CANCEL for something of ours is answered there; any other is forwarded statelessly, or there is nothing to cancel
    /// (481).
    fn cancel(&mut self, cx: &mut Context<'_, Event>, arrival: Arrival, preprocessed: &Preprocessed) {
        match arrival.cancels {
            Some((_, tag)) if tag.role == role::PROXY => self.proxy.cancel(cx.now, cx.endpoint, arrival, tag.id()),
            Some(_) => self.answer(cx, arrival, StatusCode::OK),
            None => {
                let Preprocessed { request, own_route } = preprocessed;
                let refusal = match self.decide(cx.endpoint, request, *own_route) {
                    Decision::Forward(targets) => {
                        let Some(target) = targets.first() else { return };
                        self.proxy.relay(cx.now, cx.endpoint, request, target).err()
                    }
                    Decision::Refuse(_) => Some(Refusal::Status(StatusCode::CALL_DOES_NOT_EXIST)),
                };
                if let Some(refusal) = refusal {
                    self.proxy.answer(cx.now, cx.endpoint, arrival, refusal);
                }
            }
        }
    }

    fn preprocess(
        &self,
        cx: &Context<'_, Event>,
        request: &Request,
        listener: ListenerId,
    ) -> Result<Preprocessed, Refusal> {
        proxy::preprocess(request, cx.endpoint.listener(listener), |uri| self.names_us(cx.endpoint, uri))
    }
}

/// Whether a Route is left, so that the request is not for us to settle.
fn has_route(request: &Request) -> bool {
    request.headers().contains(HeaderId::Route)
}

/// The mark of what the server answers itself.
const ANSWERED: Tag = Tag::NONE;
