//! What clients were told of their use and reservations, and whether it can be.

use crate::ledger_of_answers::{Book, Reserved};
use domain::id::AccountId;
use domain::metering::{Command, Consume, Decided, Done, End, Rejection, Reserve, Settlement};
use domain::quantity::Quantity;

impl Book {
    /// What became of a command.
    pub(super) fn metered(&mut self, command: &Command, decided: &Decided) {
        match (command, decided) {
            (Command::Consume(wanted), Ok(Done::Used(receipt))) => {
                self.count(if receipt.duplicate { "use repeated" } else { "use" });
                self.receipt(&receipt.record);
                self.is_what_was_asked(wanted, receipt.record.quantity);
                if !self.commands.iter().any(|known| known.key == wanted.key) {
                    self.commands.push(wanted.clone());
                }
            }
            (Command::Consume(wanted), Err(Rejection::KeyReused)) if !self.commands.contains(wanted) => {
                self.count("key refused");
            }
            (Command::Consume(wanted), Err(rejection)) => {
                self.count("use refused");
                self.refused(wanted.account, wanted.key.as_str(), rejection);
            }
            (Command::Reserve(wanted), Ok(Done::Settled(settlement))) => self.reserved(wanted, settlement),
            (Command::End(end), Ok(Done::Settled(settlement))) => self.ended(end, settlement),
            (Command::Reserve(wanted), Err(rejection)) => {
                self.count("reservation refused");
                if self.reserves.contains(wanted) {
                    self.broken.push(format!("{wanted:?} was made, and is refused now: {rejection:?}"));
                }
            }
            (Command::End(end), Err(Rejection::Closed { .. })) => {
                self.count("end came too late");
                self.is_over(end);
            }
            (Command::End(_), Err(_)) => self.count("end refused"),
            (_, Ok(done)) => self.broken.push(format!("{command:?} was answered with {done:?}")),
        }
    }

    /// A key answers for one content only.
    fn is_what_was_asked(&mut self, wanted: &Consume, quantity: Quantity) {
        if wanted.quantity != quantity {
            self.broken.push(format!("{wanted:?} was answered with {quantity:?}"));
        }
    }

    fn reserved(&mut self, command: &Reserve, settlement: &Settlement) {
        self.count(if settlement.duplicate { "reservation repeated" } else { "reservation" });
        let made = &settlement.reservation;
        self.is_what_was_asked(&command.wanted, made.quantity);
        if !self.reserves.iter().any(|known| known.wanted.key == command.wanted.key) {
            self.reserves.push(command.clone());
        }
        self.answered("reserve", &format!("{} {}", made.account, made.key), &made.id);
        self.reservations.entry(made.id).or_insert(Reserved { account: made.account, ended: None, is_open: true });
    }

    fn ended(&mut self, end: &End, settlement: &Settlement) {
        self.is_over(end);
        self.count(if settlement.duplicate { "end repeated" } else { "end" });
        let Some(ended) = &settlement.reservation.ended else {
            self.broken.push(format!("{end:?} is said to be done, and is open"));
            return;
        };
        if let Some(usage) = &settlement.usage {
            self.receipt(usage);
        }
        let this = (ended.status, ended.captured.as_atoms());
        let Some(known) = self.reservations.get_mut(&end.reservation) else { return };
        let first = *known.ended.get_or_insert(this);
        if first != this {
            self.broken.push(format!("{} ended in two ways: {first:?} and {this:?}", end.reservation));
        }
    }

    fn is_over(&mut self, end: &End) {
        if let Some(known) = self.reservations.get_mut(&end.reservation) {
            known.is_open = false;
        }
    }

    fn refused(&mut self, account: AccountId, key: &str, rejection: &Rejection) {
        let known = self.receipts.contains_key(&(account, key.to_owned()));
        if known && !matches!(rejection, Rejection::ReceiptDeleted(_)) {
            self.broken.push(format!("{account} {key} was done, and is refused now: {rejection:?}"));
        }
        self.refused.insert((account, key.to_owned()));
    }
}
