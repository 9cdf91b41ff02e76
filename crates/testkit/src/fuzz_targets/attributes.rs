//! Attributes of writes that HTTP headers cannot carry.

use object_store::{Attribute, Attributes, Error, ObjectStore, PutMultipartOptions, PutOptions};

use super::client::{Region, regions};

/// The write is rejected without a request.
pub(crate) async fn check_rejected(name: &str, value: &str) {
    let attributes = Attributes::from_iter([(
        Attribute::Metadata(name.to_owned().into()),
        value.to_owned(),
    )]);
    for Region { store, client, .. } in regions() {
        let put = PutOptions {
            attributes: attributes.clone(),
            ..PutOptions::default()
        };
        let put = store.put_opts(&"k".into(), "v".into(), put).await.map(drop);
        let upload = PutMultipartOptions {
            attributes: attributes.clone(),
            ..PutMultipartOptions::default()
        };
        let upload = store
            .put_multipart_opts(&"k".into(), upload)
            .await
            .map(drop);
        assert!(
            matches!(
                (&put, &upload),
                (
                    Err(Error::NotSupported { .. }),
                    Err(Error::NotSupported { .. })
                )
            ),
            "{put:?} {upload:?}"
        );
        assert_eq!(client.requests().len(), 0);
    }
}
