//! Walking a JSON document with the path at hand, so that each mistake names its place.

use super::Mistake;
use crate::decimal::DecimalError;
use crate::money::{Currency, Money};
use crate::quantity::Quantity;
use serde_json::Value;

const FLOAT: &str = "write it as a quoted string: floating point is not exact";
const NUMBER: &str = "must be a whole number or a quoted decimal";

/// The mistakes found so far.
#[derive(Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.0.push(Mistake { path: path.into(), reason: reason.into() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_vec(self) -> Vec<Mistake> {
        self.0
    }
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node<'a> {
    value: &'a Value,
    pub(super) path: String,
}

/// An object whose keys are known.
pub(super) struct Fields<'a> {
    node: Node<'a>,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    fn child(&self, key: &str, value: &'a Value) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { value, path }
    }

    /// The object's fields; keys outside `known` are mistakes.
    pub(super) fn fields(&self, known: &[&str], mistakes: &mut Mistakes) -> Option<Fields<'a>> {
        for (key, node) in self.entries(mistakes)? {
            if !known.contains(&key) {
                mistakes.add(node.path, format!("unknown key; known are: {}", known.join(", ")));
            }
        }
        Some(Fields { node: self.clone() })
    }

    /// The entries of a map with open keys.
    pub(super) fn entries(&self, mistakes: &mut Mistakes) -> Option<Vec<(&'a str, Node<'a>)>> {
        let Value::Object(map) = self.value else {
            mistakes.add(&self.path, "must be a map of keys and values");
            return None;
        };
        Some(map.iter().map(|(key, value)| (key.as_str(), self.child(key, value))).collect())
    }

    pub(super) fn items(&self, mistakes: &mut Mistakes) -> Option<Vec<Node<'a>>> {
        let Value::Array(list) = self.value else {
            mistakes.add(&self.path, "must be a list");
            return None;
        };
        let item = |(index, value)| Node { value, path: format!("{}[{index}]", self.path) };
        Some(list.iter().enumerate().map(item).collect())
    }

    /// A text of 1 to `longest` characters.
    pub(super) fn text(&self, longest: usize, mistakes: &mut Mistakes) -> Option<&'a str> {
        let text = self.value.as_str().filter(|text| (1..=longest).contains(&text.chars().count()));
        if text.is_none() {
            mistakes.add(&self.path, format!("must be a text of 1 to {longest} characters"));
        }
        text
    }

    /// A text that `parse` understands.
    pub(super) fn word<T>(
        &self,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
        mistakes: &mut Mistakes,
    ) -> Option<T> {
        let word = self.value.as_str().and_then(parse);
        if word.is_none() {
            mistakes.add(&self.path, format!("must be {expected}"));
        }
        word
    }

    /// A whole number within `range`.
    pub(super) fn whole(&self, range: std::ops::RangeInclusive<i64>, mistakes: &mut Mistakes) -> Option<i64> {
        let whole = self.value.as_i64().filter(|number| range.contains(number));
        if whole.is_none() {
            mistakes.add(&self.path, format!("must be a whole number from {} to {}", range.start(), range.end()));
        }
        whole
    }

    pub(super) fn is_text(&self, text: &str) -> bool {
        self.value.as_str() == Some(text)
    }

    /// A quantity that is not negative, in the meter's unit.
    pub(super) fn quantity(&self, scale: u8, mistakes: &mut Mistakes) -> Option<Quantity> {
        let text = self.decimal(mistakes)?;
        let quantity = self.settle(Quantity::parse(&text, scale), mistakes)?;
        if quantity.is_negative() {
            mistakes.add(&self.path, "must not be negative");
            return None;
        }
        Some(quantity)
    }

    /// An amount that is not negative, `"0.50 CNY"`, read by `parse` and in `currency` when that is known.
    pub(super) fn money(
        &self,
        parse: fn(&str, Currency) -> Result<Money, DecimalError>,
        expected: Option<Currency>,
        mistakes: &mut Mistakes,
    ) -> Option<Money> {
        let amount = self.value.as_str().and_then(|text| text.split_once(' '));
        let Some((number, Some(currency))) = amount.map(|(number, code)| (number, Currency::parse(code))) else {
            mistakes.add(&self.path, "must be an amount with its currency, such as \"0.50 CNY\"");
            return None;
        };
        if let Some(expected) = expected.filter(|expected| *expected != currency) {
            mistakes.add(&self.path, format!("is in {currency}, but billing.currency is {expected}"));
            return None;
        }
        let money = self.settle(parse(number, currency), mistakes)?;
        if money.nanos() < 0 {
            mistakes.add(&self.path, "must not be negative");
            return None;
        }
        Some(money)
    }

    fn decimal(&self, mistakes: &mut Mistakes) -> Option<String> {
        let reason = match self.value {
            Value::String(text) => return Some(text.clone()),
            Value::Number(number) if number.is_f64() => FLOAT,
            Value::Number(number) => return Some(number.to_string()),
            _ => NUMBER,
        };
        mistakes.add(&self.path, reason);
        None
    }

    fn settle<T>(&self, read: Result<T, DecimalError>, mistakes: &mut Mistakes) -> Option<T> {
        read.map_err(|error| mistakes.add(&self.path, error.to_string())).ok()
    }
}

impl<'a> Fields<'a> {
    /// The field, unless it is absent or null.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        let value = self.node.value.get(key).filter(|value| !value.is_null())?;
        Some(self.node.child(key, value))
    }

    /// The field, which has to be there.
    pub(super) fn require(&self, key: &str, mistakes: &mut Mistakes) -> Option<Node<'a>> {
        let field = self.get(key);
        if field.is_none() {
            mistakes.add(self.path_of(key), "is missing");
        }
        field
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        self.node.child(key, self.node.value).path
    }
}
