//! Options: what operators change while the server runs, each with its kind, its bounds and its default.
//!
//! One row of `options` holds every option that differs from its default, as one JSON object. Replicas look at that
//! row every few seconds, which costs one look-up by primary key whatever the number of options.

use crate::error::{Error, FieldError, Result};
use crate::text::is_hidden;
use chrono_tz::Tz;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The row that holds the options.
pub const ROW: &str = "site_options";
/// What the row holds while nothing was changed.
pub const NOTHING_CHANGED: &str = "{}";

const MAX_NOTICE_LENGTH: usize = 1000;
const MAX_KEYS_PER_USER: u64 = 1000;

/// Every option as it holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteOptions {
    /// Whether strangers may become users.
    pub registration_open: bool,
    /// Shown where people log in; empty shows nothing.
    pub login_notice: String,
    /// The time zone in which pages show times until a user chose another; an IANA name.
    pub time_zone_label: String,
    /// Most API keys that a user may have.
    pub api_keys_per_user: usize,
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self {
            registration_open: true,
            login_notice: String::new(),
            time_zone_label: "Asia/Shanghai".to_owned(),
            api_keys_per_user: 100,
        }
    }
}

/// What an option is called, what it may be, and how it is read and shown.
pub struct OptionSpec {
    pub name: &'static str,
    pub kind: &'static str,
    pub about: &'static str,
    /// Sets the option, or says why the value will not do.
    set: fn(&mut SiteOptions, &Value) -> std::result::Result<(), String>,
    get: fn(&SiteOptions) -> Value,
}

impl OptionSpec {
    pub fn value(&self, options: &SiteOptions) -> Value {
        (self.get)(options)
    }

    pub fn default_value(&self) -> Value {
        (self.get)(&SiteOptions::default())
    }

    fn find(name: &str) -> Option<&'static Self> {
        SPECS.iter().find(|spec| spec.name == name)
    }
}

/// Every option there is.
pub static SPECS: [OptionSpec; 4] = [
    OptionSpec {
        name: "registration_open",
        kind: "boolean",
        about: "Whether strangers may become users, with a password or through an identity provider.",
        set: |options, value| {
            options.registration_open = value.as_bool().ok_or("must be true or false")?;
            Ok(())
        },
        get: |options| json!(options.registration_open),
    },
    OptionSpec {
        name: "login_notice",
        kind: "text of up to 1000 characters",
        about: "Shown where people log in; empty shows nothing.",
        set: |options, value| {
            options.login_notice = notice(value)?;
            Ok(())
        },
        get: |options| json!(options.login_notice),
    },
    OptionSpec {
        name: "time_zone_label",
        kind: "IANA time zone",
        about: "The time zone in which pages show times until a user chose another. Billing does not follow it.",
        set: |options, value| {
            let name = value.as_str().and_then(|name| name.parse::<Tz>().ok()).ok_or("is not an IANA time zone")?;
            name.name().clone_into(&mut options.time_zone_label);
            Ok(())
        },
        get: |options| json!(options.time_zone_label),
    },
    OptionSpec {
        name: "api_keys_per_user",
        kind: "integer from 0 to 1000",
        about: "Most API keys that a user may have; those there are stay.",
        set: |options, value| {
            let most = value.as_u64().filter(|most| *most <= MAX_KEYS_PER_USER);
            let most = most.and_then(|most| usize::try_from(most).ok()).ok_or("must be an integer from 0 to 1000")?;
            options.api_keys_per_user = most;
            Ok(())
        },
        get: |options| json!(options.api_keys_per_user),
    },
];

fn notice(value: &Value) -> std::result::Result<String, String> {
    let text = value.as_str().ok_or("must be a text")?.trim();
    if text.chars().count() > MAX_NOTICE_LENGTH {
        return Err("must have at most 1000 characters".to_owned());
    }
    if text.chars().any(|letter| letter != '\n' && is_hidden(letter)) {
        return Err("must not contain control or invisible characters".to_owned());
    }
    Ok(text.to_owned())
}

impl SiteOptions {
    /// The options after `wishes`; `null` goes back to the default. Every wish that will not do is named.
    pub fn changed(&self, wishes: &BTreeMap<String, Value>) -> Result<Self> {
        let (mut after, mut mistakes) = (self.clone(), Vec::new());
        for (name, wish) in wishes {
            let done = match OptionSpec::find(name) {
                None => Err("is not an option".to_owned()),
                Some(spec) if wish.is_null() => (spec.set)(&mut after, &spec.default_value()),
                Some(spec) => (spec.set)(&mut after, wish),
            };
            mistakes.extend(done.err().map(|reason| FieldError { field: name.clone(), reason }));
        }
        if mistakes.is_empty() { Ok(after) } else { Err(Error::Invalid(mistakes)) }
    }

    /// Reads the row. What an older or newer version wrote and this one does not know stays at the default.
    pub fn from_row(text: &str) -> Self {
        let stored: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        let mut options = Self::default();
        for (name, value) in &stored {
            if let Some(spec) = OptionSpec::find(name) {
                // A value that no longer fits leaves the default.
                let _unfit = (spec.set)(&mut options, value);
            }
        }
        options
    }

    /// The row: what differs from the default.
    pub fn to_row(&self) -> String {
        let differing = SPECS.iter().filter(|spec| spec.value(self) != spec.default_value());
        let row: BTreeMap<&str, Value> = differing.map(|spec| (spec.name, spec.value(self))).collect();
        json!(row).to_string()
    }

    /// The names and values that differ between two states, for the audit log.
    pub fn differences(&self, after: &Self) -> Value {
        let differing = SPECS.iter().filter(|spec| spec.value(self) != spec.value(after));
        let of = |spec: &OptionSpec| json!({ "before": spec.value(self), "after": spec.value(after) });
        Value::Object(differing.map(|spec| (spec.name.to_owned(), of(spec))).collect())
    }
}

/// The options as this process knows them; read by every request, replaced when the row changed.
#[derive(Debug, Default)]
pub struct LiveOptions(RwLock<Arc<SiteOptions>>);

impl LiveOptions {
    pub fn get(&self) -> Arc<SiteOptions> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether anything is another than before.
    pub fn replace(&self, options: SiteOptions) -> bool {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let differs = **current != options;
        *current = Arc::new(options);
        differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(value: Value) -> BTreeMap<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_is_changed_is_kept_and_null_goes_back_to_the_default() {
        let all = json!({"registration_open": false, "login_notice": "今晚维护", "time_zone_label": "Europe/Berlin", "api_keys_per_user": 3});
        let after = SiteOptions::default().changed(&wishes(all)).unwrap();
        assert_eq!((after.registration_open, after.api_keys_per_user), (false, 3));
        assert_eq!(SiteOptions::from_row(&after.to_row()), after);
        let back = after.changed(&wishes(json!({"registration_open": null, "api_keys_per_user": null}))).unwrap();
        assert!(back.registration_open && back.api_keys_per_user == 100 && back.login_notice == "今晚维护");
        assert_eq!(SiteOptions::default().to_row(), NOTHING_CHANGED);
    }

    #[test]
    fn every_wish_that_will_not_do_is_named_and_none_is_granted() {
        let bad = json!({"registration_open": 1, "login_notice": "\u{202E}", "time_zone_label": "Mars", "api_keys_per_user": 1001, "x": 1});
        let Err(Error::Invalid(fields)) = SiteOptions::default().changed(&wishes(bad)) else { panic!() };
        let names: Vec<_> = fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(names, ["api_keys_per_user", "login_notice", "registration_open", "time_zone_label", "x"]);
    }

    #[test]
    fn a_row_from_another_version_leaves_what_it_cannot_say_at_the_default() {
        let read = SiteOptions::from_row(r#"{"gone": 1, "api_keys_per_user": -5, "registration_open": false}"#);
        assert_eq!(read, SiteOptions { registration_open: false, ..SiteOptions::default() });
        assert_eq!(SiteOptions::from_row("not JSON"), SiteOptions::default());
    }

    #[test]
    fn only_what_differs_is_written_into_the_audit_log() {
        let after = SiteOptions { registration_open: false, ..SiteOptions::default() };
        let told = SiteOptions::default().differences(&after);
        assert_eq!(told, json!({"registration_open": {"before": true, "after": false}}));
    }
}
