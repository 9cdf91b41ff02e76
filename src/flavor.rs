//! What a region's provider means by its answers, where providers differ.

use serde::Deserialize;

/// Whose dialect of S3 a region speaks: it decides what some answers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flavor {
    /// Amazon S3. A 503 `SlowDown` is overload: the call moves on, and the region is not charged for a failure.
    Aws,
    /// MinIO. A 503 whose code begins with `SlowDown` says that too few of its drives or nodes are there to read or write: the region
    /// is charged, and its circuit opens as for any other 503.
    Minio,
    /// Anything else (the default): codes mean what they mean in S3.
    #[default]
    Generic,
}
