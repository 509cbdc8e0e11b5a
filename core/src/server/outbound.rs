//! Requests along the flows that phones have opened (RFC 5626 §5, §7).

use super::flow_token::{Side, Tampered};
use super::known::{Ask, Known};
use super::policy::Nowhere;
use super::{Core, Cx, Event, has_route, role};
use crate::flow::Flow;
use crate::message::header::{Header, Route, Via};
use crate::message::{HeaderId, Request, StatusCode, Uri};
use crate::proxy::{LostWay, Target, Voucher};
use crate::registrar::{self, Binding, Store, leads_nowhere_else};
use crate::transport::NextHop;

/// Values of Record-Route that we write for one forwarding.
const OWN_ROUTES: usize = 2;

/// The target that a binding is (RFC 3261 §16.5): behind its Path (RFC 3327 §5.3), or along its flow (RFC 5626 §7). `None` if the flow
/// alone leads there, and is gone.
pub(super) fn target(cx: &Cx<'_>, binding: &Binding, voucher: Voucher) -> Option<Target> {
    let target = Target::new(binding.contact.clone()).with_q(binding.q).vouched_by(voucher);
    let Some(way) = binding.way() else { return Some(target) };
    if !way.path.is_empty() {
        return Some(target.with_routes(way.path.to_vec()));
    }
    match way.flow.filter(|flow| cx.has_flow(*flow)) {
        Some(flow) => {
            // The Record-Route of that side will say the flow, as later requests find the phone by nothing else, either.
            let recorded = way.only_flow.then(Default::default);
            Some(Target { recorded, ..target.with_next_hop(along(flow, binding.contact.as_uri())) })
        }
        None if way.only_flow => None,
        None => Some(target),
    }
}

/// The next hop along a flow.
fn along(flow: Flow, uri: Uri<'_>) -> NextHop {
    NextHop { flow: Some(flow), ..NextHop::of_uri(uri).unwrap_or_else(|| NextHop::from(flow.remote)) }
}

impl Core {
    /// A flow is gone: so are the bindings that nothing else leads to (RFC 5626 §7).
    pub(super) fn flow_lost(&mut self, cx: &mut Cx<'_>, flow: Flow) {
        let changes = self.registrar.flow_failed(&mut cx.for_role(role::REGISTRAR), flow);
        changes.into_iter().for_each(|change| cx.emit(Event::Binding(change)));
    }

    /// A request found its way gone: along our flow, or along that of another proxy, which has said so by 430.
    pub(super) fn way_lost(&mut self, cx: &mut Cx<'_>, way: &LostWay) {
        if let Some(flow) = way.flow {
            return self.flow_lost(cx, flow);
        }
        let request = self.proxy.request_of(way.id);
        let named =
            request.and_then(|request| self.registrar.named(request.uri().ok()?, |uri| self.settings.user_of(cx, uri)));
        let Some(named) = named else { return };
        if self.settings.registrar.store == Store::Owner {
            let (address_of_record, contact) = (named.address_of_record.into(), way.contact.clone());
            return cx.emit(Event::Binding(registrar::Change::Unbound { address_of_record, contact }));
        }
        let mut registrar = cx.for_role(role::REGISTRAR);
        let changes = self.registrar.way_lost(&mut registrar, &named.address_of_record, &way.contact, &way.routes);
        changes.into_iter().for_each(|change| cx.emit(Event::Binding(change)));
    }

    /// Puts the flows of both sides into what is recorded of the targets of a request that came along `flow`, where nothing but these flows leads
    /// there.
    pub(super) fn record_flows(&self, request: &Request, flow: Flow, targets: &mut [Target]) {
        let headers = request.headers();
        let in_dialog = request.to_tag().is_some();
        let contact = headers.contact();
        let is_direct = headers.count(HeaderId::Via) == 1 && headers.values(HeaderId::Via, Via::LIST).nth(1).is_none();
        // One that asks for it by `ob` has opened its flow (RFC 5626 §4.3, §5.3.2).
        let asks = |uri: Uri<'_>| uri.parameter("ob").is_some() || leads_nowhere_else(request, flow, uri);
        let is_hidden = is_direct && contact.is_some_and(|contact| asks(contact.uri));
        let caller = (is_hidden && !in_dialog).then(|| self.flow_tokens.parameter(Side::Caller, flow, headers));
        for target in targets {
            let mut way = Some(target);
            // As many ways as one user has bindings, at the most.
            while let Some(target) = way {
                let callee = target.recorded.take().and_then(|_| target.next_hop.as_ref()?.flow);
                let callee = callee.map(|flow| self.flow_tokens.parameter(Side::Callee, flow, headers));
                if !in_dialog && (caller.is_some() || callee.is_some()) {
                    let parameters = [caller.clone(), callee].map(Option::unwrap_or_default);
                    target.recorded = Some(parameters.into());
                }
                way = target.instead.as_deref_mut();
            }
        }
    }

    /// The target of a request of a dialog, if the route that it came along says by which flow it goes on (RFC 5626 §5.3). `received` is the request
    /// before preprocessing, `request` the one after. A flow that is gone is replaced by that of the binding of the same contact, if its phone has
    /// come back.
    ///
    /// # Errors
    /// 403 for a token that was tampered with, 430 for a flow that is gone.
    pub(super) fn along_flow(
        &self,
        cx: &Cx<'_>,
        received: &Request,
        request: &Request,
        known: &Known,
    ) -> Result<Option<Target>, Nowhere> {
        let routes = received.headers().all::<Route<'_>>().take(OWN_ROUTES).map_while(Result::ok);
        let own = routes.map(|route| route.uri).take_while(|uri| self.names_us(cx, *uri));
        let flow = match self.flow_tokens.read(own, received.headers()) {
            Ok(Some(flow)) if !has_route(request) => flow,
            Ok(_) => return Ok(None),
            Err(Tampered) => return Err(Nowhere::Refuse(StatusCode::FORBIDDEN.into())),
        };
        let Ok(uri) = request.uri() else { return Ok(None) };
        let flow = match cx.has_flow(flow) {
            true => flow,
            false => self.flow_of(cx, request, uri, known)?.ok_or(Nowhere::Refuse(StatusCode::FLOW_FAILED.into()))?,
        };
        Ok(Some(Target::new(uri.to_buf()).with_next_hop(along(flow, uri))))
    }

    /// The flow that a contact of the receiver of a request is bound by now.
    fn flow_of(&self, cx: &Cx<'_>, request: &Request, contact: Uri<'_>, known: &Known) -> Result<Option<Flow>, Ask> {
        let user = request.headers().to().and_then(|to| self.settings.user_of(cx, to.uri));
        let bindings = match user {
            Some(name) => self.bindings_of(&name, known)?.unwrap_or_default(),
            None => return Ok(None),
        };
        let mut flows = bindings.iter().filter(|binding| binding.contact.as_uri().equivalent(contact));
        Ok(flows.find_map(|binding| binding.way()?.flow.filter(|flow| cx.has_flow(*flow))))
    }
}
