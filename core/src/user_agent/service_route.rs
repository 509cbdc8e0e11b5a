//! The routes that registrars give to those who have registered (RFC 3608).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::dialog::RouteSet;
use crate::message::header::{NameAddrBuf, ServiceRoute};
use crate::message::{Response, Uri};
use crate::user_agent::RegistrationId;

/// The service route of each address-of-record of an account that has one; no more of them than registrations.
#[derive(Clone, Debug, Default)]
pub(super) struct ServiceRoutes(BTreeMap<Vec<u8>, (RegistrationId, RouteSet)>);

impl ServiceRoutes {
    /// Takes the service route of a 2xx to REGISTER. If there is none, that of before is over (§6.1). An error: the route has more
    /// proxies than the limit, and counts as none, because a part of the route leads nowhere.
    pub(super) fn set(
        &mut self,
        registration: RegistrationId,
        address_of_record: Uri<'_>,
        response: &Response,
        limit: usize,
    ) -> Result<(), ()> {
        let values = response.headers().all::<ServiceRoute<'_>>().flatten();
        let proxies = values.filter(|value| value.uri.is_sip()).map(|value| value.uri.to_buf());
        let routes: RouteSet = proxies.take(limit.saturating_add(1)).collect();
        let is_too_long = routes.len() > limit;
        if routes.is_empty() || is_too_long {
            self.clear(registration, address_of_record);
        } else {
            self.0.insert(address_of_record.as_bytes().into(), (registration, routes));
        }
        if is_too_long { Err(()) } else { Ok(()) }
    }

    /// Forgets the service route that a registration has brought to its address-of-record.
    pub(super) fn clear(&mut self, registration: RegistrationId, address_of_record: Uri<'_>) {
        if self.0.get(address_of_record.as_bytes()).is_some_and(|(by, _)| *by == registration) {
            self.0.remove(address_of_record.as_bytes());
        }
    }

    /// The service route of the address-of-record of this caller.
    pub(super) fn of(&self, caller: &NameAddrBuf) -> Option<&RouteSet> {
        // Most have none, and then nothing is read.
        if self.0.is_empty() {
            return None;
        }
        self.0.get(caller.uri().as_bytes()).map(|(_, routes)| routes)
    }
}
