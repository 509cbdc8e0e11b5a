//! Requests that the proxy has asked about, on their way to where they go.

use alloc::boxed::Box;

use super::asking::Purpose;
use super::known::Known;
use super::policy::{Decision, Sender};
use super::{Core, Cx, role};
use crate::flow::Flow;
use crate::message::{Request, StatusCode};
use crate::proxy::ResponseContextId;

/// A request that the proxy has asked about.
#[derive(Clone, Debug)]
pub(super) struct Forwarding {
    pub(super) id: ResponseContextId,
    /// As it came.
    pub(super) received: Request,
    /// After preprocessing.
    pub(super) request: Request,
    pub(super) flow: Flow,
    /// Whether it is of a dialog whose route we have recorded.
    pub(super) recorded: bool,
    /// Whether its sender may send anywhere.
    pub(super) is_allowed: bool,
}

impl Core {
    /// Decides where a request goes, with the bindings that are known.
    pub(super) fn go_on(&mut self, cx: &mut Cx<'_>, forwarding: Forwarding, known: Known) {
        let Forwarding { received, request, flow, recorded, is_allowed, .. } = &forwarding;
        let sender = Sender { flow: *flow, recorded: *recorded, is_allowed: *is_allowed };
        let decision = self.decide(cx, (received, request), sender, &known);
        self.go_where(cx, decision, forwarding, known);
    }

    /// Sends a request where it was decided that it goes.
    pub(super) fn go_where(&mut self, cx: &mut Cx<'_>, decision: Decision, forwarding: Forwarding, known: Known) {
        let decision = match decision {
            Decision::Ask(ask) => return self.ask(cx, ask, Purpose::Forward(Box::new(forwarding)), known),
            decision => decision,
        };
        let Forwarding { id, received, request, flow, is_allowed, .. } = &forwarding;
        let (id, flow) = (*id, *flow);
        if !is_allowed && !self.guards.is_open() {
            self.proxy.narrow(id);
        }
        if let Decision::Forward(_) = &decision {
            self.call_ends(cx, request);
        }
        self.settle(&mut cx.for_role(role::PROXY), id, (received, flow), decision);
        self.call_goes_on(cx, id, None);
    }

    /// Answers a question of the proxy.
    pub(super) fn settle(
        &mut self,
        cx: &mut Cx<'_>,
        id: ResponseContextId,
        (received, flow): (&Request, Flow),
        decision: Decision,
    ) {
        // The question is open: its answer cannot come too late.
        let _ = match decision {
            Decision::Forward(mut targets) => {
                self.record_flows(received, flow, &mut targets);
                // Phones whose flows are all gone are not there.
                match targets.is_empty() {
                    true => self.proxy.refuse(cx, id, StatusCode::TEMPORARILY_UNAVAILABLE),
                    false => self.proxy.forward(cx, id, &targets),
                }
            }
            Decision::Refuse(refusal) => self.proxy.refuse(cx, id, refusal),
            Decision::Ask(_) => Ok(()),
        };
    }
}
