//! Options of one call.

use std::time::Duration;

use object_store::{
    CopyOptions, Extensions, GetOptions, PutMultipartOptions, PutOptions, RenameOptions,
};

/// Options of one call, inserted into the `extensions` of `GetOptions`, `PutOptions`,
/// `PutMultipartOptions`, `CopyOptions` or `RenameOptions`.
///
/// ```
/// use object_store::GetOptions;
/// use object_store_failover::CallOptions;
///
/// let mut options = GetOptions::default();
/// options.extensions.insert(CallOptions { pin: Some("eu-west-1".into()), ..Default::default() });
/// ```
///
/// They restrict what the policies of the store allow and never extend it. If no region is left the
/// call fails with [`NoRegionAllowed`](crate::FailoverError::NoRegionAllowed).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// Limit of the whole call up to the response headers, if shorter than that of the store
    /// (default none). Exceeding it charges no region.
    pub deadline: Option<Duration>,
    /// Only this region (default none). Its 404 is final. While its circuit is open the call makes
    /// a last-resort attempt, and fails if none is allowed yet.
    pub pin: Option<String>,
    /// These regions are not used (default none).
    pub avoid: Vec<String>,
}

/// Options of object_store's calls, which carry [`CallOptions`] in their extensions.
pub(super) trait WithExtensions: Clone {
    fn extensions(&mut self) -> &mut Extensions;
}

/// The options for the store of a region. [`CallOptions`] are for this store: one below it may have
/// other regions.
pub(super) fn without_call_options<T: WithExtensions>(options: &T) -> T {
    let mut options = options.clone();
    options.extensions().remove::<CallOptions>();
    options
}

macro_rules! with_extensions {
    ($($options:ty)+) => {
        $(impl WithExtensions for $options {
            fn extensions(&mut self) -> &mut Extensions {
                &mut self.extensions
            }
        })+
    };
}

with_extensions! { GetOptions PutOptions PutMultipartOptions CopyOptions RenameOptions }
