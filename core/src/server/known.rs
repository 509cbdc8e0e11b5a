//! The answers that the application has given for one request.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::question::{Answer, Step};
use super::{Core, Cx};
use crate::auth::{Fields, Secret};
use crate::message::{HostBuf, StatusCode, Uri, UriBuf};
use crate::proxy::Target;
use crate::registrar::{self, Binding, Store};
use crate::time::Instant;

/// A decision needs an answer to this.
#[derive(Debug)]
pub(super) struct Ask(pub(super) Box<Step>);

impl Ask {
    pub(super) fn new(step: Step) -> Self {
        Self(Box::new(step))
    }
}

/// Who the application lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Whoever the server itself lets in.
    Own,
    /// The sender is who From says.
    Known,
    /// The sender is nobody of ours.
    Stranger,
}

/// Where the application sends a request.
#[derive(Clone, Debug)]
pub(super) enum Routing {
    /// Wherever the server itself sends it.
    Own,
    Forward(Vec<Target>),
    Redirect(Vec<Target>),
    Refuse(StatusCode),
}

/// All that is known for the decisions on one request: the application's answers, and what was made of credentials with their help, so that they
/// are judged once.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// When the application's time is over; `None` before the first question.
    pub(super) until: Option<Instant>,
    pub(super) admission: Option<Admission>,
    /// The fields of the 2xx to a REGISTER whose credentials have passed.
    pub(super) proved: Option<Fields>,
    /// Whether the sender may send anywhere.
    pub(super) allowed: Option<bool>,
    /// Whether a REGISTER is followed.
    pub(super) is_accepted: bool,
    secrets: Vec<(Box<str>, HostBuf, Option<Secret>)>,
    routes: Vec<(UriBuf, Routing)>,
    /// By address-of-record; `None` for one that the store does not know.
    bindings: Vec<(Box<str>, Option<Vec<Binding>>)>,
}

impl Known {
    /// The secret of a user, if the application was asked for it: `None` within if there is no such user.
    pub(super) fn secret(&self, user: &str, domain: &HostBuf) -> Option<Option<&Secret>> {
        let mut asked = self.secrets.iter().filter(|(name, of, _)| **name == *user && of == domain);
        asked.next().map(|(_, _, secret)| secret.as_ref())
    }

    /// Where the application sends a request with this Request-URI, if it was asked.
    pub(super) fn routing(&self, uri: Uri<'_>) -> Option<&Routing> {
        self.routes.iter().find(|(asked, _)| asked.as_bytes() == uri.as_bytes()).map(|(_, routing)| routing)
    }
}

impl Core {
    /// The bindings of an address-of-record, as far as they are known; `None` if it was never registered.
    pub(super) fn bindings_of<'a>(&'a self, name: &str, known: &'a Known) -> Result<Option<&'a [Binding]>, Ask> {
        match self.settings.registrar.store {
            Store::Memory => Ok(self.registrar.location().bindings(name)),
            Store::Owner => match known.bindings.iter().find(|(known, _)| &**known == name) {
                Some((_, bindings)) => Ok(bindings.as_deref()),
                None => {
                    let step = registrar::Step::Fetch;
                    Err(Ask::new(Step::Bindings { address_of_record: name.into(), step }))
                }
            },
        }
    }

    /// Takes note of an answer that fits its step.
    ///
    /// # Errors
    /// The application cannot answer.
    pub(super) fn learn(&self, cx: &Cx<'_>, known: &mut Known, step: Step, answer: Answer) -> Result<(), StatusCode> {
        match (step, answer) {
            (Step::Admission { .. }, answer) => {
                known.admission = Some(match answer {
                    Answer::Known => Admission::Known,
                    Answer::Stranger => Admission::Stranger,
                    _ => Admission::Own,
                });
            }
            (Step::Secret { user, domain }, Answer::Secret(secret)) => known.secrets.push((user, domain, secret)),
            (Step::Registration { .. }, _) => known.is_accepted = true,
            (Step::Routing { uri, .. }, answer) => {
                let routing = match answer {
                    Answer::Forward(targets) => Routing::Forward(targets),
                    Answer::Redirect(targets) => Routing::Redirect(targets),
                    Answer::Refuse(status, _) => Routing::Refuse(status),
                    _ => Routing::Own,
                };
                known.routes.push((uri, routing));
            }
            (Step::Bindings { address_of_record, .. }, Answer::Bindings(registrar::Answer::Found(mut record))) => {
                self.registrar.revive(cx.now(), &mut record.bindings);
                known.bindings.push((address_of_record, Some(record.bindings)));
            }
            (Step::Bindings { address_of_record, .. }, Answer::Bindings(registrar::Answer::Unknown)) => {
                known.bindings.push((address_of_record, None));
            }
            (Step::Secret { .. } | Step::Bindings { .. }, _) => return Err(StatusCode::SERVER_INTERNAL_ERROR),
        }
        Ok(())
    }
}
