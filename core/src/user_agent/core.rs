//! The core.

use super::event::{CallInfo, Event};
use super::profile::{Body, Profile};
use crate::endpoint::Indication;
use crate::error::CommandError;
use crate::id::{CallId, RegistrationId};
use crate::message::header::NameAddrBuf;
use crate::message::{StatusCode, UriBuf};
use crate::stack::{Context, TransactionUser};

/// What a user agent knows: its calls, dialogs and registrations.
#[derive(Clone, Debug)]
pub struct Core {}

pub(super) type Cx<'a> = Context<'a, Event>;

impl Core {
    pub(super) fn new(_profile: Profile) -> Self {
        todo!()
    }
    pub(super) fn begin(&mut self, _cx: &mut Cx<'_>) {
        todo!()
    }
    pub(super) fn call(
        &mut self,
        _cx: &mut Cx<'_>,
        _to: &NameAddrBuf,
        _body: Option<&Body>,
    ) -> Result<CallId, CommandError> {
        todo!()
    }
    pub(super) fn ring(&mut self, _cx: &mut Cx<'_>, _call: CallId) -> Result<(), CommandError> {
        todo!()
    }
    pub(super) fn answer(&mut self, _cx: &mut Cx<'_>, _call: CallId, _body: Option<&Body>) -> Result<(), CommandError> {
        todo!()
    }
    pub(super) fn reject(&mut self, _cx: &mut Cx<'_>, _call: CallId, _status: StatusCode) -> Result<(), CommandError> {
        todo!()
    }
    pub(super) fn cancel(&mut self, _cx: &mut Cx<'_>, _call: CallId) -> Result<(), CommandError> {
        todo!()
    }
    pub(super) fn hang_up(&mut self, _cx: &mut Cx<'_>, _call: CallId) -> Result<(), CommandError> {
        todo!()
    }
    pub(super) fn register(
        &mut self,
        _cx: &mut Cx<'_>,
        _registrar: &UriBuf,
        _expires: u32,
    ) -> Result<RegistrationId, CommandError> {
        todo!()
    }
    pub(super) fn calls(&self) -> impl Iterator<Item = CallInfo<'_>> {
        core::iter::empty()
    }
}

impl TransactionUser for Core {
    type Event = Event;
    fn indicate(&mut self, _cx: &mut Cx<'_>, _indication: Indication) {
        todo!()
    }
    fn is_idle(&self) -> bool {
        todo!()
    }
}
