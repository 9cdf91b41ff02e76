//! The table: what a status, a provider's code and a broken connection mean.
//!
//! Codes come first where there is one, because a status means different things to different providers: a 503 is death or
//! overload, a 400 is the caller's mistake, an expired token or a request that took too long.

use std::io::ErrorKind;

use object_store::client::HttpErrorKind;

use crate::failure::{Failure, FailureClass};
use crate::flavor::Flavor;
use FailureClass::{
    Caller, Conflict, Connect, Interrupted, Misconfigured, NotFound, NotModified, Precondition, Throttled, Timeout, Unauthorized,
    Unavailable, Unknown,
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

/// The class of a request that has no answer.
pub(super) fn class_of_transport(kind: HttpErrorKind) -> FailureClass {
    match kind {
        HttpErrorKind::Connect => Connect,
        HttpErrorKind::Timeout => Timeout,
        HttpErrorKind::Request | HttpErrorKind::Interrupted | HttpErrorKind::Decode => Interrupted,
        _ => Unknown,
    }
}

/// The class of an error of stores without HTTP, where it says anything.
pub(super) fn class_of_io(kind: ErrorKind) -> Option<FailureClass> {
    Some(match kind {
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Connect,
        ErrorKind::TimedOut => Timeout,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Interrupted,
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData => Interrupted,
        _ => return None,
    })
}

impl Failure {
    /// What it means in a region of this flavor.
    ///
    /// MinIO says `SlowDown` (`SlowDownRead`, `SlowDownWrite`) where it has lost its quorum, after seconds of trying. That is death, not
    /// overload; and of a write nobody knows whether some of its drives have it. The code may also stand in the body of a 200.
    pub(crate) fn in_flavor(self, flavor: Flavor) -> Self {
        match flavor {
            Flavor::Minio if self.is_lost_quorum() => Self { class: Unavailable, ..self },
            Flavor::Minio | Flavor::Aws | Flavor::Generic => self,
        }
    }

    fn is_lost_quorum(&self) -> bool {
        matches!(self.status, None | Some(503)) && self.code.as_deref().is_some_and(|code| code.starts_with("SlowDown"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_say_slow_down_is_overload_and_a_503_without_one_is_not() {
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
        for code in [None, Some("ServiceUnavailable"), Some("Busy"), Some("slowdown"), Some("ServerBusyElsewhere"), Some("NotThrottling")] {
            assert_eq!(class(503, code, true), Unavailable, "{code:?}");
        }
        assert_eq!([None, Some("Unheard")].map(|code| class(429, code, true)), [Throttled; 2]);
    }

    #[test]
    fn only_minio_means_a_lost_quorum() {
        let class = |status, code: &str, flavor| {
            let class = class(status, Some(code), true);
            Failure::answered(class, status, Some(code.to_owned())).in_flavor(flavor).class()
        };
        for code in ["SlowDown", "SlowDownRead", "SlowDownWrite"] {
            assert_eq!(
                [Flavor::Minio, Flavor::Aws, Flavor::Generic].map(|flavor| class(503, code, flavor)),
                [Unavailable, Throttled, Throttled]
            );
        }
        assert_eq!(class(429, "SlowDown", Flavor::Minio), Throttled);
        assert_eq!(class(503, "ServerBusy", Flavor::Minio), Throttled);
        assert_eq!(class(404, "NoSuchKey", Flavor::Minio), NotFound);
        let in_body = Failure { code: Some("SlowDownWrite".into()), ..Failure::new(Throttled, "error in a response of status 200") };
        let lost = in_body.clone().in_flavor(Flavor::Minio);
        assert_eq!((lost.class(), lost.may_have_been_done()), (Unavailable, true));
        assert_eq!(in_body.clone().in_flavor(Flavor::Generic), in_body);
    }

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
