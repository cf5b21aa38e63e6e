//! What mails say: one text per kind of event and language, filled from the event.
//!
//! The first line of a text is the subject. `{threshold}` is a field of the event, `{chosen.plan}` one within another,
//! `{due_at:day}` the local day of a time.

use crate::outbox::StoredEvent;
use crate::time::local_day;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value;

/// A language that texts are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locale {
    Chinese,
    English,
}

impl Locale {
    /// Reads a language tag by its first part: `zh-CN`, `zh_Hans`, `EN`.
    pub fn parse(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next().unwrap_or_default();
        match language.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }
}

/// A mail without its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub body: String,
}

/// Kind of event, Chinese text, English text.
type Texts = (&'static str, &'static str, &'static str);

/// The texts of kinds of events, from files of their names.
macro_rules! texts {
    ($($kind:literal),+ $(,)?) => {
        [$((
            $kind,
            include_str!(concat!("letters/", $kind, ".zh.txt")),
            include_str!(concat!("letters/", $kind, ".en.txt")),
        )),+]
    };
}

const TEXTS: &[Texts] = &texts![
    "bill.given_up",
    "bill.issued",
    "bill.paid",
    "bill.past_due",
    "bill.refunded",
    "bill.reminder",
    "bill.suspended",
    "invoice.issued",
    "invoice.outdated",
    "invoice.rejected",
    "invoice.reversed",
    "order.closed",
    "order.delivered",
    "payment.suspended",
    "quota.warning",
    "refund.succeeded",
    "subscription.changed",
    "subscription.recovered",
    "webhook_endpoint.disabled",
];

/// Whether an event is mailed: there is a text, and no other letter says the same.
pub fn is_mailed(event: &StoredEvent) -> bool {
    let is = |field: &str, words: &[&str]| event.payload[field].as_str().is_some_and(|word| words.contains(&word));
    let owing = ["past_due", "suspended"];
    let needless = match event.kind.as_str() {
        // Nothing has to be paid.
        "bill.issued" => is("status", &["paid"]),
        // It will be rejected, and that is told.
        "invoice.outdated" => is("status", &["requested"]),
        // Letters about the bill, or about the recovery, say why.
        "subscription.changed" => {
            let recovered = is("status_before", &owing) && is("status", &["active"]);
            let owes = is("status", &owing) && event.payload["status"] != event.payload["status_before"];
            recovered || owes
        }
        _ => false,
    };
    !needless && TEXTS.iter().any(|(of, ..)| *of == event.kind)
}

/// The mail about an event; `None` for kinds that are not mailed. Days are those of `zone`.
pub fn letter(event: &StoredEvent, locale: Locale, zone: Tz) -> Option<Letter> {
    let (_, chinese, english) = TEXTS.iter().find(|(kind, ..)| *kind == event.kind)?;
    let text = match locale {
        Locale::Chinese => chinese,
        Locale::English => english,
    };
    let (subject, body) = text.split_once('\n').unwrap_or((text, ""));
    let filled = |text: &str| fill(text, &event.payload, zone);
    // A line break in a value would begin a header of its own.
    let subject = filled(subject).replace(|letter: char| letter.is_control(), " ");
    Some(Letter { subject, body: filled(body.trim_start()) })
}

/// Puts fields of the event where the text names them; a field that the event has not is a dash.
fn fill(text: &str, payload: &Value, zone: Tz) -> String {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        filled.push_str(&shown(payload, name, zone));
        filled.push_str(rest);
    }
    filled
}

/// `{due_at:day}` is the day of a time, `{period_end:eve}` the last day before it.
fn shown(payload: &Value, name: &str, zone: Tz) -> String {
    let (name, form) = name.split_once(':').unwrap_or((name, ""));
    let field = name.split('.').try_fold(payload, |value, key| value.get(key));
    match field {
        Some(Value::String(text)) => day(text, form, zone).unwrap_or_else(|| text.clone()),
        None | Some(Value::Null) => "–".to_owned(),
        Some(other) => other.to_string(),
    }
}

fn day(text: &str, form: &str, zone: Tz) -> Option<String> {
    let before = match form {
        "day" => TimeDelta::zero(),
        "eve" => TimeDelta::microseconds(1),
        _ => return None,
    };
    let time = text.parse::<DateTime<Utc>>().ok()?.checked_sub_signed(before)?;
    Some(local_day(time, zone).to_string())
}

#[cfg(test)]
mod tests {
    use super::super::samples::event;
    use super::*;
    use crate::id::AccountId;
    use chrono_tz::Asia::Shanghai;
    use serde_json::json;

    fn warning() -> StoredEvent {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        event(AccountId::new(now), 1, now)
    }

    #[test]
    fn a_warning_is_told_in_both_languages_with_its_numbers() {
        for (locale, subject) in [(Locale::English, "80% of words used"), (Locale::Chinese, "words 已使用 80%")] {
            let letter = letter(&warning(), locale, Shanghai).unwrap();
            assert!(letter.subject.contains(subject), "{}", letter.subject);
            for number in ["24000", "30000"] {
                assert!(letter.body.contains(number), "{}", letter.body);
            }
        }
    }

    #[test]
    fn every_text_has_a_subject_a_body_and_the_same_fields_in_both_languages() {
        let fields = |text: &str| {
            let mut names: Vec<_> =
                text.split('{').skip(1).map(|part| part.split_once('}').unwrap().0.to_owned()).collect();
            names.sort();
            names.dedup();
            names
        };
        for (kind, chinese, english) in TEXTS.iter().copied() {
            assert_eq!(fields(chinese), fields(english), "{kind}");
            for text in [chinese, english] {
                let (subject, body) = text.split_once('\n').unwrap();
                assert!(!subject.trim().is_empty() && !body.trim().is_empty(), "{kind}");
            }
        }
    }

    #[test]
    fn no_value_begins_a_header_and_a_missing_field_is_a_dash() {
        let payload = json!({"meter": "words\r\nBcc: all@example.com", "threshold": 80});
        let letter = letter(&StoredEvent { payload, ..warning() }, Locale::English, Shanghai).unwrap();
        assert!(!letter.subject.contains(['\r', '\n']), "{:?}", letter.subject);
        assert!(letter.body.contains('–'));
    }

    #[test]
    fn days_are_local_and_a_period_ends_on_the_day_before_its_end() {
        let payload = json!({
            "total": "99.00", "currency": "CNY", "plan": "pro", "bill": "bil_1", "due_at": "2026-11-27T16:00:00Z",
            "period_start": "2026-10-20T16:00:00Z", "period_end": "2026-11-20T16:00:00Z",
        });
        let event = StoredEvent { kind: "bill.issued".to_owned(), payload, ..warning() };
        let body = letter(&event, Locale::English, Shanghai).unwrap().body;
        assert!(body.contains("Period: 2026-10-21 to 2026-11-20.") && body.contains("by 2026-11-28."), "{body}");
    }

    #[test]
    fn nothing_is_mailed_twice_in_other_words_and_no_bill_that_asks_for_nothing() {
        let mailed = |kind: &str, payload| is_mailed(&StoredEvent { kind: kind.to_owned(), payload, ..warning() });
        assert!(
            mailed("bill.issued", json!({"status": "unpaid"})) && !mailed("bill.issued", json!({"status": "paid"}))
        );
        assert!(mailed("invoice.outdated", json!({"status": "issued"})));
        assert!(!mailed("invoice.outdated", json!({"status": "requested"})));
        let changed = |before: &str, after: &str| {
            mailed("subscription.changed", json!({"status_before": before, "status": after}))
        };
        assert!(changed("active", "active") && changed("pending", "active") && changed("past_due", "past_due"));
        for (before, after) in [("active", "past_due"), ("past_due", "suspended"), ("suspended", "active")] {
            assert!(!changed(before, after), "{before} to {after}");
        }
        assert!(!mailed("bill.voided", json!({})));
    }

    #[test]
    fn languages_are_read_by_their_first_part() {
        for tag in ["zh", "zh-CN", "zh_Hans_CN", "ZH-tw"] {
            assert_eq!(Locale::parse(tag), Some(Locale::Chinese), "{tag}");
        }
        assert_eq!(Locale::parse("en-GB"), Some(Locale::English));
        for tag in ["", "de", "zhx"] {
            assert_eq!(Locale::parse(tag), None, "{tag}");
        }
    }
}
