//! The table of cases for ID numbers. The check characters were computed apart from the code; the first number is the
//! example of GB 11643.

use super::*;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 25).unwrap()
}

fn parse(text: &str) -> Result<IdNumber, &'static str> {
    IdNumber::parse(text, today())
}

#[test]
fn these_are_numbers_however_they_are_typed() {
    for (typed, number) in [
        ("11010519491231002X", "11010519491231002X"),
        ("11010519491231002x", "11010519491231002X"),
        (" 11010519491231002X\t", "11010519491231002X"),
        ("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"),
        // The leap day of 2000.
        ("110105200002290013", "110105200002290013"),
        // Residence permits of Hong Kong and Taiwan.
        ("810000199003070015", "810000199003070015"),
        ("830000198506150024", "830000198506150024"),
        // The first day that counts, and today.
        ("11010519000101001X", "11010519000101001X"),
        ("110105202611250016", "110105202611250016"),
    ] {
        assert_eq!(parse(typed).map(|number| number.0), Ok(number.to_owned()), "{typed:?}");
    }
}

#[test]
fn these_are_none() {
    for (typed, reason) in [
        ("", "18 characters"),
        ("110105491231002", "18 characters"),
        ("11010519491231002", "18 characters"),
        ("11010519491231002XX", "18 characters"),
        ("1101051949123100X2", "18 characters"),
        ("11010519491231002Y", "does not fit"),
        ("110105 19491231002X", "18 characters"),
        ("11010519491231002\u{200B}X", "18 characters"),
        ("\0", "18 characters"),
        ("一一零一零五一九四九一二三一零零二", "18 characters"),
        // One digit mistyped, and two swapped.
        ("11010519491231003X", "does not fit"),
        ("11010519491213002X", "does not fit"),
        ("110105194912310021", "does not fit"),
        // Right check characters over what cannot be.
        ("000000000000000001", "no province"),
        ("990105199001011236", "no province"),
        ("100105199001010019", "no province"),
        ("110105199902290013", "no day of birth"),
        ("110105199013010018", "no day of birth"),
        ("110105199001320019", "no day of birth"),
        ("110105199001000015", "no day of birth"),
        ("110105189912310015", "somebody alive"),
        ("440524188001010014", "somebody alive"),
        ("110105202611260011", "somebody alive"),
    ] {
        let refused = parse(typed).unwrap_err();
        assert!(refused.contains(reason), "{typed:?}: {refused}");
    }
    assert!(parse(&"1".repeat(1_000_000)).is_err());
}

#[test]
fn every_single_mistyped_digit_is_noticed() {
    let number = "11010519491231002X";
    for place in 0..17 {
        for digit in '0'..='9' {
            let mut typed: Vec<char> = number.chars().collect();
            if typed[place] == digit {
                continue;
            }
            typed[place] = digit;
            assert!(parse(&typed.iter().collect::<String>()).is_err(), "{place} {digit}");
        }
    }
}

#[test]
fn a_number_is_masked_and_not_printed() {
    let number = parse("11010519491231002X").unwrap();
    assert_eq!(number.masked(), "1****************X");
    assert_eq!(format!("{number:?}"), "IdNumber(…)");
}
