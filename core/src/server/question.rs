//! Questions to the application: the steps that it takes over, and what it may answer.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::auth::{Fields, Secret};
use crate::error::CommandError;
use crate::flow::Flow;
use crate::id::handles;
use crate::message::{HostBuf, Request, StatusCode, UriBuf};
use crate::proxy::Target;
use crate::registrar;

handles! {
    /// A question to the application of a server.
    QuestionId = Id<QuestionKind>, "question";
}

/// The steps of a server that its application takes over. Each is off by default, so that the server goes by its settings alone. The bindings
/// are taken over by [`registrar::Store::Owner`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Steps {
    /// Who is let in: [`Step::Admission`].
    pub admission: bool,
    /// The secrets of users who are not in the settings: [`Step::Secret`]. Every domain has users then.
    pub secrets: bool,
    /// Which registrations are followed: [`Step::Registration`].
    pub registration: bool,
    /// Where requests go: [`Step::Routing`].
    pub routing: bool,
}

/// A question to the application, to be answered with [`Server::answer`](crate::Server). An answer that comes too late, a second one, and one to the
/// question of a call that was cancelled are [`CommandError::Gone`].
#[derive(Clone, Debug)]
pub struct Question {
    /// The name of the question.
    pub id: QuestionId,
    /// The step that is the application's.
    pub step: Step,
}

/// A step that the application takes over.
#[derive(Clone, Debug)]
pub enum Step {
    /// Who has sent this, and is it let in? Asked of every request but CANCEL and ACK, before anything else is decided. To be answered
    /// with [`Answer::Proceed`], [`Answer::Known`], [`Answer::Stranger`] or [`Answer::Refuse`].
    Admission {
        /// The request as it came.
        request: Request,
        /// Where it came in, and where from.
        flow: Flow,
    },
    /// The secret of a user who is not in [`Settings::users`](super::Settings::users), and whose credentials wait for it. To be answered with
    /// [`Answer::Secret`] or [`Answer::Refuse`].
    Secret {
        /// The name of the user, as the credentials have it.
        user: Box<str>,
        /// The domain, which is the realm of the credentials.
        domain: HostBuf,
    },
    /// Is this REGISTER followed? Its sender has proved who they are, where that is asked for. To be answered with [`Answer::Proceed`] or
    /// [`Answer::Refuse`].
    Registration {
        /// The request as it came.
        request: Request,
        /// Where it came in, and where from.
        flow: Flow,
    },
    /// Where does a request go? Asked of every request that is not for the server itself, in dialogs and outside, ACKs included, and of each
    /// contact of a 3xx that is followed ([`proxy::Settings::recursion`](crate::proxy::Settings::recursion)). To be answered with
    /// [`Answer::Proceed`], [`Answer::Forward`], [`Answer::Redirect`] or [`Answer::Refuse`].
    Routing {
        /// The request after preprocessing (RFC 3261 §16.4).
        request: Request,
        /// The URI that it is to go to: its Request-URI, or the contact of a 3xx.
        uri: UriBuf,
        /// Where it came in, and where from; `None` for the contact of a 3xx.
        flow: Option<Flow>,
        /// Whether its sender may send anywhere: proved who they are, is trusted, or sends in a dialog whose route we have recorded.
        is_allowed: bool,
    },
    /// Bindings are to be found or stored, if they are in a store of the application's own ([`registrar::Store::Owner`]). To be answered with
    /// [`Answer::Bindings`].
    Bindings {
        /// `user@host`.
        address_of_record: Box<str>,
        /// The work for the store.
        step: registrar::Step,
    },
}

/// The answer to a [`Question`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// The server goes by its settings, as if nobody had been asked.
    Proceed,
    /// To [`Step::Admission`]: the sender is who From says, and needs no credentials. A REGISTER is followed; any other request is relayed
    /// wherever it goes, and later ones in dialogs along its flow too.
    Known,
    /// To [`Step::Admission`]: the sender is nobody of ours, and is not asked for credentials. Requests reach the users of the domains, and
    /// nobody else through this server; a REGISTER gets a 403.
    Stranger,
    /// To [`Step::Secret`]: the secret of the user, `None` if there is no such user.
    Secret(Option<Secret>),
    /// To [`Step::Routing`]: the request goes to these targets; without any it gets a 480.
    Forward(Vec<Target>),
    /// To [`Step::Routing`]: the sender is told to go to these targets (RFC 3261 §8.3), of which URI and preference count; without any it gets a
    /// 480. The contact of a 3xx and an ACK go nowhere then.
    Redirect(Vec<Target>),
    /// The request is refused with a final status of 400 or above, and these header fields besides; [`auth::Gate::refuse`](crate::auth::Gate::refuse)
    /// makes both of a challenge. A sender who has proved nothing, and is challenged or not let in, is told once and statelessly (§26.3.2.4).
    Refuse(StatusCode, Fields),
    /// To [`Step::Bindings`]: what the store says.
    Bindings(registrar::Answer),
}

impl Answer {
    /// Whether this can be the answer to a step.
    ///
    /// # Errors
    /// `WrongState` if this is an answer to another step, `Invalid("status")` if nobody can be refused by that.
    pub(super) const fn fits(&self, step: &Step) -> Result<(), CommandError> {
        let fits = match self {
            Self::Proceed => !matches!(step, Step::Secret { .. } | Step::Bindings { .. }),
            Self::Known | Self::Stranger => matches!(step, Step::Admission { .. }),
            Self::Secret(_) => matches!(step, Step::Secret { .. }),
            Self::Forward(_) | Self::Redirect(_) => matches!(step, Step::Routing { .. }),
            Self::Refuse(status, _) if status.get() < 400 => return Err(CommandError::Invalid("status")),
            Self::Refuse(..) => !matches!(step, Step::Bindings { .. }),
            Self::Bindings(answer) => match step {
                Step::Bindings { step, .. } => answer.fits(step),
                _ => false,
            },
        };
        if fits { Ok(()) } else { Err(CommandError::WrongState) }
    }
}
