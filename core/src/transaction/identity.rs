//! Shows whose CANCEL and whose ACK is for an INVITE: both repeat more of it than its branch (RFC 3261 §9.1, §17.1.1.3).

use smallvec::SmallVec;

use crate::message::{Headers, TagParam};
use crate::transport::reread_response;

use super::ServerTransactionId;
use super::server_transactions::ServerTransactions;

impl ServerTransactions {
    /// Whether a CANCEL with these headers, whose branch is that of this transaction, has the Call-ID, the From tag and the CSeq number of its
    /// INVITE (§9.1). A stranger who has guessed the branch has not.
    pub(crate) fn is_cancelled_by(&self, server: ServerTransactionId, headers: Headers<'_>) -> bool {
        let Some(transaction) = self.table.get(server) else { return false };
        !transaction.machine.is_invite() || self.identity(headers) == Some(transaction.identity)
    }

    /// Whether an ACK with these headers, whose branch is that of this transaction, has the Call-ID, the From tag and the CSeq number of its INVITE,
    /// and, where the INVITE was rejected, the To tag of the rejection (§17.1.1.3).
    pub(crate) fn is_acknowledged_by(&self, server: ServerTransactionId, headers: Headers<'_>) -> bool {
        let Some(transaction) = self.table.get(server) else { return false };
        if self.identity(headers) != Some(transaction.identity) {
            return false;
        }
        let response = transaction.last_response().and_then(reread_response);
        let rejection = response.filter(|response| response.status().class() > 2);
        rejection.is_none_or(|rejection| rejection.to_tag() == headers.text_of_to().and_then(|to| to.tag()))
    }

    /// The keyed hash of the values that the CANCEL and the ACK of an INVITE share with it: Call-ID, From tag and CSeq number. `None` if one of them cannot be read.
    pub(super) fn identity(&self, headers: Headers<'_>) -> Option<u64> {
        let from_tag = headers.text_of_from()?.tag().map_or_else(SmallVec::new, TagParam::to_folded);
        let number = headers.cseq()?.number.to_le_bytes();
        Some(self.index.hash(&[headers.call_id()?.as_bytes(), &from_tag, &number]))
    }
}
