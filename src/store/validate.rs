//! Rejects values that no HTTP header can hold: object_store's S3 client would panic.

use http::{HeaderName, HeaderValue};
use object_store::path::Path;
use object_store::{Attribute, Attributes, Error, GetOptions, PutMode, PutOptions, Result};

use crate::failover::scope;

pub(super) fn of_get(options: &GetOptions) -> Result<()> {
    let tags = [
        ("If-Match", &options.if_match),
        ("If-None-Match", &options.if_none_match),
    ];
    tags.into_iter()
        .try_for_each(|(name, tag)| of_value(name, tag.as_deref()))
}

pub(super) fn of_put(options: &PutOptions) -> Result<()> {
    if let PutMode::Update(version) = &options.mode {
        of_value("If-Match", version.e_tag.as_deref())?;
        of_value("the version", version.version.as_deref())?;
    }
    of_attributes(&options.attributes)
}

pub(super) fn of_attributes(attributes: &Attributes) -> Result<()> {
    attributes.iter().try_for_each(|(attribute, value)| {
        if let Attribute::Metadata(name) = attribute
            && HeaderName::from_bytes(name.as_bytes()).is_err()
        {
            return Err(invalid("the name of an attribute"));
        }
        of_value("the value of an attribute", Some(value))
    })
}

/// For keys besides the one that the call is about, which its scope checks.
pub(super) fn of_key(key: &Path) -> Result<()> {
    scope::check_key_length(key)
}

fn of_value(what: &str, value: Option<&str>) -> Result<()> {
    if value.is_none_or(|value| HeaderValue::from_str(value).is_ok()) {
        Ok(())
    } else {
        Err(invalid(what))
    }
}

fn invalid(what: &str) -> Error {
    Error::NotSupported {
        source: format!("{what} contains characters that no HTTP header can hold").into(),
    }
}
