//! What a caller may say about one call.

use std::time::Duration;

/// Overrides for one call, put into its `extensions` (of `GetOptions`, `PutOptions`, `PutMultipartOptions`, `CopyOptions` or
/// `RenameOptions`).
///
/// ```
/// use object_store::GetOptions;
/// use object_store_failover::CallOptions;
///
/// let mut options = GetOptions::default();
/// options.extensions.insert(CallOptions { pin: Some("eu-west-1".into()), ..Default::default() });
/// ```
///
/// They never widen what the store's own policies allow: a conditional write goes to home or nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// Limit of the whole call, to response headers, where it is shorter than the store's (default none). Running into it charges no
    /// region.
    pub deadline: Option<Duration>,
    /// This region and no other (default none). Where its circuit is open the call asks early, and fails if it may not.
    pub pin: Option<String>,
    /// Not these regions (default none).
    pub avoid: Vec<String>,
}
