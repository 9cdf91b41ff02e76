//! The regions that a call may use: the policies of the store, restricted by the options of the
//! call.

use object_store::path::Path;
use object_store::{Error, Extensions, Result};

use super::Engine;
use super::config::{HomeOut, WriteRule};
use crate::error::FailoverError;
use crate::region::RegionSet;
use crate::request::{CallOptions, Scope};
use crate::types::Operation;

/// The call that a scope is computed for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScopeQuery<'a> {
    pub(crate) operation: Operation,
    /// The key, or the prefix of a listing.
    pub(crate) path: Option<&'a Path>,
    pub(crate) extensions: Option<&'a Extensions>,
}

impl Engine {
    /// The regions of a read: all, except for prefixes that belong to home.
    pub(crate) fn read_scope(&self, query: ScopeQuery<'_>) -> Result<Scope> {
        let home = self.home.filter(|_| self.belongs_to_home(query.path));
        let allowed = match home {
            Some(home) if self.home_out == HomeOut::Fail => RegionSet::one(home),
            Some(_) | None => self.regions.all(),
        };
        self.apply_call_options(allowed, home, query)
    }

    /// The regions of a write. A conditional write goes to home only: two regions would each accept
    /// a first write.
    pub(crate) fn write_scope(&self, conditional: bool, query: ScopeQuery<'_>) -> Result<Scope> {
        let path = || query.path.map(ToString::to_string).unwrap_or_default();
        let allowed = match (self.write_rule, self.home) {
            (WriteRule::Nowhere, _) => {
                return Err(FailoverError::WritesDisabled {
                    operation: query.operation,
                    path: path(),
                }
                .into());
            }
            (WriteRule::Anywhere, None) if conditional => {
                return Err(FailoverError::HomeRequired {
                    operation: query.operation,
                    path: path(),
                }
                .into());
            }
            // Reads of this key go to home: a write to another region would not be found.
            (WriteRule::Anywhere, Some(home)) if self.belongs_to_home(query.path) => {
                RegionSet::one(home)
            }
            (WriteRule::Anywhere, _) if !conditional => self.regions.all(),
            (_, home) => home.into_iter().collect(),
        };
        self.apply_call_options(allowed, None, query)
    }

    /// Whether reads of this key belong to home.
    pub(crate) fn belongs_to_home(&self, path: Option<&Path>) -> bool {
        path.is_some_and(|path| {
            self.home_prefixes
                .iter()
                .any(|prefix| path.prefix_matches(prefix))
        })
    }

    fn apply_call_options(
        &self,
        mut allowed: RegionSet,
        home: Option<usize>,
        query: ScopeQuery<'_>,
    ) -> Result<Scope> {
        query.path.map_or(Ok(()), check_key_length)?;
        let Some(options) = query
            .extensions
            .and_then(|extensions| extensions.get::<CallOptions>())
        else {
            return Ok(Scope {
                allowed,
                first: home,
                home,
                avoided: RegionSet::default(),
                deadline: None,
                is_pinned: false,
            });
        };
        let mut avoided = RegionSet::default();
        if let Some(pin) = &options.pin {
            allowed = allowed.and(RegionSet::one(self.region_index(pin, query)?));
        }
        for name in &options.avoid {
            let region = self.region_index(name, query)?;
            if allowed.contains(region) {
                avoided.insert(region);
            }
            allowed.remove(region);
        }
        if allowed.is_empty() {
            return Err(no_region(
                query,
                "pin, avoid and the store's policies leave no region to ask".into(),
            ));
        }
        Ok(Scope {
            allowed,
            first: home.filter(|home| allowed.contains(*home)),
            home,
            avoided,
            deadline: options.deadline,
            is_pinned: options.pin.is_some(),
        })
    }

    fn region_index(&self, name: &str, query: ScopeQuery<'_>) -> Result<usize> {
        self.regions
            .find(name)
            .ok_or_else(|| no_region(query, format!("no region is named \"{name}\"")))
    }
}

/// Rejects a key that no URL can hold: object_store's S3 client would panic. Providers accept less
/// than a tenth of this length.
pub(crate) fn check_key_length(path: &Path) -> Result<()> {
    match path.as_ref().len() {
        ..=MAX_KEY_BYTES => Ok(()),
        length => Err(Error::NotSupported {
            source: format!("the key has {length} bytes; the maximum is {MAX_KEY_BYTES}").into(),
        }),
    }
}

/// Percent-encoded, each byte takes up to three of the 64 KiB of a URL in the `http` crate.
const MAX_KEY_BYTES: usize = 16 * 1024;

fn no_region(query: ScopeQuery<'_>, why: String) -> Error {
    let path = query.path.map(ToString::to_string).unwrap_or_default();
    FailoverError::NoRegionAllowed {
        operation: query.operation,
        path,
        why,
    }
    .into()
}
