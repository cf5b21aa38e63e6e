//! Invoices: customers ask for one, operators record what became of it.

use super::{Doing, until_answered};
use crate::db::OUTSIDE;
use domain::billing::{BillStatus, InvoiceEnd, InvoiceKind, InvoiceStatus, InvoiceWish};
use domain::id::InvoiceId;

const ISSUES: u128 = 0;
const REJECTS: u128 = 1;
const REVERSES: u128 = 2;

impl Doing {
    pub(super) async fn ask_for_invoice(&mut self) {
        let id = self.choose_id("bill", |tables| {
            let bills = tables.bills.values(OUTSIDE).map(|issued| &issued.bill);
            bills.filter(|bill| bill.status == BillStatus::Paid).map(|bill| bill.id.as_uuid()).collect()
        });
        let Some((bill, owner)) = self.bill_and_owner(id) else { return };
        let wish = InvoiceWish { kind: InvoiceKind::Ordinary, title: "Zhang San".to_owned(), tax_id: None };
        let billing = self.services().billing.clone();
        let answer = until_answered!(billing.request_invoice(&owner, bill, &wish));
        self.count("invoice asked for", "invoice refused", &answer);
        if let Ok(invoice) = &answer {
            self.world.book().invoices.insert(invoice.id, invoice.amount);
        }
        self.tell(&format!("asks for an invoice of {bill}"), &answer.map(|invoice| invoice.id));
    }

    /// Issues or rejects what was asked for, and takes back what was issued.
    pub(super) async fn decide_invoice(&mut self) {
        let operator = self.operator();
        let id = InvoiceId::from_uuid(self.choose_id("invoice", |tables| {
            let standing = tables.invoices.values(OUTSIDE).filter(|invoice| invoice.status.stands());
            standing.map(|invoice| invoice.id.as_uuid()).collect()
        }));
        let Some(invoice) = self.world.eyes.lock().tables.invoices.get(OUTSIDE, &id).cloned() else { return };
        let rejected = self.rng.one_in(3);
        let step = self.choose("step", || match invoice.status {
            InvoiceStatus::Requested if rejected => REJECTS,
            InvoiceStatus::Requested => ISSUES,
            _ => REVERSES,
        });
        let billing = self.services().billing.clone();
        let answer = match step {
            ISSUES => until_answered!(billing.issue_invoice(&operator, id, "24312000000000000001", None)),
            REVERSES => until_answered!(billing.end_invoice(&operator, id, InvoiceEnd::Reverse, "a mistake")),
            _ => until_answered!(billing.end_invoice(&operator, id, InvoiceEnd::Reject, "a mistake")),
        };
        self.count("invoice decided", "invoice not decided", &answer);
        self.tell(&format!("decides {id}"), &answer.map(|invoice| invoice.status));
    }
}
