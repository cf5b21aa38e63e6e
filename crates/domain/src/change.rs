//! One field of a partial update: absent keeps, `null` clears, a value sets.

use serde::{Deserialize, Deserializer};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> Change<T> {
    /// The field after the change.
    pub fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// Reads the new value, if there is one.
    pub fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Change<U>, E> {
        Ok(match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(read(value)?),
        })
    }
}

/// With `#[serde(default)]` on the field: an absent field never reaches this and stays `Keep`.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(|value| value.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Patch {
        #[serde(default)]
        name: Change<String>,
    }

    #[test]
    fn absent_keeps_null_clears_and_a_value_sets() {
        let after = |json: &str| serde_json::from_str::<Patch>(json).unwrap().name.apply(Some("old".into()));
        assert_eq!(after("{}"), Some("old".into()));
        assert_eq!(after(r#"{"name": null}"#), None);
        assert_eq!(after(r#"{"name": "new"}"#), Some("new".into()));
    }
}
