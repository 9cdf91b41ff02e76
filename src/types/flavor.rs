//! Differences between S3 providers.

use serde::Deserialize;

/// The S3 implementation of a region. It decides the meaning of some responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flavor {
    /// Amazon S3. A 503 `SlowDown` is throttling: the call continues in another region, and the
    /// circuit counts no failure.
    Aws,
    /// MinIO. A 503 with a code that starts with `SlowDown` means a lost quorum of drives or nodes.
    /// It is a failure like any other 503.
    Minio,
    /// Any other provider (the default): codes have the meaning of Amazon S3.
    #[default]
    Generic,
}
