//! Invoices: every edge, and no other; one that stands for a bill.

use super::InvoiceStatus::{Issued, Rejected, Requested, Reversed};
use super::*;

#[test]
fn an_invoice_is_issued_or_rejected_and_only_an_issued_one_is_reversed() {
    let edges = [(Requested, Issued), (Requested, Rejected), (Issued, Reversed)];
    for from in InvoiceStatus::ALL {
        for to in InvoiceStatus::ALL {
            let expected = if edges.contains(&(from, to)) { Ok(to) } else { Err(NoSuchChange { from, to }) };
            assert_eq!(from.change(to), expected, "{from:?} to {to:?}");
        }
    }
}

#[test]
fn a_bill_is_invoiced_anew_after_a_rejection_or_a_reversal_and_never_twice_at_a_time() {
    for free in [&[][..], &[Rejected], &[Reversed], &[Rejected, Reversed, Rejected]] {
        assert!(may_be_requested(free).is_ok(), "{free:?}");
    }
    for taken in [&[Requested][..], &[Issued], &[Reversed, Issued], &[Requested, Rejected]] {
        let refused = may_be_requested(taken).unwrap_err();
        assert!(matches!(refused, Error::Conflict { code: "invoice_exists", .. }), "{taken:?}");
    }
}

#[test]
fn a_special_invoice_needs_a_tax_id_and_an_ordinary_one_of_a_person_has_none() {
    let person = InvoiceTitle::read(InvoiceKind::Ordinary, "阿依古丽·买买提", None).unwrap();
    assert_eq!((person.tax_id.clone(), person.doubt()), (None, None));
    let company = InvoiceTitle::read(InvoiceKind::Special, " 算盘科技 ", Some("91350100M000100Y43")).unwrap();
    assert_eq!((company.title.as_str(), company.doubt()), ("算盘科技", None));
    let Err(Error::Invalid(mistakes)) = InvoiceTitle::read(InvoiceKind::Special, "", None) else { unreachable!() };
    let fields: Vec<_> = mistakes.iter().map(|mistake| mistake.field.as_str()).collect();
    assert_eq!(fields, ["title", "tax_id"]);
}

#[test]
fn a_doubtful_tax_id_is_taken_with_its_doubt() {
    let doubtful = InvoiceTitle::read(InvoiceKind::Special, "公司", Some("91350211M0000XUF46")).unwrap();
    assert_eq!(doubtful.doubt(), Some(TaxIdDoubt::CheckDigit));
    assert!(InvoiceTitle::read(InvoiceKind::Ordinary, "公司", Some("123")).is_err());
}

#[test]
fn titles_have_at_most_two_hundred_characters() {
    let read = |length: usize| InvoiceTitle::read(InvoiceKind::Ordinary, &"字".repeat(length), None);
    assert!(read(MAX_TITLE).is_ok() && read(MAX_TITLE + 1).is_err());
}

#[test]
fn words_read_back() {
    assert!(InvoiceStatus::ALL.into_iter().all(|status| InvoiceStatus::parse(status.name()) == Some(status)));
    assert!(InvoiceKind::ALL.into_iter().all(|kind| InvoiceKind::parse(kind.name()) == Some(kind)));
}
