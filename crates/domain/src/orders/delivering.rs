//! What orders of this context deliver: a product becomes a grant, a top-up becomes the wallet's balance.

use super::hooks::Delivery;
use super::order::{Order, Purpose};
use super::product::SoldProduct;
use super::refund::{Refund, share_of};
use crate::error::{Error, Result};
use crate::id::GrantId;
use crate::quantity::Quantity;
use crate::quota::{Grant, GrantOrigin};
use crate::store::{Repositories, StoreError};
use crate::wallet::{self, LedgerAccount, Transfer, TransferKind};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// The priority of bought quota: before what was given away, which has 50.
const PACK_PRIORITY: i32 = 40;

/// Delivers products as grants.
pub struct ProductDelivery;

/// Delivers top-ups as balance.
pub struct TopUpDelivery;

fn sold(order: &Order) -> Result<&SoldProduct> {
    match &order.purpose {
        Purpose::Product(product) => Ok(product),
        Purpose::TopUp | Purpose::Bill { .. } => Err(Error::NotFound("product")),
    }
}

/// A product's grant has the order's digits: an order has one grant.
fn grant_id(order: &Order) -> GrantId {
    GrantId::from_uuid(order.id.as_uuid())
}

fn grant_of(order: &Order, product: &SoldProduct, now: DateTime<Utc>) -> Grant {
    let pack = &product.pack;
    Grant {
        id: grant_id(order),
        account: order.account,
        meter: pack.meter.clone(),
        origin: GrantOrigin::Pack,
        reference: order.id.to_string(),
        priority: PACK_PRIORITY,
        quantity: pack.quantity,
        remaining: pack.quantity,
        held: Quantity::ZERO,
        revoked: Quantity::ZERO,
        revoked_at: None,
        models: pack.models.clone(),
        expires_at: pack.expires_at(now),
        created_at: now,
    }
}

async fn book(
    work: &dyn Repositories,
    kind: (TransferKind, String),
    sides: (LedgerAccount, LedgerAccount),
    (order, amount): (&Order, crate::money::Money),
    now: DateTime<Utc>,
) -> Result<()> {
    let transfer = Transfer::new(kind, sides, amount, now)?.about(order.account);
    wallet::post(work, &[transfer]).await
}

fn reserved(refund: &Refund) -> (TransferKind, String) {
    (TransferKind::RefundReserved, refund.id.to_string())
}

fn failed(refund: &Refund) -> (TransferKind, String) {
    (TransferKind::RefundFailed, refund.id.to_string())
}

#[async_trait]
impl Delivery for ProductDelivery {
    fn handles(&self, purpose: &Purpose) -> bool {
        matches!(purpose, Purpose::Product(_))
    }

    async fn deliver(&self, work: &dyn Repositories, order: &Order, now: DateTime<Utc>) -> Result<()> {
        work.grants().insert(&grant_of(order, sold(order)?, now)).await?;
        let sides = (LedgerAccount::Suspense, LedgerAccount::Revenue);
        book(work, (TransferKind::Sale, order.id.to_string()), sides, (order, order.amount), now).await
    }

    async fn take_back(
        &self,
        work: &dyn Repositories,
        order: &Order,
        refund: &Refund,
        now: DateTime<Utc>,
    ) -> Result<Quantity> {
        let mut grant = delivered_grant(work, order).await?;
        let share = share_of(grant.quantity, refund.amount, order.amount);
        // Rounding up twice may ask for one atom more than there ever was.
        let returnable = grant.quantity.left_after(grant.revoked);
        let share = share.min(returnable);
        if grant.remaining < share && !refund.even_if_used {
            let detail =
                "More of the pack was used or is held than this refund leaves; refund less, or say even_if_used.";
            return Err(Error::conflict("refund_exceeds_remaining", detail));
        }
        let taken = grant.take_back(share);
        work.grants().save(&[grant], now).await?;
        let sides = (LedgerAccount::Revenue, LedgerAccount::Refund);
        book(work, reserved(refund), sides, (order, refund.amount), now).await?;
        Ok(taken)
    }

    async fn give_back(
        &self,
        work: &dyn Repositories,
        order: &Order,
        refund: &Refund,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut grant = delivered_grant(work, order).await?;
        grant.give_back(refund.taken_back);
        work.grants().save(&[grant], now).await?;
        let sides = (LedgerAccount::Refund, LedgerAccount::Revenue);
        book(work, failed(refund), sides, (order, refund.amount), now).await
    }
}

async fn delivered_grant(work: &dyn Repositories, order: &Order) -> Result<Grant> {
    let found = work.grants().find(order.account, grant_id(order)).await?;
    Ok(found.ok_or(StoreError::Corrupt { table: "quota_grants", column: "id" })?)
}

#[async_trait]
impl Delivery for TopUpDelivery {
    fn handles(&self, purpose: &Purpose) -> bool {
        matches!(purpose, Purpose::TopUp)
    }

    async fn deliver(&self, work: &dyn Repositories, order: &Order, now: DateTime<Utc>) -> Result<()> {
        let sides = (LedgerAccount::Suspense, LedgerAccount::Wallet(order.account));
        book(work, (TransferKind::TopUp, order.id.to_string()), sides, (order, order.amount), now).await
    }

    /// Takes the money from the wallet first; what was spent is not refunded.
    async fn take_back(
        &self,
        work: &dyn Repositories,
        order: &Order,
        refund: &Refund,
        now: DateTime<Utc>,
    ) -> Result<Quantity> {
        let sides = (LedgerAccount::Wallet(order.account), LedgerAccount::Refund);
        book(work, reserved(refund), sides, (order, refund.amount), now).await?;
        Ok(Quantity::ZERO)
    }

    async fn give_back(
        &self,
        work: &dyn Repositories,
        order: &Order,
        refund: &Refund,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let sides = (LedgerAccount::Refund, LedgerAccount::Wallet(order.account));
        book(work, failed(refund), sides, (order, refund.amount), now).await
    }
}
