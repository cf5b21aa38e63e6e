//! Operators' use cases of coupons: make, list, disable.

use super::service::BillingService;
use super::{Coupon, Reduction};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::CouponId;
use crate::money::Money;
use crate::page::{Page, PageRequest};
use crate::plans::PlanCode;
use crate::store::retrying;
use chrono::{DateTime, Utc};
use serde_json::json;

/// A coupon as an operator asks for it: a percentage or an amount, never both.
#[derive(Clone, Debug)]
pub struct CouponWish {
    pub code: String,
    pub percent: Option<u8>,
    /// A decimal in the currency of bills.
    pub amount: Option<String>,
    pub max_uses: Option<u32>,
    pub valid_from: Option<DateTime<Utc>>,
    pub valid_until: Option<DateTime<Utc>>,
    pub plan: Option<String>,
}

impl BillingService {
    pub async fn make_coupon(&self, actor: &Actor, wish: &CouponWish) -> Result<Coupon> {
        actor.require_admin()?;
        retrying!(self.store, self.try_make_coupon(actor, wish))
    }

    async fn try_make_coupon(&self, actor: &Actor, wish: &CouponWish) -> Result<Coupon> {
        let now = self.clock.now();
        let coupon = self.read_coupon(wish, now)?;
        let work = self.store.begin().await?;
        if work.coupons().find_by_code(&coupon.code).await?.is_some() {
            return Err(Error::conflict("conflict", "There is a coupon with this code."));
        }
        work.coupons().insert(&coupon).await?;
        let event = AuditEvent::by(actor, "coupon.make", coupon.id, now).with(json!({ "code": coupon.code }));
        work.audit().append(&event).await?;
        work.commit().await?;
        Ok(coupon)
    }

    /// The coupon takes nothing off any more; bills that have it stay as they are.
    pub async fn disable_coupon(&self, actor: &Actor, id: CouponId) -> Result<Coupon> {
        actor.require_admin()?;
        let now = self.clock.now();
        let work = self.store.begin().await?;
        work.coupons().disable(id, now).await?;
        let coupon = work.coupons().find(id).await?.ok_or(Error::NotFound("coupon"))?;
        work.audit().append(&AuditEvent::by(actor, "coupon.disable", id, now)).await?;
        work.commit().await?;
        Ok(coupon)
    }

    /// For operators: all coupons, newest first.
    pub async fn list_coupons(&self, actor: &Actor, page: PageRequest) -> Result<Page<Coupon>> {
        actor.require_admin()?;
        Ok(self.store.coupons().list(page).await?)
    }

    fn read_coupon(&self, wish: &CouponWish, now: DateTime<Utc>) -> Result<Coupon> {
        let code = Coupon::read_code(&wish.code);
        let code = code.ok_or_else(|| Error::invalid("code", "must be 1 to 32 of A-Z, 0-9, - and _"))?;
        let plan = wish.plan.as_ref().map(|plan| {
            let code = PlanCode::parse(plan).filter(|code| self.catalogue.plans.contains_key(code));
            code.ok_or_else(|| Error::invalid("plan", "is not on sale"))
        });
        if let (Some(from), Some(until)) = (wish.valid_from, wish.valid_until)
            && until <= from
        {
            return Err(Error::invalid("valid_until", "must be after `valid_from`"));
        }
        if wish.max_uses == Some(0) {
            return Err(Error::invalid("max_uses", "must be above zero"));
        }
        Ok(Coupon {
            id: CouponId::new(now),
            code,
            reduction: self.read_reduction(wish)?,
            max_uses: wish.max_uses,
            uses: 0,
            valid_from: wish.valid_from,
            valid_until: wish.valid_until,
            plan: plan.transpose()?,
            disabled: false,
            created_at: now,
            updated_at: now,
        })
    }

    fn read_reduction(&self, wish: &CouponWish) -> Result<Reduction> {
        match (wish.percent, &wish.amount) {
            (Some(percent), None) if (1..=100).contains(&percent) => Ok(Reduction::Percent(percent)),
            (Some(_), None) => Err(Error::invalid("percent", "must be 1 to 100")),
            (None, Some(text)) => {
                let amount = Money::parse_minor(text, self.catalogue.currency)
                    .map_err(|error| Error::invalid("amount", error.to_string()))?;
                if amount.is_positive() {
                    Ok(Reduction::Fixed(amount))
                } else {
                    Err(Error::invalid("amount", "must be above zero"))
                }
            }
            _ => Err(Error::invalid("percent", "either `percent` or `amount` has to be given")),
        }
    }
}
