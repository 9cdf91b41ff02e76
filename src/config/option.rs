//! The value of a store's option: written out, or fetched from where secrets live. None is ever shown.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

#[cfg(feature = "aws")]
use crate::settings::ConfigError;

/// The value of one of object_store's options.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "expected a string, a number, a boolean, { env = \"NAME\" } or { file = \"PATH\" }")]
#[non_exhaustive]
pub enum OptionValue {
    /// Written out.
    Text(String),
    /// Written out, as a boolean.
    Flag(bool),
    /// Written out, as a number.
    Number(i64),
    /// Taken from an environment variable when the store is built.
    Env(FromEnv),
    /// Read from a file when the store is built; white space at its ends is dropped.
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

#[cfg(feature = "aws")]
impl OptionValue {
    /// The value; `at` is the path of its key.
    pub(super) fn resolve(&self, at: &str) -> Result<String, ConfigError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Flag(flag) => Ok(flag.to_string()),
            Self::Number(number) => Ok(number.to_string()),
            Self::Env(FromEnv { env }) => {
                std::env::var(env).map_err(|_| ConfigError::invalid(at, format!("the environment variable {env} is not set, or not UTF-8")))
            }
            Self::File(FromFile { file }) => match std::fs::read_to_string(file) {
                Ok(text) => Ok(text.trim().to_owned()),
                Err(error) => Err(ConfigError::invalid(at, format!("cannot read {}: {error}", file.display()))),
            },
        }
    }
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
