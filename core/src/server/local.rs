//! Requests for the server itself: REGISTER, OPTIONS, and what it has no use for.

use super::{Core, Cx, role};
use crate::endpoint::Arrival;
use crate::message::{HeaderId, Method, Request, Response, StatusCode, Uri};
use crate::proxy;

impl Core {
    /// Answers a request that is for this server itself; any other comes back. Max-Forwards does not matter here (RFC 3261
    /// §16.3 step 3): the request has arrived. `uri` is its Request-URI after preprocessing, and `is_for_us` says whether it is this domain's to settle.
    pub(super) fn serve(
        &mut self,
        cx: &mut Cx<'_>,
        arrival: Arrival,
        preprocessed: &Request,
        (uri, is_for_us): (Uri<'_>, bool),
    ) -> Option<Arrival> {
        if !is_for_us {
            return Some(arrival);
        }
        let (method, user) = (preprocessed.method(), uri.user());
        match (method, user) {
            (Method::Register, _) => {
                let fields = match self.may_register(cx, &arrival.request, arrival.flow) {
                    Ok(fields) => fields,
                    Err(response) => {
                        self.deny(cx, arrival, *response);
                        return None;
                    }
                };
                let settings = &self.settings;
                let name_of = |cx: &Cx<'_>, uri: Uri<'_>| settings.user_of(cx, uri);
                let mut registrar = cx.for_role(role::REGISTRAR);
                let progress = self.registrar.request(&mut registrar, arrival, name_of, &fields);
                self.register_goes_on(cx, progress);
            }
            (_, Some(_)) if self.settings.redirect && self.settings.route(uri).is_none() => {
                self.redirect(cx, arrival, preprocessed, uri);
            }
            (_, Some(_)) => return Some(arrival),
            (Method::Options, None) => {
                let response = proxy::capabilities(&arrival.request);
                cx.answer(arrival, response);
            }
            // A route may say where the bare domain goes.
            _ if self.settings.route(uri).is_some() => return Some(arrival),
            (Method::Other(_), None) => self.answer(cx, arrival, StatusCode::NOT_IMPLEMENTED),
            (_, None) => {
                let response = Response::to(&arrival.request, StatusCode::METHOD_NOT_ALLOWED)
                    .header(HeaderId::Allow, "OPTIONS, REGISTER");
                cx.answer(arrival, response);
            }
        }
        None
    }

    /// Answers with a status that says it all.
    pub(super) fn answer(&self, cx: &mut Cx<'_>, arrival: Arrival, status: StatusCode) {
        let response = Response::to(&arrival.request, status);
        cx.answer(arrival, response);
    }
}
