//! How a command names a call, or one dialog of a call.

use crate::dialog::DialogId;
use crate::user_agent::CallId;

/// A call, or one of the dialogs that the INVITE of the call has made. An INVITE of ours that a proxy forks makes a dialog for each
/// branch that rings (RFC 3261 §12.1, §13.2.2.1), and each of them may offer, update and refuse for itself.
///
/// A [`CallId`] alone means the dialog that is the call, or before there is an answer the only one that the command can mean; where
/// several can be meant, the command is refused with `WrongState`. Events name the dialog:
///
/// ```
/// # use sansip::{CallId, CommandError, Instant};
/// # use sansip::user_agent::{Event, UserAgent};
/// # fn example(alice: &mut UserAgent, now: Instant, call: CallId, event: Event) -> Result<(), CommandError> {
/// // Refreshes the target of the branch that has just rung.
/// if let Event::Progress { call, dialog: Some(dialog), .. } = event {
///     alice.update(now, (call, dialog), None)?;
/// }
/// // Refreshes the target of the call.
/// alice.update(now, call, None)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallDialog {
    /// The call.
    pub call: CallId,
    /// The dialog; `None`: the one that is the call, or the only one that can be meant.
    pub dialog: Option<DialogId>,
}

impl From<CallId> for CallDialog {
    fn from(call: CallId) -> Self {
        Self { call, dialog: None }
    }
}

impl From<(CallId, DialogId)> for CallDialog {
    fn from((call, dialog): (CallId, DialogId)) -> Self {
        Self { call, dialog: Some(dialog) }
    }
}
