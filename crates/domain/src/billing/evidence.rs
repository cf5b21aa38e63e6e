//! What besides counters decides what a period costs: the plans that held within it, what came late, and what interim
//! bills are for.

use super::rating::point_of_owed;
use super::{BillKind, IssuedBill, MeterUse, Slot, Stretch, TariffMark, UsageSum};
use crate::error::Result;
use crate::id::{AccountId, BillId, PlanVersionId};
use crate::money::Money;
use crate::plans::{Catalogue, Meter, MeterCode, MeterDisplay, MeterKind, OpenedPeriod, PlanVersion};
use crate::quantity::Quantity;
use crate::quota::Counter;
use crate::store::{Repositories, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is said of a meter in a period: by its counter, or by the sum of its usage rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub meter: MeterCode,
    /// The whole overage, owed and paid from the wallet.
    pub position: Quantity,
    /// What was told for all of it.
    pub fee: Money,
}

impl Told {
    /// By counters of one period, by meter.
    pub fn all<'a>(counters: impl Iterator<Item = &'a Counter>) -> Result<Vec<Self>> {
        let mut told = counters.map(Self::by).collect::<Result<Vec<_>>>()?;
        told.sort_by(|a, b| a.meter.cmp(&b.meter));
        Ok(told)
    }

    fn by(counter: &Counter) -> Result<Self> {
        let position = counter.drawn.overage.saturating_add(counter.drawn.wallet);
        Ok(Self { meter: counter.meter.clone(), position, fee: counter.drawn.cost()? })
    }
}

/// What besides the quantity decides what a period costs.
pub(super) struct Evidence {
    marks: Vec<TariffMark>,
    late: Vec<UsageSum>,
    earlier: Vec<IssuedBill>,
    versions: BTreeMap<PlanVersionId, Arc<PlanVersion>>,
}

impl Evidence {
    pub async fn load(work: &dyn Repositories, slots: &[Slot], open: &[(AccountId, OpenedPeriod)]) -> Result<Self> {
        let marks = work.closings().marks(slots).await?;
        let late = work.closings().usage_sums(slots, true).await?;
        let earlier = work.bills().of_periods(BillKind::Overage, slots).await?;
        let ids: BTreeSet<PlanVersionId> =
            marks.iter().map(|mark| mark.version).chain(open.iter().map(|(_, opened)| opened.version)).collect();
        let ids: Vec<PlanVersionId> = ids.into_iter().collect();
        let versions = work.plans().find_versions(&ids).await?;
        let versions: BTreeMap<_, _> = versions.into_iter().map(|version| (version.id, version)).collect();
        if ids.iter().any(|id| !versions.contains_key(id)) {
            return Err(StoreError::Corrupt { table: "quota_periods", column: "plan_version_id" }.into());
        }
        Ok(Self { marks, late, earlier, versions })
    }

    /// The uses of a period, by meter.
    pub fn uses(
        &self,
        catalogue: &Catalogue,
        (account, opened): (AccountId, &OpenedPeriod),
        told: &[Told],
    ) -> Vec<MeterUse> {
        let start = opened.period.start;
        let of = |told: &Told| {
            let stretches = self.curve((account, opened), &told.meter, told.position);
            let late = self.late.iter().filter(|sum| {
                sum.account == account && sum.period_start == start && sum.meter == told.meter && sum.adjustment
            });
            let late = late.fold(Quantity::ZERO, |all, sum| all.saturating_add(sum.overage));
            let before = self.billed((account, opened), told, Money::zero(catalogue.currency));
            let unbilled = told.position.left_after(point_of_owed(&stretches, before.quantity));
            MeterUse {
                meter: meter_of(catalogue, &told.meter),
                stretches,
                told: told.fee,
                adjusted: late.left_after(before.late).min(unbilled),
                billed: before.quantity,
                billed_fee: before.fee,
            }
        };
        told.iter().map(of).collect()
    }

    /// What held for a meter up to a point of its overage: each plan until the next one began, the last one until now.
    fn curve(&self, slot: (AccountId, &OpenedPeriod), meter: &MeterCode, to: Quantity) -> Vec<Stretch> {
        let exhausted = |version: PlanVersionId| {
            let terms = self.versions.get(&version)?.plan.terms(meter);
            terms.map(|terms| terms.on_exhausted.clone())
        };
        let marks = self.marks_of(slot, meter).map(|mark| (mark.position, mark.version));
        let mut stretches = Vec::new();
        for (end, version) in marks.chain([(Quantity::MAX, slot.1.version)]) {
            stretches.push(Stretch { to: end.min(to), exhausted: exhausted(version) });
            if end >= to {
                break;
            }
        }
        stretches
    }

    /// The point of a meter's overage up to which so much is owed.
    pub fn point_of(&self, slot: (AccountId, &OpenedPeriod), meter: &MeterCode, owed: Quantity) -> Quantity {
        point_of_owed(&self.curve(slot, meter, Quantity::MAX), owed)
    }

    /// Where the last plan ended that ended within the period.
    pub fn last_mark(&self, slot: (AccountId, &OpenedPeriod), meter: &MeterCode) -> Quantity {
        self.marks_of(slot, meter).map(|mark| mark.position).max().unwrap_or(Quantity::ZERO)
    }

    /// By rising position.
    fn marks_of<'a>(
        &'a self,
        (account, opened): (AccountId, &'a OpenedPeriod),
        meter: &'a MeterCode,
    ) -> impl Iterator<Item = &'a TariffMark> {
        let start = opened.period.start;
        self.marks
            .iter()
            .filter(move |mark| mark.account == account && mark.period_start == start && mark.meter == *meter)
    }

    /// What interim bills of the period are for.
    fn billed(&self, (account, opened): (AccountId, &OpenedPeriod), told: &Told, zero: Money) -> Billed {
        let mut billed = Billed { quantity: Quantity::ZERO, late: Quantity::ZERO, fee: zero };
        for issued in self.interim(account, opened) {
            for overage in issued.overages.iter().filter(|overage| overage.used.meter == told.meter) {
                billed.quantity = billed.quantity.saturating_add(overage.used.quantity);
                billed.fee = billed.fee.checked_add(overage.fee).unwrap_or(billed.fee);
            }
            billed.late = billed.late.saturating_add(issued.late(&told.meter));
        }
        billed
    }

    /// The evidence that there was for an interim bill: only bills before it.
    #[must_use]
    pub fn before(mut self, bill: BillId) -> Self {
        self.earlier.retain(|issued| issued.bill.id < bill);
        self
    }

    /// The version and seats that a meter's period began with.
    pub fn began_with(&self, (account, opened): (AccountId, &OpenedPeriod), meter: &MeterCode) -> (PlanVersionId, u32) {
        let first = self.marks_of((account, opened), meter).next();
        first.map_or((opened.version, opened.seats), |mark| (mark.version, mark.seats))
    }

    /// How much of a meter interim bills are for.
    pub fn billed_of(&self, (account, opened): (AccountId, &OpenedPeriod), meter: &MeterCode) -> Quantity {
        let overages = self.interim(account, opened).flat_map(|issued| &issued.overages);
        let mine = overages.filter(|overage| overage.used.meter == *meter);
        mine.fold(Quantity::ZERO, |all, overage| all.saturating_add(overage.used.quantity))
    }

    /// The interim bills of a quota period, oldest first.
    pub fn interim(&self, account: AccountId, opened: &OpenedPeriod) -> impl Iterator<Item = &IssuedBill> {
        let of_period = move |issued: &&IssuedBill| {
            issued.bill.account == account && opened.period.contains(issued.bill.period.start)
        };
        self.earlier.iter().filter(of_period)
    }
}

/// What interim bills are for, of one meter.
struct Billed {
    quantity: Quantity,
    /// The part of it that came late.
    late: Quantity,
    fee: Money,
}

/// A meter that is not counted any more is shown by its code.
fn meter_of(catalogue: &Catalogue, code: &MeterCode) -> Meter {
    catalogue.meters.get(code).cloned().unwrap_or_else(|| Meter {
        code: code.clone(),
        unit: code.to_string(),
        scale: 0,
        kind: MeterKind::Counter,
        display: MeterDisplay { name: code.to_string(), per: 1 },
    })
}
