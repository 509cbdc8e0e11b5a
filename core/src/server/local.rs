//! Requests for the server itself: REGISTER, OPTIONS, and what it has no use for.

use super::known::{Admission, Ask, Known};
use super::question::Step;
use super::{Core, Cx, role};
use crate::endpoint::Arrival;
use crate::message::{HeaderId, Method, Response, StatusCode, Uri};
use crate::proxy;

impl Core {
    /// Answers a request that is for this server itself; any other comes back. Max-Forwards does not matter here (RFC 3261
    /// §16.3 step 3): the request has arrived. `uri` is its Request-URI after preprocessing, and `is_for_us` says whether it is this domain's to settle.
    pub(super) fn serve(
        &mut self,
        cx: &mut Cx<'_>,
        (arrival, known): (Arrival, Known),
        (uri, is_for_us): (Uri<'_>, bool),
    ) -> Option<(Arrival, Known)> {
        if !is_for_us {
            return Some((arrival, known));
        }
        // Clones nothing but a pointer.
        let request = arrival.request.clone();
        match (request.method(), uri.user()) {
            (Method::Register, _) => self.register(cx, arrival, known),
            (_, Some(_)) => return Some((arrival, known)),
            (Method::Options, None) => {
                let response = proxy::capabilities(&arrival.request);
                cx.answer(arrival, response);
            }
            // A route may say where the bare domain goes.
            _ if self.settings.route(uri).is_some() => return Some((arrival, known)),
            (Method::Other(_), None) => self.answer(cx, arrival, StatusCode::NOT_IMPLEMENTED),
            (_, None) => {
                let response = Response::to(&arrival.request, StatusCode::METHOD_NOT_ALLOWED)
                    .header(HeaderId::Allow, "OPTIONS, REGISTER");
                cx.answer(arrival, response);
            }
        }
        None
    }

    /// Takes a REGISTER for this domain.
    fn register(&mut self, cx: &mut Cx<'_>, mut arrival: Arrival, mut known: Known) {
        let fields = match self.may_register(cx, &arrival.request, arrival.flow, &mut known) {
            Ok(fields) => fields,
            Err(denied) => return self.denied(cx, arrival, denied, known),
        };
        // Whoever may register where not everybody may is known.
        if !self.guards.is_open() || known.admission == Some(Admission::Known) {
            arrival.unbound();
        }
        if self.settings.steps.registration && !known.is_accepted {
            let ask = Ask::new(Step::Registration { request: arrival.request.clone(), flow: arrival.flow });
            return self.ask_about(cx, ask, arrival, known);
        }
        let settings = &self.settings;
        let name_of = |cx: &Cx<'_>, uri: Uri<'_>| settings.user_of(cx, uri);
        let mut registrar = cx.for_role(role::REGISTRAR);
        let progress = self.registrar.request(&mut registrar, arrival, name_of, &fields);
        self.register_goes_on(cx, progress);
    }

    /// Answers with a status that says it all.
    pub(super) fn answer(&self, cx: &mut Cx<'_>, arrival: Arrival, status: StatusCode) {
        let response = Response::to(&arrival.request, status);
        cx.answer(arrival, response);
    }
}
