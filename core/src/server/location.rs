//! Bindings that the application keeps in a store of its own: decisions that need some ask for them, and go on with the answer.
//!
//! A decision is made from its beginning as often as an answer has come, with all that is known by then. So a step needs no memory of where
//! it stood.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Core, Cx, Event, Forwarding, role};
use crate::endpoint::Arrival;
use crate::error::{CommandError, Limit};
use crate::flow::Flow;
use crate::id::{Arena, handles};
use crate::message::{Method, Request, Response, StatusCode};
use crate::proxy::{Redirection, Refusal};
use crate::registrar::{Answer, Binding, Progress, RegisterId, Registered, Step, Store};
use crate::stack::Stack;
use crate::tag::{Tag, work};
use crate::time::Instant;
use crate::timer::TimerId;
use crate::transaction::ServerTransactionId;

handles! {
    /// A question to the application's store of bindings.
    LookupId = Id<LookupKind>, "lookup";
}

work! {
    /// The purpose of a transaction or timer.
    enum Work {
        /// The server transaction of a request that is redirected when its bindings are known.
        Redirect(LookupId) = 1,
        /// The end of the time for an answer.
        Deadline(LookupId) = 2,
    }
}

impl Limit {
    /// [`Settings::lookups`](super::Settings::lookups): 503.
    pub const LOOKUPS: Self = Self::named("lookups");
}

/// How long an answer may take, in units of T1.
const ANSWER_WITHIN: u32 = 20;

/// A question to the application's store of bindings ([`Store::Owner`]), to be answered with [`Server::located`](crate::Server). An answer
/// that comes too late, a second one, and one to the question of a call that was cancelled are [`CommandError::Gone`].
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The name of the question.
    pub id: LookupId,
    /// `user@host`.
    pub address_of_record: Box<str>,
    /// The work for the store.
    pub step: Step,
}

/// The bindings that the application has told for one decision, by address-of-record; `None` for one that it does not know.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(Vec<(Box<str>, Option<Vec<Binding>>)>);

/// A decision needs the bindings of this address-of-record.
#[derive(Debug)]
pub(super) struct Ask(pub(super) Box<str>);

/// The purpose of a question.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A REGISTER goes on.
    Register(RegisterId),
    /// A request is forwarded.
    Forward(Box<Forwarding>),
    /// A request, as it came and after preprocessing, is redirected.
    Redirect { server: ServerTransactionId, received: Request, request: Request },
    /// An ACK is relayed.
    Acknowledge { ack: Request, flow: Flow },
    /// The contacts of a 3xx are tried.
    Follow(Redirection),
}

/// A question that has no answer yet.
#[derive(Clone, Debug)]
struct Open {
    purpose: Purpose,
    address_of_record: Box<str>,
    step: Step,
    known: Known,
    deadline: TimerId,
}

/// The questions that have no answer yet.
#[derive(Clone, Debug)]
pub(super) struct Lookups(Arena<LookupKind, Open>);

impl Lookups {
    pub(super) const fn new() -> Self {
        Self(Arena::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl Stack<Core> {
    /// The answer to a [`Lookup`].
    ///
    /// ```
    /// use sansip::registrar::{self, Answer, Step, Store};
    /// use sansip::server::{Event, Settings};
    /// use sansip::{Config, Input, Instant, Listener, Node, Output, Seed, Server};
    ///
    /// let registrar = registrar::Settings { store: Store::Owner, ..registrar::Settings::default() };
    /// let settings = Settings { domains: vec!["biloxi.com".parse()?], registrar, ..Settings::default() };
    /// let mut server = Server::server(Config::new(Seed::from_u64(1)), settings);
    /// let listener = server.listen(Listener::udp("192.0.2.3:5060".parse()?));
    /// let bytes = b"REGISTER sip:biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1\r\n\
    ///     Max-Forwards: 70\r\nTo: <sip:bob@biloxi.com>\r\nFrom: <sip:bob@biloxi.com>;tag=1\r\nCall-ID: 1\r\n\
    ///     CSeq: 1 REGISTER\r\nContact: <sip:bob@192.0.2.4>\r\nContent-Length: 0\r\n\r\n";
    /// let now = Instant::ZERO;
    /// server.handle(now, Input::Datagram { listener, remote: "192.0.2.4:5060".parse()?, bytes });
    /// let Some(Output::Event(Event::Lookup(lookup))) = server.poll() else { panic!("a question") };
    /// assert!(matches!(lookup.step, Step::Fetch) && &*lookup.address_of_record == "bob@biloxi.com");
    /// server.located(now, lookup.id, Answer::Unknown)?;
    /// let Some(Output::Event(Event::Lookup(lookup))) = server.poll() else { panic!("another question") };
    /// assert!(matches!(lookup.step, Step::Store(record) if record.version == 0 && record.bindings.len() == 1));
    /// server.located(now, lookup.id, Answer::Stored)?;
    /// assert!(matches!(server.poll(), Some(Output::Send(ok)) if ok.bytes.starts_with(b"SIP/2.0 200 ")));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Gone` if the question is: it was answered, given up after 20·T1, or its call was cancelled. `WrongState` if this is no answer to it, which then
    /// stays open.
    pub fn located(&mut self, now: Instant, lookup: LookupId, answer: Answer) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.located(cx, lookup, answer))
    }
}

impl Core {
    /// The bindings of an address-of-record, as far as they are known; `None` if it was never registered.
    pub(super) fn bindings_of<'a>(&'a self, name: &str, known: &'a Known) -> Result<Option<&'a [Binding]>, Ask> {
        match self.settings.registrar.store {
            Store::Memory => Ok(self.registrar.location().bindings(name)),
            Store::Owner => match known.0.iter().find(|(known, _)| &**known == name) {
                Some((_, bindings)) => Ok(bindings.as_deref()),
                None => Err(Ask(name.into())),
            },
        }
    }

    /// Asks the application for bindings. If too many questions are open the purpose comes to nothing.
    pub(super) fn ask(&mut self, cx: &mut Cx<'_>, Ask(name): Ask, purpose: Purpose, known: Known) {
        match self.has_room(cx) {
            true => self.open(cx, (name, Step::Fetch), known, |_, _| purpose),
            false => self.ends_without(cx, purpose, StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// As [`ask`](Self::ask), for a request that is redirected then.
    pub(super) fn ask_for_redirect(&mut self, cx: &mut Cx<'_>, Ask(name): Ask, arrival: Arrival, request: &Request) {
        if !self.has_room(cx) {
            return self.answer(cx, arrival, StatusCode::SERVICE_UNAVAILABLE);
        }
        let (received, request) = (arrival.request.clone(), request.clone());
        self.open(cx, (name, Step::Fetch), Known::default(), |cx, id| {
            let server = cx.accept(arrival, Work::Redirect(id));
            Purpose::Redirect { server, received, request }
        });
    }

    fn has_room(&self, cx: &mut Cx<'_>) -> bool {
        let has_room = self.lookups.0.len() < self.settings.lookups;
        if !has_room {
            cx.refused(Limit::LOOKUPS);
        }
        has_room
    }

    fn open(
        &mut self,
        cx: &mut Cx<'_>,
        (address_of_record, step): (Box<str>, Step),
        known: Known,
        purpose: impl FnOnce(&mut Cx<'_>, LookupId) -> Purpose,
    ) {
        let at = cx.now() + cx.config().timers.t1.saturating_mul(ANSWER_WITHIN);
        let (asked, told) = (address_of_record.clone(), step.clone());
        let id = self.lookups.0.insert_with(|id| {
            let mut cx = cx.for_role(role::LOOKUP);
            let purpose = purpose(&mut cx, id);
            let deadline = cx.arm(at, Work::Deadline(id));
            Open { purpose, address_of_record, step, known, deadline }
        });
        cx.emit(Event::Lookup(Lookup { id, address_of_record: asked, step: told }));
    }

    fn located(&mut self, cx: &mut Cx<'_>, id: LookupId, answer: Answer) -> Result<(), CommandError> {
        let open = self.lookups.0.get(id).ok_or(CommandError::Gone)?;
        if !answer.fits(&open.step) {
            return Err(CommandError::WrongState);
        }
        let Open { purpose, address_of_record, mut known, deadline, .. } =
            self.lookups.0.remove(id).ok_or(CommandError::Gone)?;
        cx.disarm(deadline);
        if let Purpose::Register(id) = purpose {
            let progress = self.registrar.answer(&mut cx.for_role(role::REGISTRAR), id, answer)?;
            self.register_goes_on(cx, progress);
            return Ok(());
        }
        if let Purpose::Forward(forwarding) = &purpose
            && !self.proxy.is_asking(forwarding.id)
        {
            return Err(CommandError::Gone);
        }
        let bindings = match answer {
            Answer::Found(mut record) => {
                self.registrar.revive(cx.now(), &mut record.bindings);
                Some(record.bindings)
            }
            Answer::Unknown => None,
            Answer::Stored | Answer::Changed | Answer::Failed => {
                self.ends_without(cx, purpose, StatusCode::SERVER_INTERNAL_ERROR);
                return Ok(());
            }
        };
        known.0.push((address_of_record, bindings));
        match purpose {
            Purpose::Register(_) => {}
            Purpose::Forward(forwarding) => self.go_on(cx, *forwarding, known),
            Purpose::Redirect { server, received, request } => {
                // It needs the bindings of one user alone.
                let response = match request.uri().map(|uri| self.redirection(cx, &received, uri, &known)) {
                    Ok(Ok((response, event))) => {
                        event.into_iter().for_each(|event| cx.emit(event));
                        response
                    }
                    Ok(Err(_)) | Err(_) => Response::to(&received, StatusCode::SERVER_INTERNAL_ERROR),
                };
                cx.answer_in(server, &received, response);
            }
            Purpose::Acknowledge { ack, flow } => self.ack(cx, &ack, flow, known),
            Purpose::Follow(redirection) => self.redirected(cx, redirection, known),
        }
        Ok(())
    }

    /// A REGISTER is answered, or waits for the application's store.
    pub(super) fn register_goes_on(&mut self, cx: &mut Cx<'_>, progress: Progress) {
        match progress {
            Progress::Over(Registered { changes, is_bound, flow }) => {
                if let Some(flow) = flow.filter(|_| is_bound) {
                    self.knows(cx, flow);
                }
                changes.into_iter().for_each(|change| cx.emit(Event::Binding(change)));
            }
            Progress::Asks(question) => {
                let purpose = Purpose::Register(question.id);
                match self.has_room(cx) {
                    true => {
                        self.open(cx, (question.address_of_record, question.step), Known::default(), |_, _| purpose)
                    }
                    false => self.ends_without(cx, purpose, StatusCode::SERVICE_UNAVAILABLE),
                }
            }
        }
    }

    /// The time for an answer is over.
    pub(super) fn lookup_timer(&mut self, cx: &mut Cx<'_>, tag: Tag) {
        let Ok(Work::Deadline(id)) = tag.try_into() else { return };
        if let Some(open) = self.lookups.0.remove(id) {
            self.ends_without(cx, open.purpose, StatusCode::SERVER_INTERNAL_ERROR);
        }
    }

    /// A CANCEL has come for a request that waits for its redirection: it is over (RFC 3261 §8.3).
    pub(super) fn cancel_lookup(&mut self, cx: &mut Cx<'_>, tag: Tag) {
        let Ok(Work::Redirect(id)) = tag.try_into() else { return };
        let is_invite = |open: &Open| match &open.purpose {
            Purpose::Redirect { received, .. } => received.method() == Method::Invite,
            _ => false,
        };
        if self.lookups.0.get(id).is_some_and(is_invite)
            && let Some(open) = self.lookups.0.remove(id)
        {
            cx.disarm(open.deadline);
            self.ends_without(cx, open.purpose, StatusCode::REQUEST_TERMINATED);
        }
    }

    /// A purpose comes to nothing, and a request that waits for it gets this status. Where proxy or registrar have given up already nothing is said.
    fn ends_without(&mut self, cx: &mut Cx<'_>, purpose: Purpose, status: StatusCode) {
        match purpose {
            Purpose::Register(id) => {
                let ended = self.registrar.answer(&mut cx.for_role(role::REGISTRAR), id, Answer::Failed);
                if let Ok(progress) = ended {
                    self.register_goes_on(cx, progress);
                }
            }
            Purpose::Forward(forwarding) => {
                let _ = self.proxy.refuse(&mut cx.for_role(role::PROXY), forwarding.id, status);
                self.call_goes_on(cx, forwarding.id, None);
            }
            Purpose::Redirect { server, received, .. } => {
                let response = Response::to(&received, status);
                cx.answer_in(server, &received, response);
            }
            Purpose::Acknowledge { ack, flow } => {
                let refusal = Refusal::Status(status);
                self.proxy.discard(cx, &ack, flow, &refusal);
            }
            Purpose::Follow(redirection) => {
                let _ = self.proxy.follow(&mut cx.for_role(role::PROXY), &redirection, &[]);
            }
        }
    }
}
