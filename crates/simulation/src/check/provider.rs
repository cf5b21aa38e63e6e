//! What the provider took is known here once all is quiet, and what it paid back was taken back here before.

use super::{Found, hold, same};
use crate::db::OUTSIDE;
use crate::world::World;
use domain::id::{PaymentId, RefundId};
use domain::orders::{PaymentState, RefundState, RefundStatus};

pub fn every_capture_is_known(world: &World) -> Found {
    let (core, desk) = (world.sim.lock(), world.provider.desk());
    let taken = desk.payments.iter().filter_map(|(number, (_, state))| match state {
        PaymentState::Captured(capture) => Some((number, capture)),
        _ => None,
    });
    let extra = desk.extra.iter().map(|(number, capture)| (number, capture));
    for (number, capture) in taken.chain(extra) {
        let id = PaymentId::from_uuid(number.as_uuid());
        let payment = core.tables.payments.get(OUTSIDE, &id);
        let own = payment.is_some_and(|payment| payment.transaction.as_ref() == Some(&capture.transaction));
        let mut items = core.tables.suspense.values(OUTSIDE);
        let suspended = items.any(|item| item.payment == id && item.transaction == capture.transaction);
        hold(own || suspended, || {
            format!("{id} was paid at the provider by {}, and nobody knows", capture.transaction)
        })?;
    }
    Ok(())
}

/// The provider never pays back what is not set aside here.
pub fn every_refund_is_known(world: &World, whole: bool) -> Found {
    let (core, desk) = (world.sim.lock(), world.provider.desk());
    for (number, (request, state)) in &desk.refunds {
        let id = RefundId::from_uuid(number.as_uuid());
        let Some(refund) = core.tables.refunds.get(OUTSIDE, &id) else {
            return Err(format!("{id} is under way at the provider, and unknown here"));
        };
        same(&refund.amount, &request.amount, || format!("the amount of {id}"))?;
        let paid_back = matches!(state, RefundState::Succeeded { .. });
        hold(!paid_back || refund.status != RefundStatus::Failed, || format!("{id} was paid back, and failed here"))?;
        if whole {
            let known = [RefundStatus::Succeeded, RefundStatus::Failed].map(|status| refund.status == status);
            let failed = matches!(state, RefundState::Failed { .. });
            same(&known, &[paid_back, failed], || format!("whether {id} was paid back, and whether it failed"))?;
        }
    }
    Ok(())
}
