//! Requests that read.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, GetResult, ListResult, ObjectMeta, ObjectStore, Result,
};

use super::options::without_call_options;
use super::validate::{self, ExpectedVersion, ResponseContext};
use super::{OnMissing, Request, Scope, Target};
use crate::health::CircuitClass;
use crate::region::RegionState;
use crate::runtime::clock;
use crate::types::Operation;

/// `get_opts`: an object, a part of it, or its metadata.
#[derive(Debug)]
pub(crate) struct Get<'a> {
    pub(crate) path: &'a Path,
    pub(crate) options: &'a GetOptions,
    pub(crate) scope: Scope,
    /// The version that it must be a part of, where an interrupted body resumes.
    pub(crate) version: Option<ExpectedVersion<'a>>,
}

/// `list` and `list_with_offset`, up to the first item.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) prefix: Option<Path>,
    pub(crate) offset: Option<Path>,
    /// The last key that was delivered. An ordered region resumes after it, any other starts again.
    pub(crate) after: Option<Path>,
    pub(crate) scope: Scope,
}

/// `list_with_delimiter`: all pages of one level.
#[derive(Debug)]
pub(crate) struct ListWithDelimiter<'a> {
    pub(crate) prefix: Option<&'a Path>,
    pub(crate) scope: Scope,
}

impl Request for Get<'_> {
    type Response = GetResult;

    fn operation(&self) -> Operation {
        if self.options.head {
            Operation::Head
        } else {
            Operation::Get
        }
    }

    fn target(&self) -> Target<'_> {
        Target::Object(self.path)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn circuit(&self) -> Option<CircuitClass> {
        Some(CircuitClass::Read)
    }

    fn on_missing(&self) -> OnMissing {
        OnMissing::SearchAll
    }

    fn expects_prompt_response(&self) -> bool {
        true
    }

    fn validate(&self, response: &GetResult, context: ResponseContext) -> Result<()> {
        validate::get_response(self.options, self.version, response, context)
    }

    fn attempt_owned(&self, region: &RegionState) -> Option<BoxFuture<'static, Result<GetResult>>> {
        let (store, path, options) = (
            Arc::clone(&region.store),
            self.path.clone(),
            without_call_options(self.options),
        );
        let requested = self.options.clone();
        // The status is not known here: the recorder belongs to the attempt.
        let context = ResponseContext {
            status: None,
            has_identity: region.has_identity,
        };
        let needs_proof = self.needs_proof(region);
        let get = async move {
            let response = match needs_proof {
                true => proven_head(&*store, &path, options).await?,
                false => store.get_opts(&path, options).await?,
            };
            validate::get_response(&requested, None, &response, context).map(|()| response)
        };
        Some(get.boxed())
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<GetResult>> {
        let options = without_call_options(self.options);
        if self.needs_proof(region) {
            return proven_head(region.store(), self.path, options).boxed();
        }
        region.store().get_opts(self.path, options)
    }
}

impl Get<'_> {
    /// S3 responds to a HEAD with the same bare 404 whether the key or the bucket is missing.
    fn needs_proof(&self, region: &RegionState) -> bool {
        self.options.head && !region.is_bucket_proven(clock::now())
    }
}

impl Request for List {
    type Response = BoxStream<'static, Result<ObjectMeta>>;

    fn operation(&self) -> Operation {
        Operation::List
    }

    fn target(&self) -> Target<'_> {
        Target::Prefix(self.prefix.as_ref())
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn circuit(&self) -> Option<CircuitClass> {
        Some(CircuitClass::Read)
    }

    fn on_missing(&self) -> OnMissing {
        OnMissing::Misconfigured
    }

    fn attempt_owned(
        &self,
        region: &RegionState,
    ) -> Option<BoxFuture<'static, Result<Self::Response>>> {
        Some(self.first_item(region))
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<Self::Response>> {
        self.first_item(region)
    }
}

impl List {
    fn first_item(
        &self,
        region: &RegionState,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<ObjectMeta>>>> {
        let after = self.after.as_ref().filter(|_| region.ordered);
        let mut rest = match after.or(self.offset.as_ref()) {
            Some(offset) => region
                .store()
                .list_with_offset(self.prefix.as_ref(), offset),
            None => region.store().list(self.prefix.as_ref()),
        };
        async move {
            Ok(match rest.next().await.transpose()? {
                Some(first) => stream::iter([Ok(first)]).chain(rest).boxed(),
                // A stream that has ended must not be polled again.
                None => stream::empty().boxed(),
            })
        }
        .boxed()
    }
}

impl Request for ListWithDelimiter<'_> {
    type Response = ListResult;

    fn operation(&self) -> Operation {
        Operation::ListWithDelimiter
    }

    fn target(&self) -> Target<'_> {
        Target::Prefix(self.prefix)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn circuit(&self) -> Option<CircuitClass> {
        Some(CircuitClass::Read)
    }

    fn on_missing(&self) -> OnMissing {
        OnMissing::Misconfigured
    }

    /// All pages may take minutes: too long for a trial.
    fn may_be_trial(&self) -> bool {
        false
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<ListResult>> {
        region.store().list_with_delimiter(self.prefix)
    }
}

/// A HEAD whose 404 is about the object: a GET of one byte finds out, because its error has a code.
async fn proven_head(
    store: &dyn ObjectStore,
    path: &Path,
    options: GetOptions,
) -> Result<GetResult> {
    let get = GetOptions {
        head: false,
        range: Some(GetRange::Bounded(0..1)),
        ..options.clone()
    };
    let result = store.get_opts(path, options).await;
    if !matches!(result, Err(Error::NotFound { .. })) {
        return result;
    }
    match store.get_opts(path, get).await {
        Err(error) => Err(error),
        // The object was written in between: the HEAD was right at its time.
        Ok(_) => result,
    }
}
