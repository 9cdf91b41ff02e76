//! The value of an option: literal, or read from the environment or a file. `Debug` never shows it.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The value of one of object_store's options.
#[derive(Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a string, a number, a boolean, { env = \"NAME\" } or { file = \"PATH\" }"
)]
#[non_exhaustive]
pub enum OptionValue {
    /// A literal text.
    Text(String),
    /// A literal boolean.
    Flag(bool),
    /// A literal number.
    Number(i64),
    /// Read from an environment variable when the store is built.
    #[serde(deserialize_with = "table")]
    Env(FromEnv),
    /// Read from a file when the store is built. White space at its ends is removed.
    #[serde(deserialize_with = "table")]
    File(FromFile),
}

/// `{ env = "NAME" }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromEnv {
    /// The name of the variable.
    pub env: String,
}

/// `{ file = "PATH" }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromFile {
    /// The path of the file.
    pub file: PathBuf,
}

impl fmt::Debug for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(from) => from.fmt(f),
            Self::File(from) => from.fmt(f),
            _ => f.write_str("***"),
        }
    }
}

/// Accepts a table only. A derived `Deserialize` also accepts a list of the fields: `["hunter2"]`
/// would become the name of a variable, which `Debug` shows.
fn table<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Table(PhantomData))
}

struct Table<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Table<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}
