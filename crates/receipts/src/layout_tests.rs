//! Where things stand on the pages.

use super::*;
use crate::samples::{document, long, receipt};
use domain::billing::{MAX_PARTY_LINES, ReceiptState};
use domain::notices::Locale;

fn pages(document: &Document) -> Vec<Page> {
    lay_out(&Face::load().unwrap(), document)
}

/// The texts of a page from its top to its foot, and from left to right.
fn texts(page: &Page) -> Vec<&str> {
    let texts = page.marks.iter().filter_map(|mark| match mark {
        Mark::Text { text, .. } => Some(text.as_str()),
        Mark::Rule { .. } => None,
    });
    texts.collect()
}

fn said(page: &Page) -> String {
    texts(page).join("\n")
}

/// Every mark is on the paper, and no two texts lie over each other.
fn assert_tidy(pages: &[Page]) {
    let face = Face::load().unwrap();
    for (number, page) in pages.iter().enumerate() {
        let mut boxes: Vec<(f32, f32, f32, f32)> = Vec::new();
        for mark in &page.marks {
            let Mark::Text { x, y, style, text } = mark else { continue };
            let placed = (*x, x + face.width(text, style.size), y - style.size * 0.9, *y);
            assert!(placed.0 >= MARGIN - 0.1 && placed.1 <= RIGHT + 0.1, "page {number}: {text} leaves the margins");
            assert!(placed.2 >= 0.0 && placed.3 <= PAGE_HEIGHT, "page {number}: {text} leaves the page");
            for other in &boxes {
                let apart = placed.1 <= other.0 + 0.1
                    || other.1 <= placed.0 + 0.1
                    || placed.3 <= other.2 + 0.1
                    || other.3 <= placed.2 + 0.1;
                assert!(apart, "page {number}: {text} lies over something");
            }
            boxes.push(placed);
        }
    }
}

#[test]
fn a_usual_receipt_is_one_page_that_says_everything() {
    for (locale, title) in [(Locale::Chinese, "账单"), (Locale::English, "Receipt")] {
        let receipt = receipt(locale);
        let document = document(&receipt);
        let pages = pages(&document);
        assert_eq!(pages.len(), 1);
        assert_tidy(&pages);
        let squeezed = said(&pages[0]).replace(['\n', ' '], "");
        let facts = document.facts.iter().chain(&document.sums).flat_map(|row| [&row.label, &row.value]);
        let cells = document.lines.iter().flatten().chain(document.payments.iter().flatten());
        let names = [&document.seller.1.name, &document.buyer.1.name, &document.title, &document.note];
        for text in facts.chain(cells).chain(names).chain(&document.seller.1.lines) {
            assert!(squeezed.contains(&text.replace(' ', "")), "{text} is missing from {squeezed}");
        }
        assert!(squeezed.starts_with(title));
    }
}

#[test]
fn many_lines_go_on_over_pages_with_headings_and_numbers() {
    let document = document(&long(Locale::English, 90));
    let pages = pages(&document);
    assert!(pages.len() > 2, "{}", pages.len());
    assert_tidy(&pages);
    let rows: usize = pages.iter().map(|page| said(page).matches("Coupon WELCOME").count()).sum();
    assert_eq!(rows, 90 / 4);
    for (index, page) in pages.iter().enumerate() {
        let text = said(page);
        assert!(text.contains(&format!("Page {} of {}", index + 1, pages.len())), "{text}");
        let has_rows = text.contains("/ 1,000 words") || text.contains("Coupon");
        assert_eq!(has_rows, text.contains("Description"), "a page of lines has its headings: {text}");
    }
    let last = said(pages.last().unwrap());
    assert!(last.contains("Total") && last.contains("Amount due"), "{last}");
}

#[test]
fn the_sums_are_never_torn_apart_whatever_the_number_of_lines() {
    for count in (1..60).step_by(3) {
        let pages = pages(&document(&long(Locale::Chinese, count)));
        let holding: Vec<_> = pages.iter().filter(|page| texts(page).iter().any(|text| *text == "合计")).collect();
        assert_eq!(holding.len(), 1);
        assert!(["基础费用", "应付"].iter().all(|label| said(holding[0]).contains(label)), "{count} lines");
        assert!(pages.iter().all(|page| texts(page).len() > 2), "an empty page with {count} lines");
    }
}

#[test]
fn the_longest_names_and_texts_stay_within_their_columns() {
    let mut receipt = receipt(Locale::Chinese);
    let long = "字".repeat(1_000);
    receipt.number = "9".repeat(500);
    receipt.buyer.name.clone_from(&long);
    receipt.buyer.lines = vec!["W".repeat(1_000); MAX_PARTY_LINES];
    receipt.lines[0].description.clone_from(&long);
    receipt.lines[0].quantity = "1".repeat(1_000);
    receipt.lines[0].rate.clone_from(&long);
    receipt.payments[0].means = long;
    assert_tidy(&pages(&document(&receipt)));
}

#[test]
fn a_bill_that_is_not_paid_says_so_beside_its_title() {
    let mut receipt = receipt(Locale::English);
    receipt.state = ReceiptState::Void;
    let pages = pages(&document(&receipt));
    assert_eq!(texts(&pages[0])[..2], ["Bill", "Void"]);
}

#[test]
fn a_row_of_the_longest_texts_takes_at_most_a_page() {
    let mut receipt = long(Locale::Chinese, 20);
    receipt.lines.iter_mut().for_each(|line| line.rate = "字".repeat(1_000));
    let count = pages(&document(&receipt)).len();
    assert!((20..=22).contains(&count), "{count}");
}
