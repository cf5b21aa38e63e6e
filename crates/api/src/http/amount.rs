//! Decimals in requests: a string or a JSON integer, never a float.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Longest decimal anybody needs; more is refused before it is looked at.
const MAX_LENGTH: usize = 40;

/// A decimal as the client wrote it; the meter or currency decides how many decimals it may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DecimalText(pub String);

impl DecimalText {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

struct DecimalVisitor;

impl Visitor<'_> for DecimalVisitor {
    type Value = DecimalText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal string such as \"12.50\" or an integer")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DecimalText, E> {
        if text.len() > MAX_LENGTH {
            return Err(E::custom("has too many digits"));
        }
        Ok(DecimalText(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<DecimalText, E> {
        Ok(DecimalText(number.to_string()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<DecimalText, E> {
        Ok(DecimalText(number.to_string()))
    }
}

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecimalVisitor)
    }
}

impl PartialSchema for DecimalText {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,9})?$"))
            .examples(["12.50"]);
        let number = ObjectBuilder::new().schema_type(Type::Integer).examples([1500]);
        OneOfBuilder::new().item(text).item(number).description(Some("A decimal: a string, or an integer.")).into()
    }
}

impl ToSchema for DecimalText {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Decimal")
    }
}
