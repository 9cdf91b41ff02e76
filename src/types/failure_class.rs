//! Classes of failures.

use std::fmt;

use serde::Serialize;

/// Class of a failure. It decides about retries, circuits and the error for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureClass {
    /// No connection: refused, DNS, TLS.
    Connect,
    /// No response in time.
    Timeout,
    /// The connection broke, the body was truncated, or the headers do not match the request.
    Interrupted,
    /// The region responded that it cannot serve: 5xx.
    Unavailable,
    /// The region rejected the request because of its rate: overload, not an outage.
    Throttled,
    /// The region rejected the credentials: 401, 403, expired, or clock skew.
    Unauthorized,
    /// The configuration does not match the region: no such bucket, wrong region, a request that it
    /// does not support.
    Misconfigured,
    /// The region does not support the request, or cannot read the object in its storage tier: 501,
    /// an archived object, the size limit of a proxy.
    Unsupported,
    /// The region does not have the object.
    NotFound,
    /// The region has another version of the object than the requested one: 412.
    Precondition,
    /// A concurrent write of the same key is in progress, and this one took no effect: 409.
    Conflict,
    /// The caller already has the current version: 304.
    NotModified,
    /// The request is invalid, and would fail in every region.
    Caller,
    /// The error has no known form.
    Unknown,
}

impl FailureClass {
    /// In the order of the variants.
    pub(crate) const ALL: [Self; 14] = [
        Self::Connect,
        Self::Timeout,
        Self::Interrupted,
        Self::Unavailable,
        Self::Throttled,
        Self::Unauthorized,
        Self::Misconfigured,
        Self::Unsupported,
        Self::NotFound,
        Self::Precondition,
        Self::Conflict,
        Self::NotModified,
        Self::Caller,
        Self::Unknown,
    ];

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The name in metrics, logs and snapshots.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Unavailable => "unavailable",
            Self::Throttled => "throttled",
            Self::Unauthorized => "unauthorized",
            Self::Misconfigured => "misconfigured",
            Self::Unsupported => "unsupported",
            Self::NotFound => "not_found",
            Self::Precondition => "precondition",
            Self::Conflict => "conflict",
            Self::NotModified => "not_modified",
            Self::Caller => "caller",
            Self::Unknown => "unknown",
        }
    }

    /// The region did not do what was requested, whatever the cause.
    pub(crate) fn is_failing(self) -> bool {
        match self {
            Self::Connect | Self::Timeout | Self::Interrupted | Self::Unavailable => true,
            Self::Throttled | Self::Unauthorized | Self::Misconfigured | Self::Unknown => true,
            Self::NotFound | Self::Precondition | Self::NotModified => false,
            Self::Conflict | Self::Caller | Self::Unsupported => false,
        }
    }

    /// The request continues in another region, and that counts as a failover. A search for a
    /// missing key is none.
    pub(crate) fn causes_failover(self) -> bool {
        self.is_failing() || matches!(self, Self::Conflict | Self::Unsupported)
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect failed",
            Self::Timeout => "timed out",
            Self::Interrupted => "interrupted",
            Self::Unavailable => "unavailable",
            Self::Throttled => "throttled",
            Self::Unauthorized => "credentials rejected",
            Self::Misconfigured => "misconfigured",
            Self::Unsupported => "not supported there",
            Self::NotFound => "not found",
            Self::Precondition => "version mismatch",
            Self::Conflict => "concurrent write",
            Self::NotModified => "not modified",
            Self::Caller => "bad request",
            Self::Unknown => "unknown error",
        })
    }
}
