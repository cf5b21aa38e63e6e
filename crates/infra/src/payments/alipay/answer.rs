//! Taking an answer apart without changing a character of what was signed.

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

/// The fields of a JSON object as they were written, each name at most once: a second node of the same name is how an
/// answer is made that verifies by one and is read by the other.
pub struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }

    /// A field that is a string.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|value| serde_json::from_str(value.get()).ok())
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object without repeated names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields: Vec<(String, Box<RawValue>)> = Vec::new();
        while let Some((name, value)) = map.next_entry()? {
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom("a name is repeated"));
            }
            fields.push((name, value));
        }
        Ok(Fields(fields))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// What every node has.
#[derive(Deserialize)]
pub struct Outcome {
    pub code: String,
    #[serde(default)]
    pub msg: String,
    #[serde(default)]
    pub sub_code: String,
    #[serde(default)]
    pub sub_msg: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Fields> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn what_was_signed_is_found_whatever_is_in_its_strings() {
        for node in [
            r#"{"a":"}","b":"{\"sign\":\"x\"}"}"#,
            r#"{"a\\":"\\\\"}"#,
            r#"{ "a" : [1, {"b": null}] }"#,
            r#""encrypted==""#,
        ] {
            let answer = format!(r#"{{"x_response" : {node} ,"sign":"s"}}"#);
            let fields = read(&answer).unwrap();
            assert_eq!(fields.get("x_response").unwrap().get(), node);
            assert_eq!(fields.text("sign").unwrap(), "s");
        }
    }

    #[test]
    fn a_repeated_node_a_cut_answer_and_another_shape_are_refused() {
        assert!(read(r#"{"x":{},"sign":"s","x":{}}"#).is_none());
        // The same name, written otherwise.
        assert!(read(r#"{"x":{},"sign":"s","\u0078":{}}"#).is_none());
        assert!(read(r#"{"x":{},"sign":"#).is_none());
        assert!(read(r"[]").is_none());
        assert!(read(r#"{"x":{}} {"x":{}}"#).is_none());
    }
}
