//! Laying the default, a file and the environment over each other.

use super::sections::Sections;
use config::{Config, ConfigError, Environment, File, FileFormat, Map, Source, Value};
use serde_json::Value as Json;
use std::path::Path;

/// Every key with its default.
const DEFAULT: &str = include_str!("../../../../config/default.yaml");
const PREFIX: &str = "SUANPAN";
const SEPARATOR: &str = "__";
/// Sections that a file replaces as a whole: merging two products' plans would sell both.
const REPLACED: [&str; 2] = ["meters", "plans"];

/// The keys of one file.
#[derive(Clone, Debug)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// The file's name and text.
pub(super) fn read_file(path: &Path) -> Result<(String, String), String> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    Ok((name, text))
}

/// One document of all layers; the environment's `DATABASE_URL` is the weakest of the environment.
pub(super) fn merge(
    file: Option<(&str, &str)>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Sections, String> {
    let mut base = parse("config/default.yaml", DEFAULT)?;
    let mut builder = Config::builder();
    let environment: Map<String, String> = environment.into_iter().collect();
    let overlay = file.map(|(name, text)| parse(name, text)).transpose()?;
    if let Some(overlay) = &overlay {
        base.0.retain(|key, _| !(REPLACED.contains(&key.as_str()) && overlay.0.contains_key(key)));
    }
    builder = builder.add_source(base);
    if let Some(overlay) = overlay {
        builder = builder.add_source(overlay);
    }
    if let Some(url) = environment.get("DATABASE_URL") {
        builder = builder.add_source(Layer(url_layer(url)));
    }
    let variables =
        Environment::with_prefix(PREFIX).prefix_separator(SEPARATOR).separator(SEPARATOR).source(Some(environment));
    builder.add_source(variables).build().and_then(Config::try_deserialize).map_err(|error| line(&error))
}

/// `{database: {url}}`
fn url_layer(url: &str) -> Map<String, Value> {
    let origin = "DATABASE_URL".to_owned();
    let database = Map::from_iter([("url".to_owned(), Value::new(Some(&origin), url))]);
    Map::from_iter([("database".to_owned(), Value::new(Some(&origin), database))])
}

fn parse(name: &str, text: &str) -> Result<Layer, String> {
    File::from_str(text, FileFormat::Yaml).collect().map(Layer).map_err(|error| format!("{name}: {}", line(&error)))
}

/// A mistake is one line of a report.
fn line(error: &ConfigError) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The document with sorted keys, so that mistakes come in the same order each time.
pub(super) fn sorted(value: Json) -> Json {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(list) => Json::Array(list.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// `80,100` from the environment as the list that it stands for; anything else as it is.
pub(super) fn numbers_of_csv(value: &Json) -> Json {
    let Json::String(text) = value else { return value.clone() };
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.parse::<i64>().map_or_else(|_| Json::from(word), Json::from)).collect()
}
