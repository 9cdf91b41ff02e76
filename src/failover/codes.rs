//! The table: what a status and a provider's code mean.
//!
//! Codes come first where there is one, because a status means different things to different providers: a 503 is death or
//! overload, a 400 is the caller's mistake, an expired token or a request that took too long.

use crate::failure::FailureClass;
use FailureClass::{
    Caller, Conflict, Interrupted, Misconfigured, NotFound, NotModified, Precondition, Throttled, Timeout, Unauthorized, Unavailable,
};

/// The class of an answer with this status and code. `about_object` tells whether a 404 can be news about an object.
pub(super) fn class(status: u16, code: Option<&str>, about_object: bool) -> FailureClass {
    code.and_then(class_of_code).unwrap_or(match status {
        304 => NotModified,
        401 | 403 => Unauthorized,
        404 if about_object => NotFound,
        408 => Timeout,
        405 | 409 | 411 | 413 | 414 | 416 | 431 => Caller,
        412 => Precondition,
        429 => Throttled,
        500.. => Unavailable,
        // Redirects, a bare 400, a 404 that is not about an object: another region may understand what this one does not.
        _ => Misconfigured,
    })
}

/// The class of a code that says more than its status.
fn class_of_code(code: &str) -> Option<FailureClass> {
    const FAMILIES: [&str; 5] = ["SlowDown", "Throttling", "RequestThrottled", "TooManyRequests", "ProvisionedThroughputExceeded"];
    if FAMILIES.iter().any(|family| code.starts_with(family)) {
        return Some(Throttled);
    }
    Some(match code {
        "RequestLimitExceeded" | "ServerBusy" | "PriorRequestNotComplete" => Throttled,
        "RequestTimeout" | "RequestTimeoutException" => Timeout,
        "InternalError" | "InternalServerError" | "ServiceUnavailable" | "XMinioServerNotInitialized" => Unavailable,
        "ConditionalRequestConflict" | "OperationAborted" => Conflict,
        "IncompleteBody" => Interrupted,
        "AccessDenied" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "RequestTimeTooSkewed" | "RequestExpired" => Unauthorized,
        "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" | "InvalidSecurity" => Unauthorized,
        "ContainerNotFound" | "ContainerBeingDeleted" | "ContainerDisabled" => Misconfigured,
        "NoSuchBucket" | "PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" => Misconfigured,
        "InvalidArgument" | "InvalidRequest" | "MalformedXML" | "InvalidBucketName" | "InvalidRange" | "KeyTooLongError" => Caller,
        "MethodNotAllowed" | "EntityTooLarge" | "BadDigest" | "InvalidDigest" => Caller,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_source_documents_has_its_class() {
        let check = |class_expected: FailureClass, status: u16, codes: &[&str]| {
            for code in codes {
                assert_eq!(class(status, Some(code), true), class_expected, "{code}");
            }
        };
        check(Throttled, 503, &["SlowDown", "SlowDownRead", "ThrottlingException", "RequestThrottled", "RequestThrottledException"]);
        check(
            Throttled,
            503,
            &["TooManyRequestsException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ServerBusy"],
        );
        check(Throttled, 400, &["ThrottlingException", "PriorRequestNotComplete"]);
        check(Unavailable, 503, &["ServiceUnavailable", "InternalError", "InternalServerError", "XMinioServerNotInitialized"]);
        check(Timeout, 400, &["RequestTimeout", "RequestTimeoutException"]);
        check(NotFound, 404, &["NoSuchKey", "NoSuchVersion"]);
        check(Misconfigured, 404, &["NoSuchBucket", "ContainerNotFound"]);
        check(Misconfigured, 409, &["ContainerBeingDeleted", "ContainerDisabled"]);
        check(Unauthorized, 403, &["AccessDenied", "RequestTimeTooSkewed", "SignatureDoesNotMatch"]);
        check(Unauthorized, 400, &["ExpiredToken", "InvalidToken"]);
        check(Caller, 400, &["InvalidRequest", "InvalidArgument", "MalformedXML", "InvalidBucketName"]);
    }

    #[test]
    fn a_bare_status_has_its_class() {
        let bare = |status| class(status, None, true);
        assert_eq!([408, 429, 500, 502, 503, 504].map(bare), [Timeout, Throttled, Unavailable, Unavailable, Unavailable, Unavailable]);
        assert_eq!(
            [301, 400, 401, 403, 404, 412, 416].map(bare),
            [Misconfigured, Misconfigured, Unauthorized, Unauthorized, NotFound, Precondition, Caller]
        );
        assert_eq!(class(404, None, false), Misconfigured);
    }
}
