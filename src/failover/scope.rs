//! Where a call may go: the store's policies first, the caller's word within them.

use object_store::path::Path;
use object_store::{Error, Extensions, Result};

use super::Core;
use super::config::HomeOut;
use crate::error::FailoverError;
use crate::operation::Operation;
use crate::region::RegionSet;
use crate::request::{CallOptions, Scope};

/// Where writes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteRule {
    Nowhere,
    Home,
    Anywhere,
}

/// What a scope is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) operation: Operation,
    /// The key, or the prefix of a listing.
    pub(crate) path: Option<&'a Path>,
    pub(crate) extensions: Option<&'a Extensions>,
}

impl Core {
    /// Where a read may go: anywhere, but for the prefixes that belong to home.
    pub(crate) fn read_scope(&self, call: Call<'_>) -> Result<Scope> {
        let everywhere = self.regions.all();
        let (allowed, first) = match self.home.filter(|_| self.is_homes(call.path)) {
            Some(home) if self.home_out == HomeOut::Fail => (RegionSet::one(home), None),
            Some(home) => (everywhere, Some(home)),
            None => (everywhere, None),
        };
        self.steered(allowed, first, call)
    }

    /// Where a write may go. What must not overwrite goes to home or nowhere: two regions would each see a first write.
    pub(crate) fn write_scope(&self, conditional: bool, call: Call<'_>) -> Result<Scope> {
        let path = || call.path.map(ToString::to_string).unwrap_or_default();
        let allowed = match (self.write_rule, self.home) {
            (WriteRule::Nowhere, _) => return Err(FailoverError::WritesDisabled { operation: call.operation, path: path() }.into()),
            (WriteRule::Anywhere, None) if conditional => {
                return Err(FailoverError::HomeRequired { operation: call.operation, path: path() }.into());
            }
            (WriteRule::Anywhere, _) if !conditional => self.regions.all(),
            (_, home) => home.into_iter().collect(),
        };
        self.steered(allowed, None, call)
    }

    /// Whether reads of this key belong to home.
    pub(crate) fn is_homes(&self, path: Option<&Path>) -> bool {
        path.is_some_and(|path| self.home_prefixes.iter().any(|prefix| path.prefix_matches(prefix)))
    }

    fn steered(&self, mut allowed: RegionSet, first: Option<usize>, call: Call<'_>) -> Result<Scope> {
        call.path.map_or(Ok(()), is_short)?;
        let Some(options) = call.extensions.and_then(|extensions| extensions.get::<CallOptions>()) else {
            return Ok(Scope { allowed, first, deadline: None, is_pinned: false });
        };
        if let Some(pin) = &options.pin {
            allowed = allowed.and(RegionSet::one(self.named(pin, call)?));
        }
        for avoided in &options.avoid {
            allowed.remove(self.named(avoided, call)?);
        }
        if allowed.is_empty() {
            return Err(no_region(call, "pin, avoid and the store's policies leave no region to ask".into()));
        }
        let first = first.filter(|first| allowed.contains(*first));
        Ok(Scope { allowed, first, deadline: options.deadline, is_pinned: options.pin.is_some() })
    }

    fn named(&self, name: &str, call: Call<'_>) -> Result<usize> {
        self.regions.find(name).ok_or_else(|| no_region(call, format!("no region is named \"{name}\"")))
    }
}

/// Refuses a key that no URL can hold: object_store's S3 client would panic at it. No provider takes one a tenth as long.
pub(crate) fn is_short(path: &Path) -> Result<()> {
    match path.as_ref().len() {
        ..=KEY_LONGEST => Ok(()),
        length => Err(Error::NotSupported { source: format!("a key of {length} bytes, and none may have more than {KEY_LONGEST}").into() }),
    }
}

/// Encoded, each byte takes up to three of the 64 KiB that the `http` crate has for a URL.
const KEY_LONGEST: usize = 16 * 1024;

fn no_region(call: Call<'_>, why: String) -> Error {
    let path = call.path.map(ToString::to_string).unwrap_or_default();
    FailoverError::NoRegionAllowed { operation: call.operation, path, why }.into()
}
