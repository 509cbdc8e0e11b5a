//! Bindings that the owner of a registrar keeps in a store of its own: each REGISTER fetches those of its address-of-record, and stores what
//! becomes of them if nobody else has changed them meanwhile.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::refusal::Refusal;
use super::register::Judged;
use super::{ANSWER_WITHIN, Binding, Change, Core, RegisterId, Registered, Work};
use crate::auth::Fields;
use crate::endpoint::Arrival;
use crate::error::{CommandError, Limit};
use crate::flow::Flow;
use crate::message::Request;
use crate::stack::Context;
use crate::time::Instant;
use crate::timer::TimerId;
use crate::transaction::ServerTransactionId;

/// Where bindings are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Store {
    /// In the registrar's own memory.
    #[default]
    Memory,
    /// By the registrar's owner, who is asked for them.
    Owner,
}

/// The bindings of one address-of-record as a store has them.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The version of the record: another one after each change, and 0 where the store has none.
    pub version: u64,
    /// The bindings in the order of registration. Those whose time is over are passed over.
    pub bindings: Vec<Binding>,
}

/// The work that a store is asked to do.
#[derive(Clone, Debug)]
pub enum Step {
    /// To find the record: [`Answer::Found`] or [`Answer::Unknown`].
    Fetch,
    /// To put these bindings into the place of those of the same version: [`Answer::Stored`]. If the record has another version by now nothing may
    /// be changed, as another REGISTER was faster: [`Answer::Changed`].
    Store(Record),
}

/// A question to the owner's store about an address-of-record, to be answered with [`Core::answer`].
#[derive(Clone, Debug)]
pub struct Question {
    /// The REGISTER that the answer is for.
    pub id: RegisterId,
    /// `user@host`.
    pub address_of_record: Box<str>,
    /// The work.
    pub step: Step,
}

/// The answer of a store.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Step::Fetch`]: the record.
    Found(Record),
    /// To [`Step::Fetch`]: there was never such a record.
    Unknown,
    /// To [`Step::Store`]: it is done.
    Stored,
    /// To [`Step::Store`]: nothing was done, because the version is another. The record is then fetched anew.
    Changed,
    /// The store does not work: the request gets a 500.
    Failed,
}

impl Answer {
    /// Whether this can be the answer to a step.
    pub(crate) const fn fits(&self, step: &Step) -> bool {
        match self {
            Self::Found(_) | Self::Unknown => matches!(step, Step::Fetch),
            Self::Stored | Self::Changed => matches!(step, Step::Store(_)),
            Self::Failed => true,
        }
    }
}

/// The progress of a REGISTER.
#[derive(Clone, Debug)]
pub enum Progress {
    /// It is answered.
    Over(Registered),
    /// It waits for the owner's store.
    Asks(Question),
}

/// A REGISTER that waits for the owner's store.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    server: ServerTransactionId,
    request: Request,
    flow: Flow,
    /// How many octets of Contact its 2xx may have.
    room: Option<usize>,
    name: String,
    /// The fields of its 2xx.
    fields: Fields,
    deadline: TimerId,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    Fetching,
    /// The record that will be there, and the changes that it makes.
    Storing(Record, Vec<Change>),
}

impl Core {
    /// Asks the owner's store for the bindings of a REGISTER.
    pub(super) fn ask<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        arrival: Arrival,
        name: String,
        fields: &Fields,
    ) -> Progress {
        if self.waiting.len() >= self.settings.limits.waiting_registers {
            cx.refused(Limit::WAITING_REGISTERS);
            let flow = arrival.flow;
            let response = Refusal::Full.response(&arrival.request);
            cx.answer(arrival, response);
            return Progress::Over(Registered::refused(flow));
        }
        let at = cx.now() + cx.config().timers.t1.saturating_mul(ANSWER_WITHIN);
        let address_of_record = name.as_str().into();
        let id = self.waiting.insert_with(|id| {
            let (request, flow, room) = (arrival.request.clone(), arrival.flow, arrival.room_for_contacts());
            let server = cx.accept(arrival, Work::Register(id));
            let deadline = cx.arm(at, Work::Deadline(id));
            Waiting { server, request, flow, room, name, fields: fields.clone(), deadline, stage: Stage::Fetching }
        });
        Progress::Asks(Question { id, address_of_record, step: Step::Fetch })
    }

    /// The answer to a [`Question`]: the REGISTER goes on.
    ///
    /// # Errors
    /// `Gone` if the REGISTER is: nobody has answered in time. `WrongState` if something else was asked.
    pub fn answer<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        id: RegisterId,
        answer: Answer,
    ) -> Result<Progress, CommandError> {
        let waiting = self.waiting.get_mut(id).ok_or(CommandError::Gone)?;
        let outcome = match (&mut waiting.stage, answer) {
            (_, Answer::Failed) => Err(Refusal::Store),
            (Stage::Fetching, Answer::Found(record)) => return Ok(self.fetched(cx, id, record)),
            (Stage::Fetching, Answer::Unknown) => return Ok(self.fetched(cx, id, Record::default())),
            (Stage::Storing(record, changes), Answer::Stored) => {
                Ok((core::mem::take(&mut record.bindings), core::mem::take(changes)))
            }
            (stage @ Stage::Storing(..), Answer::Changed) => {
                *stage = Stage::Fetching;
                let address_of_record = waiting.name.as_str().into();
                return Ok(Progress::Asks(Question { id, address_of_record, step: Step::Fetch }));
            }
            _ => return Err(CommandError::WrongState),
        };
        Ok(self.conclude(cx, id, outcome))
    }

    /// Steps 6 and 7 with the bindings that there are.
    fn fetched<E>(&mut self, cx: &mut Context<'_, E>, id: RegisterId, record: Record) -> Progress {
        let Some(waiting) = self.waiting.get(id) else { return self.conclude(cx, id, Err(Refusal::Store)) };
        let Record { version, mut bindings } = record;
        self.revive(cx.now(), &mut bindings);
        let section = cx.config().limits.message.header_section;
        let judged = Judged::again(&self.settings, (&waiting.request, waiting.flow), &waiting.name);
        let plan = judged.and_then(|judged| self.plan(cx.now(), section, &judged, &bindings));
        let plan = match plan {
            Ok(Some(plan)) => plan,
            Ok(None) => return self.conclude(cx, id, Ok((bindings, Vec::new()))),
            Err(refusal) => return self.conclude(cx, id, Err(refusal)),
        };
        if plan.is_empty() {
            return self.conclude(cx, id, Ok((bindings, Vec::new())));
        }
        let changes = plan.make(&waiting.name, &mut bindings);
        let address_of_record = waiting.name.as_str().into();
        let record = Record { version, bindings };
        if let Some(waiting) = self.waiting.get_mut(id) {
            waiting.stage = Stage::Storing(record.clone(), changes);
        }
        Progress::Asks(Question { id, address_of_record, step: Step::Store(record) })
    }

    /// Bindings from the owner's store, without those whose time is over.
    pub fn revive(&self, now: Instant, bindings: &mut Vec<Binding>) {
        bindings.retain(|binding| binding.expires_at > now);
        bindings.iter_mut().for_each(|binding| self.location.identify(binding));
    }

    /// Answers a REGISTER that has waited.
    fn conclude<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        id: RegisterId,
        outcome: Result<(Vec<Binding>, Vec<Change>), Refusal>,
    ) -> Progress {
        let Some(waiting) = self.waiting.remove(id) else { return Progress::Over(Registered::default()) };
        let Waiting { server, request, flow, room, name, fields, deadline, .. } = waiting;
        cx.disarm(deadline);
        let (response, registered) = match outcome {
            Ok((bindings, changes)) => {
                let response = self.response(cx, (&request, flow, room), (&name, &bindings), &fields);
                (response, Registered { changes, is_bound: !bindings.is_empty(), flow: Some(flow) })
            }
            Err(refusal) => {
                note(cx, &refusal);
                (refusal.response(&request), Registered::refused(flow))
            }
        };
        cx.answer_in(server, &request, response);
        Progress::Over(registered)
    }

    /// Nobody has answered in time.
    pub(super) fn unanswered<E>(&mut self, cx: &mut Context<'_, E>, id: RegisterId) {
        self.conclude(cx, id, Err(Refusal::Store));
    }
}

/// Tells of a limit that a REGISTER has met.
pub(super) fn note<E>(cx: &mut Context<'_, E>, refusal: &Refusal) {
    match refusal {
        Refusal::Full => cx.refused(Limit::ADDRESSES_OF_RECORD),
        Refusal::TooMany => cx.refused(Limit::BINDINGS),
        _ => {}
    }
}
