//! The calls that read.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetResult, ListResult, ObjectMeta, Result};

use super::check::{self, Version};
use super::{Absence, Request, Scope, Target};
use crate::health::CircuitClass;
use crate::operation::Operation;
use crate::region::RegionState;

/// `get_opts`: an object, a part of it, or its metadata.
#[derive(Debug)]
pub(crate) struct Get<'a> {
    pub(crate) path: &'a Path,
    pub(crate) options: &'a GetOptions,
    pub(crate) scope: Scope,
    /// What it must be a part of, where a broken body goes on.
    pub(crate) version: Option<Version<'a>>,
}

/// `list` and `list_with_offset`, to the first item.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) prefix: Option<Path>,
    pub(crate) offset: Option<Path>,
    /// The last key that the caller has: a region that lists in order goes on after it, any other starts again.
    pub(crate) after: Option<Path>,
    pub(crate) scope: Scope,
}

/// `list_with_delimiter`: one level, whole.
#[derive(Debug)]
pub(crate) struct ListWithDelimiter<'a> {
    pub(crate) prefix: Option<&'a Path>,
    pub(crate) scope: Scope,
}

impl Request for Get<'_> {
    type Answer = GetResult;

    fn operation(&self) -> Operation {
        if self.options.head { Operation::Head } else { Operation::Get }
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

    fn absence(&self) -> Absence {
        Absence::Search
    }

    fn is_timed(&self) -> bool {
        true
    }

    fn check(&self, answer: &GetResult, status: Option<u16>) -> Result<()> {
        check::answer_to_get(self.options, self.version, answer, status)
    }

    fn detached(&self, region: &RegionState) -> Option<BoxFuture<'static, Result<GetResult>>> {
        let (store, path, options) = (Arc::clone(&region.store), self.path.clone(), self.options.clone());
        let asked = self.options.clone();
        let get = async move {
            let answer = store.get_opts(&path, options).await?;
            check::answer_to_get(&asked, None, &answer, None).map(|()| answer)
        };
        Some(get.boxed())
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<GetResult>> {
        region.store().get_opts(self.path, self.options.clone())
    }
}

impl Request for List {
    type Answer = BoxStream<'static, Result<ObjectMeta>>;

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

    fn absence(&self) -> Absence {
        Absence::Refusal
    }

    fn detached(&self, region: &RegionState) -> Option<BoxFuture<'static, Result<Self::Answer>>> {
        Some(self.first_item(region))
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<Self::Answer>> {
        self.first_item(region)
    }
}

impl List {
    fn first_item(&self, region: &RegionState) -> BoxFuture<'static, Result<BoxStream<'static, Result<ObjectMeta>>>> {
        let after = self.after.as_ref().filter(|_| region.ordered);
        let mut rest = match after.or(self.offset.as_ref()) {
            Some(offset) => region.store().list_with_offset(self.prefix.as_ref(), offset),
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
    type Answer = ListResult;

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

    fn absence(&self) -> Absence {
        Absence::Refusal
    }

    /// Its answer may take minutes: too long to be a trial.
    fn may_try(&self) -> bool {
        false
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<ListResult>> {
        region.store().list_with_delimiter(self.prefix)
    }
}
