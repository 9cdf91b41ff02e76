//! Writes, and what home may hold after them.

use futures::future::join;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store::{PutMode, PutOptions, PutResult, Result};
use proptest::prelude::*;

use super::{Model, path};

impl Model {
    /// A new version, at least 42 bytes long: its number, repeated.
    fn version(&mut self, key: u8) -> Vec<u8> {
        self.written += 1;
        let repeats = 6 + self.written as usize % 4;
        let version = format!("<{:05}>", self.written)
            .repeat(repeats)
            .into_bytes();
        self.versions.entry(key).or_default().push(version.clone());
        version
    }

    pub(super) async fn write(&mut self, key: u8, mode: PutMode) -> Result<(), TestCaseError> {
        let version = self.version(key);
        let before = self.buckets[0].content(&path(key)).await;
        let creates = matches!(mode, PutMode::Create);
        let options = PutOptions::from(mode);
        let put = self
            .store
            .put_opts(&path(key), version.clone().into(), options)
            .await;
        if put.is_ok() {
            let may_create = before.is_none() && self.has_home;
            prop_assert!(!creates || may_create, "{key} was created twice");
            let stored = self.contents(key).await.contains(&Some(version.clone()));
            prop_assert!(stored, "an acknowledged write of {key} is in no bucket");
        }
        self.record(key, Some(version), &put);
        self.check_home(key).await
    }

    pub(super) async fn create_concurrently(&mut self, key: u8) -> Result<(), TestCaseError> {
        let (one, two) = (self.version(key), self.version(key));
        let before = self.buckets[0].content(&path(key)).await;
        let create = |version: Vec<u8>| {
            let store = self.store.clone();
            let options = PutOptions::from(PutMode::Create);
            async move { store.put_opts(&path(key), version.into(), options).await }
        };
        let (first, second) = join(create(one.clone()), create(two.clone())).await;
        prop_assert!(first.is_err() || second.is_err(), "{key} was created twice");
        let both_failed = first.is_err() && second.is_err();
        prop_assert!(
            before.is_none() || both_failed,
            "{key} was created over an object"
        );
        // The acknowledged version last: it replaces the possible version of the other create.
        let mut results = [(one, first), (two, second)];
        results.sort_by_key(|(_, result)| result.is_ok());
        for (version, result) in &results {
            self.record(key, Some(version.clone()), result);
        }
        self.check_home(key).await
    }

    pub(super) async fn delete(&mut self, key: u8) -> Result<(), TestCaseError> {
        let deleted = self.store.delete(&path(key)).await;
        let deleted = deleted.map(|()| PutResult {
            e_tag: None,
            version: None,
            extensions: Default::default(),
        });
        self.record(key, None, &deleted);
        self.check_home(key).await
    }

    /// Updates what home may hold. An error that excludes any effect leaves it unchanged.
    fn record(&mut self, key: u8, version: Option<Vec<u8>>, result: &Result<PutResult>) {
        let possible = self.possible.entry(key).or_insert_with(|| vec![None]);
        match result {
            Ok(_) => *possible = vec![version],
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
            Err(Error::NotSupported { .. }) => {}
            Err(_) => possible.push(version),
        }
    }

    async fn check_home(&self, key: u8) -> Result<(), TestCaseError> {
        if !self.has_home {
            return Ok(());
        }
        let content = self.buckets[0].content(&path(key)).await;
        let possible = self.possible[&key].contains(&content);
        let content = content.map(String::from_utf8);
        prop_assert!(
            possible,
            "home holds {content:?}, which is not the last write"
        );
        Ok(())
    }
}
