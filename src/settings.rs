//! Common parts of all settings: validation errors, shares, and settings that a region may
//! override.
//!
//! A region may override single keys of the store's settings and inherits the others. This needs
//! each field twice: with a default, and optional. The macro [`settings`] generates both from one
//! list, so they cannot differ.

use std::time::Duration;

use serde::Deserialize;

/// An invalid setting, with the path of its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A store needs at least one region.
    #[error("regions: there is none; name at least one")]
    NoRegions,
    /// More regions than a store can hold.
    #[error("regions: {0} of them; a store holds at most {1}")]
    TooManyRegions(usize, usize),
    /// Two regions of one name could not be distinguished in errors and metrics.
    #[error("regions: two are named \"{0}\"; every region needs a name of its own")]
    DuplicateRegion(String),
    /// No region has this name.
    #[error("{key}: no region is named \"{region}\"")]
    UnknownRegion {
        /// Path of the key.
        key: String,
        /// The configured name.
        region: String,
    },
    /// A document that cannot be read or parsed.
    #[error("{at}{}{why}", if .at.is_empty() { "" } else { ": " })]
    Document {
        /// The file, and the line and column, as far as they are known.
        at: String,
        /// The path of the key and the reason. It shows no part of the document.
        why: String,
    },
    /// An invalid value.
    #[error("{key}: {why}")]
    Invalid {
        /// Path of the key, like `breaker.window`.
        key: String,
        /// The reason.
        why: String,
    },
}

/// The maximum of all configured times. Much longer ones may overflow the clock.
pub(crate) const DURATION_MAX: Duration = Duration::from_secs(365 * 86_400);

impl ConfigError {
    /// Rejects the first of `times` that is zero or longer than a year.
    pub(crate) fn check_durations(
        at: &str,
        times: impl IntoIterator<Item = (String, Duration)>,
    ) -> Result<(), Self> {
        for (key, time) in times {
            if time.is_zero() {
                return Err(Self::invalid(
                    format!("{at}.{key}"),
                    "must be longer than zero",
                ));
            }
            if time > DURATION_MAX {
                return Err(Self::invalid(
                    format!("{at}.{key}"),
                    "must not be longer than a year",
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn invalid(key: impl Into<String>, why: impl ToString) -> Self {
        Self::Invalid {
            key: key.into(),
            why: why.to_string(),
        }
    }
}

/// A share: a number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Deserialize)]
#[serde(try_from = "f64")]
pub struct Ratio(f64);

impl Ratio {
    /// A share.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] for numbers outside 0 to 1.
    pub fn new(share: f64) -> Result<Self, ConfigError> {
        Self::try_from(share).map_err(|why| ConfigError::invalid("ratio", why))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// A constant share.
    pub(crate) const fn literal(share: f64) -> Self {
        assert!(share >= 0.0 && share <= 1.0, "a share is between 0 and 1");
        Self(share)
    }
}

impl TryFrom<f64> for Ratio {
    type Error = String;

    fn try_from(share: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err(format!("{share} is not a share between 0 and 1"))
        }
    }
}

/// Generates `$name` (each key has a default) and `$over` (each key is optional) from one list of
/// fields.
macro_rules! settings {
    (
        $(#[$about:meta])*
        pub struct $name:ident, overridden by $over:ident {
            $(
                $(#[doc = $doc:literal])*
                $(#[serde($($how:tt)*)])?
                pub $field:ident: $kind:ty = $default:expr,
            )+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $( $(#[doc = $doc])* $(#[serde($($how)*)])? pub $field: $kind, )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )+ }
            }
        }

        #[doc = concat!("Some keys of [`", stringify!($name), "`]; a region inherits the others.")]
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct $over {
            $( $(#[serde($($how)*)])? pub(crate) $field: Option<$kind>, )+
        }

        impl $over {
            /// `base` with the keys that are set here.
            pub(crate) fn over(&self, base: &$name) -> $name {
                let mut settings = base.clone();
                $( if let Some(value) = self.$field.clone() { settings.$field = value; } )+
                settings
            }
        }
    };
}
pub(crate) use settings;
