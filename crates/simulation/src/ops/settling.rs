//! The end of a run: the loops do all that is left, and bills are derived again.

use super::Doing;
use domain::notices::Room;
use domain::orders::{DifferenceClass, DifferenceStatus, RefundState};
use domain::time::{Clock, Period};
use domain::wallet::Provider;

/// Chunks of one loop, at most.
const MOST: usize = 40;

impl Doing {
    /// Every message arrives, every refund ends, and every loop runs until it finds nothing.
    pub(super) async fn settle(&mut self) {
        let messages = self.world.provider.desk().messages.clone();
        for raw in &messages {
            let reply = self.services().orders.notified(Provider::WeChat, raw).await;
            self.must("a message", &reply);
        }
        let refunds: Vec<_> = self.world.provider.desk().refunds.keys().copied().collect();
        for number in refunds {
            self.world.provider.go_on(number, RefundState::Succeeded { refunded_at: self.world.sim.now() });
        }
        self.expire_due().await;
        self.roll_over().await;
        self.look_after_payments().await;
        self.bill().await;
        self.tell_all().await;
    }

    async fn look_after_payments(&self) {
        let orders = &self.services().orders;
        for _ in 0..MOST {
            let (expired, polled) = (orders.expire_due().await, orders.poll_due().await);
            let followed = orders.follow_refunds().await;
            self.must("closing", &expired);
            self.must("asking", &polled);
            self.must("following", &followed);
            if matches!((&expired, &polled, &followed), (Ok(0), Ok(0), Ok(0))) {
                return;
            }
        }
    }

    async fn bill(&self) {
        let billing = &self.services().billing;
        for _ in 0..MOST {
            let renewed = billing.renew_due(0).await;
            let interim = billing.bill_interim_due(0).await;
            let chased = billing.chase_due(0).await;
            let closed = billing.close_due(billing.due_periods(), 0).await;
            let mut done = 0;
            for (what, progress) in
                [("renewing", renewed), ("interim", interim), ("chasing", chased), ("closing", closed)]
            {
                self.must(what, &progress);
                let Ok(progress) = progress else { continue };
                done += progress.done;
                // Renewals that turn out to cost nothing are counted as such.
                if progress.failed > 0 && what != "renewing" {
                    self.world.book().broken.push(format!("{what}: {} could not be done", progress.failed));
                }
            }
            if done == 0 {
                return;
            }
        }
    }

    async fn tell_all(&self) {
        for _ in 0..MOST {
            let told = self.services().fan_out.round().await;
            self.must("fanning out", &told);
            let claimed = self.services().courier.claim(Room { healthy: 64, failing: 64 }).await;
            self.must("claiming", &claimed);
            let claimed = claimed.unwrap_or_default();
            let idle = claimed.is_empty() && matches!(told, Ok(0));
            for lane in claimed {
                let served = self.services().courier.serve(lane).await;
                self.must("serving", &served);
            }
            if idle {
                return;
            }
        }
    }

    /// Once all is quiet, our books and the provider's say the same, but for numbers that were paid twice.
    async fn compare_with_the_provider(&self) {
        let days = self.world.provider.desk().days();
        for day in days {
            let compared = self.services().orders.reconcile(Provider::WeChat, day).await;
            self.must("comparing a day", &compared);
            let differences = compared.map(|compared| compared.differences).unwrap_or_default();
            let open = differences.iter().find(|difference| {
                difference.status == DifferenceStatus::Open && difference.class != DifferenceClass::PaymentTwice
            });
            if let Some(open) = open {
                self.world.book().broken.push(format!("{day} differs: {open:?}"));
            }
        }
    }

    /// Where nothing fails and nobody is in the way, nothing may fail.
    pub(super) fn must<T>(&self, what: &str, answer: &domain::error::Result<T>) {
        if let Err(error) = answer {
            self.world.book().broken.push(format!("{what} fails although all is quiet: {error:?}"));
        }
    }

    /// Bills are derived again from the usage rows behind them, and no period that ended is without its bill.
    pub(super) async fn audit(&mut self) {
        let billing = self.services().billing.clone();
        let bills = billing.to_recompute(None, None, 10_000).await;
        self.must("walking bills", &bills);
        for id in bills.unwrap_or_default() {
            let again = billing.recompute(id).await;
            self.must("deriving a bill", &again);
            let differences = again.map(|again| again.differences).unwrap_or_default();
            if let Some(difference) = differences.first() {
                self.world.book().broken.push(format!("{id} derived again differs: {difference:?}"));
            }
        }
        let now = self.world.sim.now();
        let began = Period { start: chrono::DateTime::UNIX_EPOCH, end: now };
        let mut after = None;
        loop {
            let walked = billing.without_bills(began, after, 3).await;
            self.must("walking periods", &walked);
            let walked = walked.unwrap_or_default();
            if let Some(difference) = walked.differences.first() {
                self.world.book().broken.push(format!("a period that ended: {difference:?}"));
            }
            after = walked.last;
            if after.is_none() {
                break;
            }
        }
        self.compare_with_the_provider().await;
        self.audit_reports().await;
    }
}
