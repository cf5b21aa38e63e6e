//! The files themselves: whole, the same every time, and bounded.

use super::*;
use crate::samples::{document, long, receipt};
use domain::notices::Locale;
use std::collections::BTreeSet;

/// The characters that a reader of the file can copy from it: its maps from glyphs to text.
fn readable(pdf: &[u8]) -> BTreeSet<char> {
    let text = String::from_utf8_lossy(pdf);
    let mut found = BTreeSet::new();
    for map in text.split("beginbfchar").skip(1).filter_map(|rest| rest.split("endbfchar").next()) {
        for line in map.lines() {
            let Some(target) = line.rsplit('<').next().and_then(|rest| rest.strip_suffix('>')) else { continue };
            let units: Vec<u16> = (0..target.len() / 4)
                .map(|index| u16::from_str_radix(&target[index * 4..index * 4 + 4], 16).unwrap())
                .collect();
            found.extend(String::from_utf16(&units).unwrap().chars());
        }
    }
    found
}

fn plain(document: &Document) -> Vec<u8> {
    let face = Face::load().unwrap();
    paint(&face, document, &lay_out(&face, document), false).unwrap()
}

fn compressed(document: &Document) -> Vec<u8> {
    render(&OnceLock::new(), document).unwrap()
}

#[test]
fn the_same_receipt_is_the_same_bytes_and_another_is_not() {
    let first = document(&receipt(Locale::Chinese));
    assert_eq!(compressed(&first), compressed(&first));
    let mut other = receipt(Locale::Chinese);
    other.buyer.name.push('们');
    assert_ne!(compressed(&first), compressed(&document(&other)));
}

#[test]
fn a_receipt_is_a_small_pdf_whose_text_can_be_copied() {
    for locale in [Locale::Chinese, Locale::English] {
        let document = document(&receipt(locale));
        let file = compressed(&document);
        assert!(file.starts_with(b"%PDF-1.") && file.trim_ascii_end().ends_with(b"%%EOF"));
        assert!(file.len() < 60_000, "{}", file.len());
        let readable = readable(&plain(&document));
        let names = [&document.title, &document.seller.1.name, &document.buyer.1.name, &document.note];
        let wanted = names.into_iter().chain(document.lines.iter().flatten()).flat_map(|text| text.chars());
        for letter in wanted.filter(|letter| *letter != ' ') {
            assert!(readable.contains(&letter), "{letter} cannot be copied");
        }
    }
}

#[test]
fn characters_outside_the_font_are_shown_as_boxes_and_never_fail() {
    let mut receipt = receipt(Locale::Chinese);
    receipt.buyer.name = "𬭎𠮷㛃 مرحبا שלום 👩\u{200D}💻 \u{202E}evil".to_owned();
    let document = document(&receipt);
    let face = Face::load().unwrap();
    let missing: String = missing(&face, &document).into_iter().filter(|letter| *letter != ' ').collect();
    assert_eq!(missing, "𬭎𠮷㛃مرحباשלום👩💻");
    let stands_for = face.glyph('𠮷');
    assert_eq!(stands_for.id, face.glyph(crate::font::MISSING).id);
    assert!(stands_for.id != 0 && stands_for.advance > 0.5, "the box is a glyph that is seen");
    assert!(compressed(&document).starts_with(b"%PDF"));
}

#[test]
fn the_font_has_what_receipts_in_chinese_and_english_need() {
    let face = Face::load().unwrap();
    let needed = "账单收据发票第页共合计应付已退优惠税额¥￥€£—–…·（），。：；%éüßøåñç0123456789□";
    assert_eq!(needed.chars().filter(|letter| !face.knows(*letter)).collect::<String>(), "");
    assert!((face.glyph('1').advance - face.glyph('8').advance).abs() < 0.001, "figures stand below each other");
}

#[test]
fn a_hundred_lines_stay_small() {
    let file = compressed(&document(&long(Locale::English, 100)));
    assert!(file.len() < 120_000, "{}", file.len());
}

#[tokio::test]
async fn more_than_can_wait_are_told_to_come_back() {
    let receipts = Arc::new(PdfReceipts::new(1));
    let document = document(&receipt(Locale::English));
    let held = receipts.running.clone().acquire_owned().await.unwrap();
    let waiting: Vec<_> = (0..=WAITING_PER_RUNNING)
        .map(|_| {
            let (receipts, document) = (receipts.clone(), document.clone());
            tokio::spawn(async move { receipts.render(document).await })
        })
        .collect();
    while receipts.admitted.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(matches!(receipts.render(document.clone()).await, Err(Error::Unavailable)));
    drop(held);
    for waited in waiting {
        assert!(waited.await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_to_come_back_and_leaves_room() {
    let receipts = PdfReceipts::new(1);
    let held = receipts.running.clone().acquire_owned().await.unwrap();
    let room = receipts.admitted.available_permits();
    let waited = receipts.render(document(&receipt(Locale::English))).await;
    assert!(matches!(waited, Err(Error::Unavailable)));
    assert_eq!(receipts.admitted.available_permits(), room);
    drop(held);
    assert!(receipts.render(document(&receipt(Locale::English))).await.is_ok());
}

/// Not a test: `RECEIPTS_DIR=… cargo test -p suanpan-receipts -- --ignored` writes pages to look at, with their cost.
#[test]
#[ignore = "writes files for the eye"]
fn write_samples() {
    let folder = std::path::PathBuf::from(std::env::var("RECEIPTS_DIR").unwrap());
    let face = OnceLock::new();
    let mut unpaid = receipt(Locale::Chinese);
    unpaid.state = domain::billing::ReceiptState::Unpaid;
    unpaid.buyer.name =
        "𬭎𠮷㛃 مرحبا 👩\u{200D}💻 \u{202E}evil 一个很长很长的公司名称，用来看换行是否整齐（上海）有限公司".to_owned();
    let samples = [
        ("zh", receipt(Locale::Chinese)),
        ("en", receipt(Locale::English)),
        ("zh-long", long(Locale::Chinese, 70)),
        ("en-long", long(Locale::English, 70)),
        ("odd", unpaid),
        ("largest", long(Locale::Chinese, domain::billing::MAX_LINES)),
    ];
    for (name, receipt) in samples {
        let document = document(&receipt);
        let _ = render(&face, &document).unwrap();
        let started = std::time::Instant::now();
        let file = render(&face, &document).unwrap();
        println!("{name}: {} bytes in {:?}", file.len(), started.elapsed());
        std::fs::write(folder.join(name).with_extension("pdf"), file).unwrap();
    }
}
