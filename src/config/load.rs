//! Documents as text: TOML, JSON and files. Errors have a line, a column and the path of the key.
//!
//! No error shows a part of the document: any line of it may hold a secret.

use std::path::Path;

use super::document::{FailoverConfig, without_value};
use crate::settings::ConfigError;

impl FailoverConfig {
    /// Parses a TOML document.
    ///
    /// ```
    /// # use object_store_failover::FailoverConfig;
    /// let error = FailoverConfig::from_toml("[breaker]\nfailure_treshold = 3").unwrap_err();
    /// assert!(error.to_string().starts_with("line 2, column 1: breaker.failure_treshold: "));
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError::Document`] with the line, the column and the path of the key. It never shows
    /// a part of the document.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        toml::Deserializer::parse(text)
            .map_err(|error| (None, error))
            .and_then(Self::parse)
            .map_err(|(path, error)| {
                let at = error.span().map(|span| Position::of(text, span.start));
                ConfigError::document(at, path, error.message())
            })
    }

    /// Parses a JSON document.
    ///
    /// # Errors
    ///
    /// As [`from_toml`](Self::from_toml).
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let parsed = Self::parse(&mut json)
            .and_then(|config| json.end().map(|()| config).map_err(|error| (None, error)));
        parsed.map_err(|(path, error)| {
            let at = Position {
                line: error.line(),
                column: error.column(),
            };
            // serde_json appends the position to its text.
            let message = error.to_string();
            let message = message
                .rsplit_once(" at line ")
                .map_or(&*message, |(text, _)| text);
            ConfigError::document(Some(at).filter(|at| at.line > 0), path, message)
        })
    }

    /// Reads a document from a file: TOML for `*.toml`, JSON for `*.json`.
    ///
    /// # Errors
    ///
    /// As [`from_toml`](Self::from_toml), with the path of the file; also where the file cannot be
    /// read, or its name has another extension.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let fail = |why: String| ConfigError::Document {
            at: path.display().to_string(),
            why,
        };
        let parse = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Self::from_toml,
            Some("json") => Self::from_json,
            _ => {
                return Err(fail(
                    "the format is unknown: name the file *.toml or *.json".into(),
                ));
            }
        };
        let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        parse(&text).map_err(|error| match error {
            ConfigError::Document { at, why } if at.is_empty() => fail(why),
            ConfigError::Document { at, why } => ConfigError::Document {
                at: format!("{}, {at}", path.display()),
                why,
            },
            other => other,
        })
    }
}

/// A place in a document, counted from 1.
struct Position {
    line: usize,
    column: usize,
}

impl Position {
    fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |last| last.chars().count())
            + 1;
        Self { line, column }
    }
}

impl ConfigError {
    fn document(at: Option<Position>, path: Option<String>, message: &str) -> Self {
        let at = at.map(|at| format!("line {}, column {}", at.line, at.column));
        let why = without_value(message.trim_end());
        Self::Document {
            at: at.unwrap_or_default(),
            why: path.map_or_else(|| why.clone(), |path| format!("{path}: {why}")),
        }
    }
}
