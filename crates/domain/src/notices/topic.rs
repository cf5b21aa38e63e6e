//! Which events an endpoint hears: kinds such as `quota.warning`, or all of a noun by `quota.*`.

use crate::error::{Error, Result};

/// What a customer sends to try an endpoint; told to that endpoint only.
pub const TEST_EVENT: &str = "webhook_endpoint.test";
/// What customers hear when an endpoint failed for a day.
pub const DISABLED_EVENT: &str = "webhook_endpoint.disabled";
/// Most patterns of one endpoint.
const MAX_PATTERNS: usize = 32;
const MAX_PATTERN_LENGTH: usize = 64;
const WHOLE_NOUN: &str = ".*";

/// The kinds that an endpoint hears; `None` is every kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics(Option<Vec<String>>);

impl Topics {
    /// Every event of the account.
    pub const fn all() -> Self {
        Self(None)
    }

    /// Reads 1 to 32 patterns, each `noun.verb` or `noun.*`.
    pub fn read(patterns: Vec<String>) -> Result<Self> {
        if !(1..=MAX_PATTERNS).contains(&patterns.len()) {
            return Err(Error::invalid("events", "must name 1 to 32 kinds; leave it out for all"));
        }
        if let Some(place) = patterns.iter().position(|pattern| !is_pattern(pattern)) {
            return Err(Error::invalid(format!("events[{place}]"), "must be like quota.warning or quota.*"));
        }
        let mut patterns = patterns;
        patterns.sort();
        patterns.dedup();
        Ok(Self(Some(patterns)))
    }

    pub fn include(&self, kind: &str) -> bool {
        self.0.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| fits(pattern, kind)))
    }

    /// The patterns as they are stored and shown; `None` is every kind.
    pub fn patterns(&self) -> Option<&[String]> {
        self.0.as_deref()
    }
}

fn fits(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix(WHOLE_NOUN) {
        Some(noun) => kind.split_once('.').is_some_and(|(of, _)| of == noun),
        None => pattern == kind,
    }
}

fn is_pattern(text: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let verb = |verb: &str| verb == "*" || verb.split('.').all(word);
    text.len() <= MAX_PATTERN_LENGTH && text.split_once('.').is_some_and(|(noun, rest)| word(noun) && verb(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(patterns: &[&str]) -> Result<Topics> {
        Topics::read(patterns.iter().map(|&pattern| pattern.to_owned()).collect())
    }

    #[test]
    fn an_endpoint_hears_the_kinds_it_names_and_whole_nouns() {
        let topics = topics(&["quota.*", "subscription.changed"]).unwrap();
        for kind in ["quota.warning", "quota.reset", "subscription.changed"] {
            assert!(topics.include(kind), "{kind}");
        }
        for kind in ["subscription.ended", "quotas.warning", "quota"] {
            assert!(!topics.include(kind), "{kind}");
        }
        assert!(Topics::all().include("anything.at_all"));
    }

    #[test]
    fn what_is_no_kind_is_refused_by_its_place() {
        for pattern in ["", "*", "quota", ".warning", "quota.", "Quota.warning", "quota.war*", "quota warning", "*.*"] {
            let Err(Error::Invalid(fields)) = topics(&["quota.warning", pattern]) else { panic!("{pattern}") };
            assert_eq!(fields[0].field, "events[1]", "{pattern}");
        }
        assert!(topics(&[]).is_err());
        assert!(topics(&["quota.warning"; 33]).is_err());
    }
}
