//! The stateful proxy core (RFC 3261 §16, with RFC 5393, 6026 and 4320), a file per step.
//!
//! The core knows how to forward, not where to: [`Core::request`] returns a [`Question`], and its owner answers with
//! [`Core::forward`] or [`Core::refuse`], at once or later.
//!
//! Reading order: `validate`, `loop_check` and `options` (§16.3), `preprocess` and `token` (§16.4), `fork`, `disposition`, `breadth` and `cost` (§16.5,
//! §16.6), `forward`, `copy`, `record_route` and `sips` (§16.6), `response_context`, `response`, `redirection` and `best`
//! (§16.7 to §16.9), `cancel` and `relay` (§16.10). The stateless proxy (§16.11) is a core of its own: [`stateless`].

mod best;
mod breadth;
mod cancel;
mod copy;
mod cost;
mod disposition;
mod fork;
mod forward;
mod limits;
mod loop_check;
mod news;
mod options;
mod preprocess;
mod record_route;
mod redirection;
mod refusal;
mod relay;
mod response;
mod response_context;
mod settings;
mod sips;
pub mod stateless;
#[cfg(test)]
mod tests;
mod token;
mod validate;

pub use crate::targets::{Target, Voucher};
pub use disposition::Disposition;
pub use limits::Limits;
pub use news::{LostWay, News};
pub use options::capabilities;
pub use preprocess::Preprocessed;
pub use redirection::Redirection;
pub use refusal::Refusal;
pub use settings::{Forking, Settings};

use alloc::boxed::Box;
use alloc::vec::Vec;
use cost::Costs;
use fork::Fork;
use response_context::{ResponseContext, Stage};
use smallvec::SmallVec;
use token::TokenKey;
use validate::Valid;

use crate::endpoint::{Arrival, Config, Indication, KeyPurpose};
use crate::error::CommandError;
use crate::error::Limit;
use crate::id::{Arena, handles};
use crate::message::{HeaderId, Lines, Method, Request, Response, ResponseParts, StatusCode};
use crate::stack::Context;
use crate::tag::{Tag, work};
use crate::time::Instant;

handles! {
    /// A response context of a proxy (RFC 3261 §16.7).
    ResponseContextId = Id<ResponseContextKind>, "context";
}

/// How long a question may stay unanswered, in units of T1: well within the 64·T1 that the asker waits.
const ANSWER_WITHIN: u32 = 20;

/// How long a request other than INVITE may be on its way, in units of T1: then its sender gives up (RFC 3261 §17.1.2.2), and no response is sent
/// (RFC 4320 §4.2).
const FORWARD_WITHIN: u32 = 64;

/// Seconds after which a refused sender may try again.
const RETRY_AFTER: &str = "10";

work! {
    /// The purpose of a transaction, delivery or timer of a response context. A server transaction that is answered at once and
    /// has no context carries [`Tag::NONE`](crate::Tag::NONE).
    enum Work {
        /// The server transaction of a response context.
        Context(ResponseContextId) = 1,
        /// A client transaction of a response context.
        Branch(ResponseContextId) = 2,
        /// The deadline of a question.
        Question(ResponseContextId) = 3,
        /// Timer C of a branch.
        TimerC(ResponseContextId) = 4,
        /// The deadline of a redirection.
        Redirection(ResponseContextId) = 5,
        /// The end of the time for which branches may hold back final responses.
        BranchLimit(ResponseContextId) = 6,
    }
}

/// "Where does this request go?" To be answered with [`Core::forward`] or [`Core::refuse`].
#[derive(Clone, Debug)]
pub struct Question {
    /// The context that the answer is for.
    pub id: ResponseContextId,
    /// The request after preprocessing (§16.4).
    pub request: Request,
    /// Whether it came along a route that names us: see [`Preprocessed::own_route`].
    pub own_route: bool,
    /// Whether it is a request of a dialog whose route we have recorded: see [`Preprocessed::recorded`].
    pub recorded: bool,
}

/// The proxy core.
///
/// ```
/// use sansip::message::{Method, StatusCode};
/// use sansip::proxy::{Core, Refusal, Settings, Target};
/// use sansip::{Config, Context, Indication, Input, Instant, Listener, Node, Output, Seed, Stack, TransactionUser};
///
/// /// A proxy that sends all there is to one element, whose URI this is.
/// #[derive(Clone, Debug)]
/// struct Proxy { core: Core, target: Target }
///
/// impl TransactionUser for Proxy {
///     type Event = ();
///
///     fn indicate(&mut self, cx: &mut Context<'_, ()>, indication: Indication) {
///         let Self { core, target } = self;
///         match indication {
///             Indication::Request(arrival) => match core.preprocess(cx, &arrival.request, arrival.flow.listener, |_| false) {
///                 Err(refusal) => core.answer(cx, arrival, refusal),
///                 Ok(_) if arrival.request.method() == Method::Cancel => match arrival.cancels {
///                     Some((_, cancelled)) => core.cancel(cx, arrival, cancelled),
///                     None => core.answer(cx, arrival, Refusal::Status(StatusCode::CALL_DOES_NOT_EXIST)),
///                 },
///                 Ok(preprocessed) => {
///                     if let Some(question) = core.request(cx, arrival, preprocessed) {
///                         let _ = core.forward(cx, question.id, std::slice::from_ref(target));
///                     }
///                 }
///             },
///             Indication::Ack { request, flow, .. } => {
///                 if let Ok(preprocessed) = core.preprocess(cx, &request, flow.listener, |_| false) {
///                     let _ = core.relay(cx, &preprocessed, target, flow);
///                 }
///             }
///             // Responses, timers and ends of its transactions.
///             other => drop(core.indicate(cx, other)),
///         }
///     }
///
///     fn is_idle(&self) -> bool {
///         self.core.is_idle()
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new(Seed::from_u64(1));
/// let (core, target) = (Core::new(&config, Settings::default()), Target::new("sip:192.0.2.4".parse()?));
/// let mut proxy = Stack::new(config, Proxy { core, target });
/// let listener = proxy.listen(Listener::udp("192.0.2.3:5060".parse()?));
/// let invite = b"INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
///     To: <sip:bob@biloxi.com>\r\nFrom: <sip:alice@atlanta.com>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
///     Contact: <sip:alice@192.0.2.1>\r\nContent-Length: 0\r\n\r\n";
/// proxy.handle(Instant::ZERO, Input::Datagram { listener, remote: "192.0.2.1:5060".parse()?, bytes: invite });
/// let sent: Vec<_> = std::iter::from_fn(|| proxy.poll()).collect();
/// let [Output::Send(trying), Output::Send(forwarded)] = sent.as_slice() else { panic!("{sent:?}") };
/// assert!(trying.bytes.starts_with(b"SIP/2.0 100 "));
/// assert_eq!(forwarded.flow.remote, "192.0.2.4:5060".parse()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Core {
    settings: Settings,
    contexts: Arena<ResponseContextKind, ResponseContext>,
    costs: Costs,
    tokens: TokenKey,
    /// The key of the loop check; drawn with the first request, if the servers of a farm do not share one.
    loop_key: Option<[u8; 16]>,
    shared_loop_key: Option<[u8; 16]>,
}

impl Core {
    /// A core for a node of this configuration, from which its keys come.
    pub fn new(config: &Config, settings: Settings) -> Self {
        Self {
            settings,
            contexts: Arena::new(),
            costs: Costs::default(),
            tokens: TokenKey::new(config.hash_key(KeyPurpose::RouteTokens), config.owner),
            loop_key: None,
            shared_loop_key: config.shared_hash_key(KeyPurpose::LoopCheck),
        }
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the settings. What is on its way stays as it is.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Response contexts alive.
    pub fn response_contexts(&self) -> usize {
        self.contexts.len()
    }

    /// The request of a context, after preprocessing.
    pub fn request_of(&self, id: ResponseContextId) -> Option<&Request> {
        self.contexts.get(id).map(|context| &context.request)
    }

    /// The parameters of our Record-Route for a request: of a value that stands alone, of the upper and of the lower one.
    #[cfg(test)]
    pub(crate) fn route_parameters(&self, request: &Request, now: crate::Instant) -> [alloc::string::String; 3] {
        self.tokens.parameters(request, Some(now))
    }

    /// The context that an indication with this mark is about.
    pub fn context_of(&self, tag: Tag) -> Option<ResponseContextId> {
        match tag.try_into().ok()? {
            Work::Context(id)
            | Work::Branch(id)
            | Work::Question(id)
            | Work::TimerC(id)
            | Work::Redirection(id)
            | Work::BranchLimit(id) => Some(id),
        }
    }

    /// The final status that the sender of a request was told: the last one, if these were several 2xx. `None` if the request waits for it,
    /// or its context is gone.
    pub fn final_status(&self, id: ResponseContextId) -> Option<StatusCode> {
        self.contexts.get(id)?.told
    }

    /// Whether the question about a request waits for its answer.
    pub fn is_asking(&self, id: ResponseContextId) -> bool {
        self.contexts.get(id).is_some_and(|context| matches!(context.stage, Stage::Asking(_)))
    }

    /// A name for the timer that has this mark: `TimerC` of a branch (RFC 3261 §16.6 step 11), and those of our own.
    pub fn timer_name(tag: Tag) -> &'static str {
        Work::try_from(tag).map_or("Timer", Work::name)
    }

    /// Whether no response context is left.
    pub fn is_idle(&self) -> bool {
        self.contexts.is_empty()
    }

    /// Response contexts that there is room for without another allocation.
    pub fn capacity(&self) -> usize {
        self.contexts.capacity()
    }

    /// Takes a request (anything but ACK and CANCEL) that `preprocess` has been applied to: validates it (§16.3), opens its
    /// response context, tells the sender of an INVITE that it is being tried, and asks where it goes. `None` if it has been
    /// answered.
    pub fn request<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        arrival: Arrival,
        preprocessed: Preprocessed,
    ) -> Option<Question> {
        let Valid { loop_part, breadth, is_spiral } = match self.validate(cx, &arrival.request, &preprocessed.request) {
            Ok(valid) => valid,
            Err(refusal) => {
                self.answer(cx, arrival, refusal);
                return None;
            }
        };
        if self.contexts.len() >= self.settings.limits.response_contexts {
            cx.refused(Limit::RESPONSE_CONTEXTS);
            reply_unavailable(cx, &arrival);
            return None;
        }
        let Preprocessed { request, own_route, recorded, responsible, listener: outbound, peers } = preprocessed;
        let invite = request.method() == Method::Invite;
        let t1 = cx.config().timers.t1;
        let deadline = cx.now() + t1.saturating_mul(ANSWER_WITHIN);
        // The time that the owner has taken over it counts for its sender.
        let came = arrival.came(cx.now());
        let until = if invite { Instant::NEVER } else { came + t1.saturating_mul(FORWARD_WITHIN) };
        let lines = Lines::new();
        let trying = match ResponseParts::new(&arrival.request, StatusCode::TRYING, &lines).octets() {
            Ok(trying) => invite.then_some(trying),
            // A sender to whom not even this can be said is not served: nothing of the request stays.
            Err(_) => return None,
        };
        // Another domain's directives are for that domain (RFC 3841 §7.1).
        let asked = if responsible { Disposition::of(&request) } else { Disposition::default() };
        let fork = Box::new(Fork::new(&self.settings, asked, (breadth, is_spiral)));
        let id = self.contexts.insert_with(|id| ResponseContext {
            request: request.clone(),
            listener: arrival.flow.listener,
            source: arrival.flow.remote.ip(),
            peers: peers.map(Box::new),
            outbound,
            server: cx.accept(arrival, Work::Context(id)),
            serving: true,
            invite,
            until,
            responsible,
            loop_part,
            stage: Stage::Asking(cx.arm(deadline, Work::Question(id))),
            fork,
            branches: SmallVec::new(),
            candidates: Vec::new(),
            told: None,
            hold: None,
        });
        if let Some(trying) = trying
            && let Some(context) = self.contexts.get(id)
        {
            let _ = cx.respond_octets(context.server, StatusCode::TRYING, trying);
        }
        Some(Question { id, request, own_route, recorded })
    }

    /// The answer to a question: this request is to be refused, with a status alone or as [`Refusal`] has it.
    ///
    /// # Errors
    /// `Gone` if the question is: it was answered, cancelled or given up.
    pub fn refuse<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        id: ResponseContextId,
        refusal: impl Into<Refusal>,
    ) -> Result<(), CommandError> {
        let context = self.contexts.get_mut(id).ok_or(CommandError::Gone)?;
        context.take_question(cx).ok_or(CommandError::Gone)?;
        context.answer(cx, &refusal.into());
        Ok(())
    }

    /// Lets the branches of a request whose sender is nobody we know use no more than [`Limits::stranger_breadth`] at once.
    pub(crate) fn narrow(&mut self, id: ResponseContextId) {
        let most = self.settings.limits.stranger_breadth;
        if let Some(context) = self.contexts.get_mut(id) {
            context.fork.limit_breadth(most);
        }
    }

    /// Takes what the endpoint says about this core's transactions and timers; the news for the owner.
    pub fn indicate<E>(&mut self, cx: &mut Context<'_, E>, indication: Indication) -> Option<News> {
        match indication {
            Indication::Response { delivery, tag, response, .. } => {
                if let Ok(Work::Branch(id)) = tag.try_into() {
                    return self.response(cx, id, delivery, response);
                }
            }
            Indication::Failed { delivery, tag, failure } => {
                if let Ok(Work::Branch(id)) = tag.try_into() {
                    return self.failed(cx, id, delivery, failure);
                }
            }
            Indication::Finished { delivery, tag } => {
                if let Ok(Work::Branch(id)) = tag.try_into() {
                    self.finished(id, delivery);
                }
            }
            Indication::Completed { tag, .. } => {
                if let Ok(Work::Context(id)) = tag.try_into() {
                    self.completed(id);
                }
            }
            Indication::Timer { timer, tag } => match tag.try_into() {
                Ok(Work::Question(id)) => {
                    // A question whose timer fires is open.
                    let _ = self.refuse(cx, id, StatusCode::SERVER_INTERNAL_ERROR);
                }
                Ok(Work::TimerC(id)) => self.timer_c(cx, id, timer),
                Ok(Work::Redirection(id)) => self.unfollowed(cx, id, timer),
                Ok(Work::BranchLimit(id)) => self.branch_limit(cx, id),
                _ => {}
            },
            // A response that could not be delivered is dropped, and nothing is cancelled for it (§16.9).
            _ => {}
        }
        None
    }

    /// The server transaction of a context is over.
    fn completed(&mut self, id: ResponseContextId) {
        if let Some(context) = self.contexts.get_mut(id) {
            context.serving = false;
        }
        self.close(id);
    }

    /// Forgets a context whose transactions are all over (§16.7 step 9).
    fn close(&mut self, id: ResponseContextId) {
        if self.contexts.get(id).is_some_and(ResponseContext::is_over)
            && let Some(context) = self.contexts.remove(id)
            && context.fork.is_counted
        {
            self.costs.end(cost::name_of(&self.tokens, &context.request));
        }
    }

    /// Answers a request that gets no context, as a UAS (§16.3).
    pub fn answer<E>(&self, cx: &mut Context<'_, E>, arrival: Arrival, refusal: Refusal) {
        let response = refusal.response(&arrival.request);
        cx.answer(arrival, response);
    }
}

/// 503 without keeping anything.
pub(crate) fn reply_unavailable<E>(cx: &mut Context<'_, E>, arrival: &Arrival) {
    let response = Response::to(&arrival.request, StatusCode::SERVICE_UNAVAILABLE);
    cx.answer_once(arrival, response.header(HeaderId::RetryAfter, RETRY_AFTER));
}
