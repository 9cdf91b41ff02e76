//! Attributes of a write that HTTP cannot carry.

use object_store::{Attribute, Attributes, Error, ObjectStore, PutMultipartOptions, PutOptions};

use super::wire::{Region, regions};

/// Refused, and nobody is asked.
pub async fn refused(name: &str, value: &str) {
    let attributes = Attributes::from_iter([(Attribute::Metadata(name.to_owned().into()), value.to_owned())]);
    for Region { store, script, .. } in regions() {
        let put = PutOptions { attributes: attributes.clone(), ..PutOptions::default() };
        let put = store.put_opts(&"k".into(), "v".into(), put).await.map(drop);
        let upload = PutMultipartOptions { attributes: attributes.clone(), ..PutMultipartOptions::default() };
        let upload = store.put_multipart_opts(&"k".into(), upload).await.map(drop);
        assert!(matches!((&put, &upload), (Err(Error::NotSupported { .. }), Err(Error::NotSupported { .. }))), "{put:?} {upload:?}");
        assert_eq!(script.requests().len(), 0);
    }
}
