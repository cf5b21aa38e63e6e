//! What usage rows and prices say of a bill that was issued: its overage lines, and the fees of its terms.

use super::closing::overage_bill;
use super::evidence::{Evidence, Told};
use super::recomputing::{Difference, compare_lines, of_bill};
use super::service::BillingService;
use super::{BillKind, BillLine, IssuedBill, LineKind, MeterUse, UsageSum};
use crate::error::Result;
use crate::id::AccountId;
use crate::money::{Money, MoneyError};
use crate::page::PageRequest;
use crate::plans::{self, MeterCode, MeterKind, OpenedPeriod, prorate};
use crate::quantity::Quantity;
use crate::quota::{Grant, levels_at, opened_with};
use crate::time::{Cycle, Period};
use std::collections::BTreeMap;

/// Grants asked for at once.
const GRANTS: PageRequest = PageRequest { limit: 200, before: None };

impl BillingService {
    /// What differs of a bill over overage, by the rows of its quota period.
    pub(super) async fn overage_again(&self, issued: &IssuedBill) -> Result<Vec<Difference>> {
        let account = issued.bill.account;
        let start = issued.lines.first().map_or(issued.bill.period.start, |line| line.period.start);
        let found = self.store.subscriptions().find_period_at(account, start).await?;
        let Some(opened) = found.filter(|opened| opened.period.start == start) else {
            return Ok(vec![of_bill(issued, "period", start.to_string(), "no period begins then".to_owned())]);
        };
        let open = [(account, opened)];
        let [(_, opened)] = &open;
        let mut evidence = Evidence::load(&*self.store, &[(account, start)], &open).await?;
        if issued.bill.kind == BillKind::Overage {
            evidence = evidence.before(issued.bill.id);
        }
        let told = self.told_by_rows((account, opened), &evidence, Some(issued)).await?;
        if issued.bill.kind == BillKind::Overage {
            return self.part_again(issued, (account, opened), &evidence, &told);
        }
        let uses = evidence.uses(&self.catalogue, (account, opened), &told);
        let draft = overage_bill(BillKind::Month, &self.catalogue, (account, opened), uses)?;
        Ok(compare_lines(issued, &draft.map(|draft| draft.lines).unwrap_or_default()).into_iter().collect())
    }

    /// An interim bill goes as far as it says, which is not further than rows go now.
    fn part_again(
        &self,
        issued: &IssuedBill,
        slot: (AccountId, &OpenedPeriod),
        evidence: &Evidence,
        told: &[Told],
    ) -> Result<Vec<Difference>> {
        let position = |meter: &MeterCode, quantity| {
            evidence.point_of(slot, meter, evidence.billed_of(slot, meter).saturating_add(quantity))
        };
        let part: Vec<Told> = issued
            .overages
            .iter()
            .map(|overage| {
                let (meter, zero) = (overage.used.meter.clone(), Money::zero(self.catalogue.currency));
                Told { position: position(&meter, overage.used.quantity), meter, fee: zero }
            })
            .collect();
        let mut differences = Vec::new();
        for cut in &part {
            let used = told.iter().find(|told| told.meter == cut.meter).map_or(Quantity::ZERO, |told| told.position);
            if used < cut.position {
                let shown = |quantity: Quantity| format!("{} {}", cut.meter, quantity.as_atoms());
                differences.push(of_bill(issued, "usage", shown(cut.position), shown(used)));
            }
        }
        let uses = evidence.uses(&self.catalogue, slot, &part).into_iter().map(|used| {
            let adjusted = issued.late(&used.meter.code);
            MeterUse { adjusted, ..used }.by_the_curve(self.catalogue.currency)
        });
        let uses = uses.collect::<std::result::Result<Vec<MeterUse>, MoneyError>>()?;
        let draft = overage_bill(BillKind::Overage, &self.catalogue, slot, uses)?;
        differences.extend(compare_lines(issued, &draft.map(|draft| draft.lines).unwrap_or_default()));
        Ok(differences)
    }

    /// What the rows of a period say of each meter, by meter.
    ///
    /// A gauge's rows say what was told, and what was carried over into the period was told without a row; how far the
    /// level rose is what the bills say, and what was told is the price of just that.
    pub(super) async fn told_by_rows(
        &self,
        (account, opened): (AccountId, &OpenedPeriod),
        evidence: &Evidence,
        issued: Option<&IssuedBill>,
    ) -> Result<Vec<Told>> {
        let start = opened.period.start;
        let zero = Money::zero(self.catalogue.currency);
        let mut told = by_meter(self.store.closings().usage_sums(&[(account, start)], false).await?)?;
        let carried = self.carried((account, opened), evidence).await?;
        for (meter, fee) in carried {
            let nothing = Told { meter: meter.clone(), position: Quantity::ZERO, fee: zero };
            let of_meter = told.entry(meter).or_insert(nothing);
            of_meter.fee = of_meter.fee.checked_add(fee)?;
        }
        let billed = |meter: &MeterCode| {
            let mine = issued.into_iter().flat_map(|issued| &issued.overages);
            let mine = mine.filter(|overage| overage.used.meter == *meter);
            let whole = evidence.billed_of((account, opened), meter);
            mine.fold(whole, |all, overage| all.saturating_add(overage.used.quantity))
        };
        for used in told.values_mut().filter(|used| self.is_gauge(&used.meter)) {
            let slot = (account, opened);
            let owed = evidence.point_of(slot, &used.meter, billed(&used.meter));
            used.position = owed.max(evidence.last_mark(slot, &used.meter));
        }
        Ok(told.into_values().collect())
    }

    fn is_gauge(&self, meter: &MeterCode) -> bool {
        self.catalogue.meters.get(meter).is_some_and(|meter| meter.kind == MeterKind::Gauge)
    }

    /// What the levels that a period began with cost at once: by the plan and the grants of then.
    async fn carried(
        &self,
        (account, opened): (AccountId, &OpenedPeriod),
        evidence: &Evidence,
    ) -> Result<BTreeMap<MeterCode, Money>> {
        let levels = levels_at(&*self.store, &self.catalogue, account, opened.period.start).await?;
        let mut fees = BTreeMap::new();
        if levels.is_empty() {
            return Ok(fees);
        }
        let grants = self.all_grants(account).await?;
        for level in levels {
            let (version, seats) = evidence.began_with((account, opened), &level.meter);
            let began = OpenedPeriod { version, seats, ..opened.clone() };
            let meter = level.meter.clone();
            let carried = opened_with(&*self.store, level, &grants, &began).await?;
            if !carried.drawn.fee.is_zero() {
                fees.insert(meter, carried.drawn.fee);
            }
        }
        Ok(fees)
    }

    async fn all_grants(&self, account: AccountId) -> Result<Vec<Grant>> {
        let (mut grants, mut page) = (Vec::new(), GRANTS);
        loop {
            let found = self.store.grants().list(account, page).await?;
            grants.extend(found.rows);
            match found.next {
                Some(next) => page.before = Some(next),
                None => return Ok(grants),
            }
        }
    }

    /// What differs of the fees of a bill, by the prices of what was sold. A credit is never more than what is left of its
    /// term is worth.
    pub(super) async fn fees_again(&self, issued: &IssuedBill) -> Result<Vec<Difference>> {
        let mut differences = Vec::new();
        let Some(subscription) = self.store.subscriptions().find(issued.bill.account).await? else {
            return Ok(differences);
        };
        let cycle = Cycle { anchor: subscription.anchor, months: 1, zone: subscription.zone };
        for line in &issued.lines {
            let Some(fee) = self.fee_again(cycle, line).await? else { continue };
            let wrong = match line.kind {
                LineKind::Credit => line.amount.checked_add(fee)?.nanos() < 0,
                _ => line.amount != fee,
            };
            if wrong {
                differences.push(of_bill(issued, "fees", line.amount.to_decimal(), fee.to_decimal()));
            }
        }
        Ok(differences)
    }

    /// The price of what of a term a line is for.
    async fn fee_again(&self, cycle: Cycle, line: &BillLine) -> Result<Option<Money>> {
        let (Some(version), Some(interval)) = (line.version, line.interval) else { return Ok(None) };
        let sold = plans::version_sold(&*self.store, version).await?;
        let price = sold.plan.price(interval, line.seats).unwrap_or(Money::zero(line.amount.currency()));
        let Some(term) = term_that_ends(cycle, line.period, interval.months()) else { return Ok(None) };
        Ok(Some(prorate(price, term, line.period.start, line.period.end)?))
    }
}

/// The term of so many monthly periods that ends where a part of it does.
fn term_that_ends(cycle: Cycle, part: Period, months: u32) -> Option<Period> {
    let mut at = part.start;
    for _ in 0..months {
        let term = cycle.periods_at(at, months)?;
        if term.end == part.end {
            return Some(term);
        }
        at = term.start - chrono::TimeDelta::microseconds(1);
    }
    None
}

/// One sum for each meter, late use included.
fn by_meter(sums: Vec<UsageSum>) -> Result<BTreeMap<MeterCode, Told>> {
    let mut meters = BTreeMap::<_, Told>::new();
    for sum in sums {
        let zero = Money::zero(sum.fee.currency());
        let start = Told { meter: sum.meter.clone(), position: Quantity::ZERO, fee: zero };
        let told = meters.entry(sum.meter).or_insert(start);
        told.position = told.position.saturating_add(sum.overage);
        told.fee = told.fee.checked_add(sum.fee)?;
    }
    Ok(meters)
}
