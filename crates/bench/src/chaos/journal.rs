//! What clients sent and were told: the other half of every proof.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// Characters of a usage id.
const RECEIPT_BYTES: usize = 36;

/// What a client knows of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// 201 or 200: it counts.
    Acknowledged,
    /// 4xx: it does not count.
    Refused,
    /// No answer, a broken one, or 503: it may count, once.
    Unknown,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    fate: Fate,
    receipt: Option<[u8; RECEIPT_BYTES]>,
}

/// All events of a trial by number.
#[derive(Default)]
pub struct Journal {
    entries: RefCell<Vec<Entry>>,
    statuses: RefCell<BTreeMap<u16, u64>>,
    /// Answers that must never be given.
    wrong: RefCell<Vec<String>>,
}

impl Journal {
    /// A new event, of which nothing is known yet.
    pub fn begin(&self) -> usize {
        let mut entries = self.entries.borrow_mut();
        entries.push(Entry { fate: Fate::Unknown, receipt: None });
        entries.len() - 1
    }

    /// Notes an answer.
    pub fn note(&self, event: usize, status: u16, body: &[u8]) {
        *self.statuses.borrow_mut().entry(status).or_default() += 1;
        let entry = &mut self.entries.borrow_mut()[event];
        match status {
            200 | 201 => {
                let receipt = receipt_in(body);
                if receipt.is_none() || entry.receipt.is_some_and(|known| Some(known) != receipt) {
                    self.wrong.borrow_mut().push(format!("event {event} got another receipt: {}", shown(body)));
                }
                *entry = Entry { fate: Fate::Acknowledged, receipt };
            }
            503 => {}
            400..=499 => {
                if entry.fate == Fate::Acknowledged {
                    self.wrong.borrow_mut().push(format!("event {event} was taken back: {status} {}", shown(body)));
                }
                entry.fate = Fate::Refused;
            }
            _ => self.wrong.borrow_mut().push(format!("event {event} was answered {status}: {}", shown(body))),
        }
    }

    /// Notes an answer that broke off after its first byte.
    pub fn truncated(&self, event: usize) {
        self.wrong.borrow_mut().push(format!("the answer to event {event} broke off"));
    }

    pub fn unknown(&self) -> Vec<usize> {
        let entries = self.entries.borrow();
        (0..entries.len()).filter(|event| entries[*event].fate == Fate::Unknown).collect()
    }

    pub fn acknowledged(&self) -> u64 {
        self.entries.borrow().iter().filter(|entry| entry.fate == Fate::Acknowledged).count() as u64
    }

    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    pub fn fate(&self, event: usize) -> Option<Fate> {
        self.entries.borrow().get(event).map(|entry| entry.fate)
    }

    /// The receipt that was given for an acknowledged event.
    pub fn receipt(&self, event: usize) -> Option<String> {
        let receipt = self.entries.borrow().get(event)?.receipt?;
        Some(String::from_utf8_lossy(&receipt).into_owned())
    }

    pub fn wrong(&self) -> Vec<String> {
        self.wrong.borrow().clone()
    }

    pub fn statuses(&self) -> BTreeMap<u16, u64> {
        self.statuses.borrow().clone()
    }
}

fn receipt_in(body: &[u8]) -> Option<[u8; RECEIPT_BYTES]> {
    const BEFORE: &[u8] = br#""id":""#;
    let at = memchr::memmem::find(body, BEFORE)? + BEFORE.len();
    body.get(at..at + RECEIPT_BYTES)?.try_into().ok()
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(digit: char) -> Vec<u8> {
        format!(r#"{{"id":"use_{}","meter":"words"}}"#, digit.to_string().repeat(32)).into_bytes()
    }

    #[test]
    fn an_event_is_unknown_until_it_is_answered() {
        let journal = Journal::default();
        let event = journal.begin();
        journal.note(event, 503, b"");
        assert_eq!(journal.unknown(), [event]);
        journal.note(event, 201, &body('a'));
        assert_eq!((journal.fate(event), journal.acknowledged()), (Some(Fate::Acknowledged), 1));
        assert!(journal.wrong().is_empty());
    }

    #[test]
    fn another_receipt_a_refusal_afterwards_and_a_failure_are_wrong() {
        let journal = Journal::default();
        let event = journal.begin();
        journal.note(event, 201, &body('a'));
        journal.note(event, 200, &body('a'));
        assert!(journal.wrong().is_empty());
        journal.note(event, 200, &body('b'));
        journal.note(event, 402, b"{}");
        let other = journal.begin();
        journal.note(other, 500, b"{}");
        journal.truncated(other);
        assert_eq!(journal.wrong().len(), 4);
    }
}
