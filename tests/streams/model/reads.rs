//! Reads, checked against every version ever written and against the buckets.

use std::ops::Range;

use futures::TryStreamExt;
use object_store::{Error, GetOptions, GetRange, ObjectStore};
use object_store_failover::FailoverError;
use proptest::prelude::*;

use super::{Model, path};

impl Model {
    pub(super) async fn get(
        &self,
        key: u8,
        range: Option<Range<u64>>,
    ) -> Result<(), TestCaseError> {
        let options = GetOptions {
            range: range.clone().map(GetRange::Bounded),
            ..Default::default()
        };
        let read = async {
            self.store
                .get_opts(&path(key), options)
                .await?
                .bytes()
                .await
        };
        match read.await {
            Ok(body) => self.check_body(key, &body, range),
            Err(error) => self.check_not_found(key, &error).await,
        }
    }

    pub(super) async fn get_ranges(&self, key: u8) -> Result<(), TestCaseError> {
        let Ok(parts) = self.store.get_ranges(&path(key), &[0..7, 30..37]).await else {
            return Ok(());
        };
        let mut versions = self.versions.get(&key).into_iter().flatten();
        let known = versions.any(|known| parts[0] == known[0..7] && parts[1] == known[30..37]);
        prop_assert!(known, "ranges of two versions: {parts:?}");
        Ok(())
    }

    fn check_body(
        &self,
        key: u8,
        body: &[u8],
        range: Option<Range<u64>>,
    ) -> Result<(), TestCaseError> {
        let versions = self.versions.get(&key).into_iter().flatten();
        let matching = versions.filter(|version| match &range {
            Some(range) => body == &version[range.start as usize..range.end as usize],
            None => body == version.as_slice(),
        });
        let body = String::from_utf8_lossy(body);
        prop_assert_eq!(
            matching.count(),
            1,
            "a body of no single version: {:?}",
            body
        );
        Ok(())
    }

    async fn check_not_found(&self, key: u8, error: &Error) -> Result<(), TestCaseError> {
        if !matches!(error, Error::NotFound { .. }) {
            return Ok(());
        }
        prop_assert!(FailoverError::find(error).is_none());
        let contents = self.contents(key).await;
        prop_assert!(
            contents[0].is_none(),
            "NotFound for {key}, which home holds"
        );
        let absent = contents.iter().all(Option::is_none);
        prop_assert!(
            self.has_home || absent,
            "NotFound for {key}, which a region holds"
        );
        Ok(())
    }

    pub(super) async fn list(&self) -> Result<(), TestCaseError> {
        let Ok(items) = self.store.list(None).try_collect::<Vec<_>>().await else {
            return Ok(());
        };
        let mut names: Vec<_> = items.iter().map(|item| item.location.to_string()).collect();
        let count = names.len();
        names.dedup();
        prop_assert!(count == names.len() && names.is_sorted(), "{names:?}");
        Ok(())
    }
}
