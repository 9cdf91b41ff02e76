//! Tables of statuses, provider codes and transport errors.
//!
//! A code takes precedence over its status, because providers use one status for different causes:
//! a 503 is an outage or throttling, a 400 is an invalid request, an expired token or a timeout.

use std::io::ErrorKind;

use object_store::client::HttpErrorKind;

use super::Failure;
use crate::types::{FailureClass, Flavor};
use FailureClass::{
    Caller, Conflict, Connect, Interrupted, Misconfigured, NotFound, NotModified, Precondition,
    Throttled, Timeout, Unauthorized, Unavailable, Unknown, Unsupported,
};

/// The class of a response. `about_object` is true if a 404 can mean a missing object.
pub(super) fn class(status: u16, code: Option<&str>, about_object: bool) -> FailureClass {
    // A 429 is throttling, whatever the code beside it.
    if status == 429 {
        return Throttled;
    }
    code.and_then(class_of_code).unwrap_or(match status {
        304 => NotModified,
        401 | 403 => Unauthorized,
        404 if about_object => NotFound,
        408 => Timeout,
        405 | 409 | 416 => Caller,
        // Without a provider's code these are limits of a proxy before the region.
        411 | 413 | 414 | 431 => Unsupported,
        412 => Precondition,
        501 => Unsupported,
        500.. => Unavailable,
        // Redirects, a 400 without a code, a 404 that is not about an object: another region may
        // accept the request.
        _ => Misconfigured,
    })
}

/// The class of a code that is more specific than its status.
fn class_of_code(code: &str) -> Option<FailureClass> {
    const FAMILIES: [&str; 5] = [
        "SlowDown",
        "Throttling",
        "RequestThrottled",
        "TooManyRequests",
        "ProvisionedThroughputExceeded",
    ];
    if FAMILIES.iter().any(|family| code.starts_with(family)) {
        return Some(Throttled);
    }
    Some(match code {
        "RequestLimitExceeded" | "ServerBusy" | "PriorRequestNotComplete" => Throttled,
        "BandwidthLimitExceeded" | "ThrottledException" | "LimitExceededException" => Throttled,
        "NotImplemented" => Unsupported,
        // The object is archived there. Another region may hold it in a readable tier.
        "InvalidObjectState" | "BlobArchived" | "BlobBeingRehydrated" => Unsupported,
        "RequestTimeout" | "RequestTimeoutException" => Timeout,
        "InternalError"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "XMinioServerNotInitialized" => Unavailable,
        "ConditionalRequestConflict" | "OperationAborted" => Conflict,
        "IncompleteBody" => Interrupted,
        "AccessDenied"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "RequestTimeTooSkewed"
        | "RequestExpired" => Unauthorized,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "InvalidSecurity" => Unauthorized,
        "ContainerNotFound" | "ContainerBeingDeleted" | "ContainerDisabled" => Misconfigured,
        "NoSuchBucket"
        | "PermanentRedirect"
        | "TemporaryRedirect"
        | "AuthorizationHeaderMalformed" => Misconfigured,
        "InvalidArgument" | "InvalidRequest" | "MalformedXML" | "InvalidBucketName"
        | "InvalidRange" | "KeyTooLongError" => Caller,
        "MethodNotAllowed" | "EntityTooLarge" | "BadDigest" | "InvalidDigest" => Caller,
        _ => return None,
    })
}

/// The class of a request without a response.
pub(super) fn class_of_transport(kind: HttpErrorKind) -> FailureClass {
    match kind {
        HttpErrorKind::Connect => Connect,
        HttpErrorKind::Timeout => Timeout,
        HttpErrorKind::Request | HttpErrorKind::Interrupted | HttpErrorKind::Decode => Interrupted,
        _ => Unknown,
    }
}

/// The class of an I/O error of stores without HTTP, if it implies one.
pub(super) fn class_of_io(kind: ErrorKind) -> Option<FailureClass> {
    Some(match kind {
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable => Connect,
        ErrorKind::TimedOut => Timeout,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            Interrupted
        }
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData => Interrupted,
        _ => return None,
    })
}

impl Failure {
    /// The failure as the region's S3 implementation means it.
    ///
    /// MinIO responds `SlowDown` (`SlowDownRead`, `SlowDownWrite`) after a loss of quorum, when it
    /// has retried for seconds. That is an outage, not throttling, and a write may have reached
    /// some of its drives. The code may also be in the body of a 200.
    pub(crate) fn in_flavor(self, flavor: Flavor) -> Self {
        match flavor {
            Flavor::Minio if self.is_lost_quorum() => Self {
                class: Unavailable,
                ..self
            },
            Flavor::Minio | Flavor::Aws | Flavor::Generic => self,
        }
    }

    fn is_lost_quorum(&self) -> bool {
        matches!(self.status, None | Some(503))
            && self
                .code
                .as_deref()
                .is_some_and(|code| code.starts_with("SlowDown"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_codes_are_throttled_and_other_503s_are_not() {
        let throttled = [
            "SlowDown",
            "SlowDownWrite",
            "Throttling",
            "ThrottlingException",
            "RequestThrottled",
            "RequestThrottledException",
            "RequestLimitExceeded",
            "TooManyRequests",
            "TooManyRequestsException",
            "ProvisionedThroughputExceeded",
            "ProvisionedThroughputExceededException",
            "ServerBusy",
        ];
        for code in throttled {
            assert_eq!(class(503, Some(code), true), Throttled, "{code}");
        }
        for code in [
            None,
            Some("ServiceUnavailable"),
            Some("Busy"),
            Some("slowdown"),
            Some("ServerBusyElsewhere"),
            Some("NotThrottling"),
        ] {
            assert_eq!(class(503, code, true), Unavailable, "{code:?}");
        }
        assert_eq!(
            [None, Some("Unlisted")].map(|code| class(429, code, true)),
            [Throttled; 2]
        );
    }

    #[test]
    fn slow_down_is_lost_quorum_in_minio_only() {
        let class = |status, code: &str, flavor| {
            let class = class(status, Some(code), true);
            Failure::with_status(class, status, Some(code.to_owned()))
                .in_flavor(flavor)
                .class()
        };
        for code in ["SlowDown", "SlowDownRead", "SlowDownWrite"] {
            assert_eq!(
                [Flavor::Minio, Flavor::Aws, Flavor::Generic]
                    .map(|flavor| class(503, code, flavor)),
                [Unavailable, Throttled, Throttled]
            );
        }
        assert_eq!(class(429, "SlowDown", Flavor::Minio), Throttled);
        assert_eq!(class(503, "ServerBusy", Flavor::Minio), Throttled);
        assert_eq!(class(404, "NoSuchKey", Flavor::Minio), NotFound);
        let in_body = Failure {
            code: Some("SlowDownWrite".into()),
            ..Failure::new(Throttled, "error in a response of status 200")
        };
        let lost = in_body.clone().in_flavor(Flavor::Minio);
        assert_eq!(
            (lost.class(), lost.may_have_taken_effect()),
            (Unavailable, true)
        );
        assert_eq!(in_body.clone().in_flavor(Flavor::Generic), in_body);
    }

    #[test]
    fn documented_codes_have_their_class() {
        let documented = [
            (
                Throttled,
                503,
                "SlowDown SlowDownRead ThrottlingException RequestThrottled",
            ),
            (
                Throttled,
                503,
                "RequestThrottledException TooManyRequestsException",
            ),
            (
                Throttled,
                503,
                "ProvisionedThroughputExceededException RequestLimitExceeded",
            ),
            (Throttled, 503, "ServerBusy"),
            (
                Throttled,
                400,
                "ThrottlingException PriorRequestNotComplete",
            ),
            (
                Unavailable,
                503,
                "ServiceUnavailable InternalError InternalServerError",
            ),
            (Unavailable, 503, "XMinioServerNotInitialized"),
            (Timeout, 400, "RequestTimeout RequestTimeoutException"),
            (NotFound, 404, "NoSuchKey NoSuchVersion"),
            (Misconfigured, 404, "NoSuchBucket ContainerNotFound"),
            (
                Misconfigured,
                409,
                "ContainerBeingDeleted ContainerDisabled",
            ),
            (
                Unauthorized,
                403,
                "AccessDenied RequestTimeTooSkewed SignatureDoesNotMatch",
            ),
            (Unauthorized, 400, "ExpiredToken InvalidToken"),
            (
                Caller,
                400,
                "InvalidRequest InvalidArgument MalformedXML InvalidBucketName",
            ),
        ];
        for (expected, status, codes) in documented {
            for code in codes.split(' ') {
                assert_eq!(class(status, Some(code), true), expected, "{code}");
            }
        }
    }

    #[test]
    fn status_without_code_has_its_class() {
        let bare = |status| class(status, None, true);
        assert_eq!(
            [408, 429, 500, 502, 503, 504].map(bare),
            [
                Timeout,
                Throttled,
                Unavailable,
                Unavailable,
                Unavailable,
                Unavailable
            ]
        );
        assert_eq!(
            [301, 400, 401, 403, 404, 412, 416].map(bare),
            [
                Misconfigured,
                Misconfigured,
                Unauthorized,
                Unauthorized,
                NotFound,
                Precondition,
                Caller
            ]
        );
        assert_eq!(class(404, None, false), Misconfigured);
    }
}
