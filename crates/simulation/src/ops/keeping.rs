//! What operators ask of all accounts, and what machines keep in order: reports, keys, old rows.

use super::{Doing, until_answered};
use crate::db::OUTSIDE;
use domain::billing::{BillKind, BillStatus, Months};
use domain::time::Clock;
use domain::wallet::LedgerAccount;

/// Steps of deleting, at most.
const MOST_STEPS: usize = 1_000;

impl Doing {
    /// A year up to now; it always is one.
    fn year(&self) -> Option<Months> {
        Months::read(None, None, self.world.sim.now(), self.services().billing.catalogue.zone).ok()
    }

    pub(super) async fn report(&mut self) {
        let operator = self.operator();
        let Some(months) = self.year() else { return };
        let billing = self.services().billing.clone();
        let revenue = until_answered!(billing.revenue(&operator, &months));
        self.tell("asks for revenue", &revenue);
        let overage = until_answered!(billing.overage(&operator, &months));
        self.tell("asks for overage", &overage);
        let owed = until_answered!(billing.receivables(&operator, &months));
        self.tell("asks what is owed", &owed);
        let refunds = until_answered!(billing.refunds(&operator, &months));
        self.count("report", "no report", &refunds);
        self.tell("asks what went back", &refunds);
    }

    pub(super) async fn reseal(&mut self) {
        let sealed = until_answered!(self.services().seals.reseal_all(|_| ()));
        self.count("encrypted anew", "not encrypted anew", &sealed);
        let left = until_answered!(self.services().seals.stale());
        self.tell("encrypts anew", &(sealed, left));
    }

    /// Where all is quiet, reports say what the rows say.
    pub(super) async fn audit_reports(&mut self) {
        let operator = self.operator();
        let Some(months) = self.year() else { return };
        let billing = self.services().billing.clone();
        let (revenue, owed) =
            (billing.revenue(&operator, &months).await, billing.receivables(&operator, &months).await);
        self.must("the report of revenue", &revenue);
        self.must("the report of what is owed", &owed);
        let earned: i128 = revenue.unwrap_or_default().values().map(|row| row.net).sum();
        let last = owed.unwrap_or_default().into_iter().filter(|((place, _), _)| place + 1 == months.len());
        let closing: i128 = last.map(|(_, row)| row.closing).sum();
        let (booked, unpaid) = self.booked_and_unpaid(&months);
        if (earned, closing) != (booked, unpaid) {
            let said = format!("reports say {earned} and {closing}, the rows {booked} and {unpaid}");
            self.world.book().broken.push(said);
        }
    }

    /// What the ledger moved to revenue in these months, and what of the bills is not paid now.
    fn booked_and_unpaid(&self, months: &Months) -> (i128, i128) {
        let core = self.world.eyes.lock();
        let transfers = core.tables.transfers.values(OUTSIDE).filter(|transfer| transfer.booked_at >= months.start());
        let booked = transfers.map(|transfer| {
            let nanos = i128::from(transfer.amount.nanos());
            let is_revenue = |side| i128::from(side == LedgerAccount::Revenue);
            nanos * (is_revenue(transfer.to) - is_revenue(transfer.from))
        });
        let bills = core.tables.bills.values(OUTSIDE).map(|issued| &issued.bill);
        let unpaid = bills.filter(|bill| bill.kind != BillKind::Refund && bill.status == BillStatus::Unpaid);
        (booked.sum(), unpaid.map(|bill| i128::from(bill.totals.total.nanos())).sum())
    }

    /// Only where nobody compares sums with rows any more.
    pub(super) async fn retain(&mut self) {
        let retention = &self.services().retention;
        let Ok(Some(first_kept)) = retention.first_kept().await else { return };
        let mut last = None;
        for _ in 0..MOST_STEPS {
            let removed = until_answered!(retention.remove_next(first_kept, last));
            self.tell("removes", &removed);
            let Ok(Some(step)) = removed else { return };
            last = Some(step);
        }
    }
}
