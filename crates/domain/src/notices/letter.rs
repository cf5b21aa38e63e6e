//! What mails say: one text per kind of event and language, filled from the event.
//!
//! The first line of a text is the subject. `{threshold}` is a field of the event, `{chosen.plan}` one within another.

use crate::outbox::StoredEvent;
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

const TEXTS: [Texts; 7] = texts![
    "order.closed",
    "order.delivered",
    "payment.suspended",
    "quota.warning",
    "refund.succeeded",
    "subscription.changed",
    "webhook_endpoint.disabled",
];

/// Whether events of the kind are mailed.
pub fn is_mailed(kind: &str) -> bool {
    TEXTS.iter().any(|(of, ..)| *of == kind)
}

/// The mail about an event; `None` for kinds that are not mailed.
pub fn letter(event: &StoredEvent, locale: Locale) -> Option<Letter> {
    let (_, chinese, english) = TEXTS.iter().find(|(kind, ..)| *kind == event.kind)?;
    let text = match locale {
        Locale::Chinese => chinese,
        Locale::English => english,
    };
    let (subject, body) = text.split_once('\n').unwrap_or((text, ""));
    let filled = |text: &str| fill(text, &event.payload);
    // A line break in a value would begin a header of its own.
    let subject = filled(subject).replace(|letter: char| letter.is_control(), " ");
    Some(Letter { subject, body: filled(body.trim_start()) })
}

/// Puts fields of the event where the text names them; a field that the event has not is a dash.
fn fill(text: &str, payload: &Value) -> String {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        filled.push_str(&shown(payload, name));
        filled.push_str(rest);
    }
    filled
}

fn shown(payload: &Value, name: &str) -> String {
    let field = name.split('.').try_fold(payload, |value, key| value.get(key));
    match field {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "–".to_owned(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::event;
    use super::*;
    use crate::id::AccountId;
    use chrono::DateTime;
    use serde_json::json;

    fn warning() -> StoredEvent {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        event(AccountId::new(now), 1, now)
    }

    #[test]
    fn a_warning_is_told_in_both_languages_with_its_numbers() {
        for (locale, subject) in [(Locale::English, "80% of words used"), (Locale::Chinese, "words 已使用 80%")] {
            let letter = letter(&warning(), locale).unwrap();
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
        for (kind, chinese, english) in TEXTS {
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
        let letter = letter(&StoredEvent { payload, ..warning() }, Locale::English).unwrap();
        assert!(!letter.subject.contains(['\r', '\n']), "{:?}", letter.subject);
        assert!(letter.body.contains('–'));
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
