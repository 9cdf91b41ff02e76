//! Requests for credentials are not part of the evidence of an attempt.

use std::sync::Arc;

use super::{builder, errors, response, serving};
use crate::error::{Failure, SendState};
use crate::transport::credentials::UnrecordedCredentials;
use crate::types::FailureClass;

#[tokio::test]
async fn requests_for_credentials_are_not_recorded() {
    let absent = serving(|_| {
        response(
            404,
            "x-amz-delete-marker: true\r\n",
            "<Code>NoSuchKey</Code>",
        )
    })
    .await;
    let bucket = serving(|_| response(503, "", "")).await;
    let expiry = "2999-01-01T00:00:00Z";
    let role = format!(
        r#"{{"AccessKeyId":"k","SecretAccessKey":"s","Token":"t","Code":"Success",
        "Expiration":"{expiry}"}}"#
    );
    let service = serving(move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        response(
            200,
            "",
            if path.ends_with("/role") {
                &role
            } else {
                "role"
            },
        )
    });
    for (metadata, requests, status) in [(absent, 0, None), (service.await, 1, Some(503))] {
        let plain = builder(&bucket).with_metadata_endpoint(&metadata);
        let credentials = Arc::clone(plain.clone().build().unwrap().credentials());
        let store = plain
            .with_credentials(Arc::new(UnrecordedCredentials(credentials)))
            .build()
            .unwrap();
        for (error, evidence) in errors(&store).await {
            assert_eq!(
                (evidence.requests, evidence.status),
                (requests, status),
                "{error:?}"
            );
            let sent = if requests == 0 {
                SendState::No
            } else {
                SendState::Yes
            };
            assert_eq!((evidence.sent, evidence.delete_marker), (sent, false));
            assert_ne!(
                Failure::classify(&error, Some(evidence)).class(),
                FailureClass::NotFound
            );
        }
    }
}
