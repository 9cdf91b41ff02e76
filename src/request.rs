//! Each call as a value that can be attempted on any region's store.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetResult, ListResult, ObjectMeta, ObjectStore, Result};

use crate::health::CircuitClass;
use crate::operation::Operation;

/// One call of the trait, as the loop sees it.
pub(crate) trait Request: Send + Sync {
    type Answer: Send;

    fn operation(&self) -> Operation;

    fn class(&self) -> CircuitClass {
        CircuitClass::Read
    }

    /// What the call is about, for errors.
    fn target(&self) -> Target<'_>;

    /// It asks for one object, so that its absence is news about the object.
    fn asks_for_object(&self) -> bool {
        false
    }

    /// It may be the one that finds out whether a region has recovered.
    fn may_try(&self) -> bool {
        true
    }

    /// One attempt. A read may be attempted anywhere and as often as the loop likes.
    fn attempt<'a>(&'a self, store: &'a Arc<dyn ObjectStore>) -> BoxFuture<'a, Result<Self::Answer>>;
}

/// What a call is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    Object(&'a Path),
    Prefix(Option<&'a Path>),
}

/// `get_opts`: an object, a part of it, or its metadata.
#[derive(Debug)]
pub(crate) struct Get<'a> {
    pub(crate) path: &'a Path,
    pub(crate) options: &'a GetOptions,
}

/// `list` and `list_with_offset`, to the first item.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) prefix: Option<Path>,
    pub(crate) offset: Option<Path>,
}

/// A listing that has begun.
pub(crate) struct Listing {
    /// None: it is empty.
    pub(crate) first: Option<ObjectMeta>,
    pub(crate) rest: BoxStream<'static, Result<ObjectMeta>>,
}

/// `list_with_delimiter`: one level, whole.
#[derive(Debug)]
pub(crate) struct ListWithDelimiter<'a> {
    pub(crate) prefix: Option<&'a Path>,
}

impl Request for Get<'_> {
    type Answer = GetResult;

    fn operation(&self) -> Operation {
        if self.options.head { Operation::Head } else { Operation::Get }
    }

    fn target(&self) -> Target<'_> {
        Target::Object(self.path)
    }

    fn asks_for_object(&self) -> bool {
        true
    }

    fn attempt<'a>(&'a self, store: &'a Arc<dyn ObjectStore>) -> BoxFuture<'a, Result<GetResult>> {
        store.get_opts(self.path, self.options.clone())
    }
}

impl Request for List {
    type Answer = Listing;

    fn operation(&self) -> Operation {
        Operation::List
    }

    fn target(&self) -> Target<'_> {
        Target::Prefix(self.prefix.as_ref())
    }

    fn attempt<'a>(&'a self, store: &'a Arc<dyn ObjectStore>) -> BoxFuture<'a, Result<Listing>> {
        let mut rest = match &self.offset {
            Some(offset) => store.list_with_offset(self.prefix.as_ref(), offset),
            None => store.list(self.prefix.as_ref()),
        };
        async move {
            let first = rest.next().await.transpose()?;
            // A stream that has ended must not be polled again.
            let rest = if first.is_some() { rest } else { stream::empty().boxed() };
            Ok(Listing { first, rest })
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

    /// Its answer may take minutes: too long to be a trial.
    fn may_try(&self) -> bool {
        false
    }

    fn attempt<'a>(&'a self, store: &'a Arc<dyn ObjectStore>) -> BoxFuture<'a, Result<ListResult>> {
        store.list_with_delimiter(self.prefix)
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(path) => write!(f, "\"{path}\""),
            Self::Prefix(Some(prefix)) => write!(f, "below \"{prefix}\""),
            Self::Prefix(None) => f.write_str("of everything"),
        }
    }
}
