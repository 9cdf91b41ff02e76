//! The kinds of calls: each has its own turn in the rotation, its own limits and its own rounds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of call on the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "String")]
#[non_exhaustive]
pub enum Operation {
    /// A read of an object or of ranges of it.
    Get,
    /// A read of an object's metadata.
    Head,
    /// A listing, to its first item.
    List,
    /// A listing of one level, whole.
    ListWithDelimiter,
    /// A write of a whole object.
    Put,
    /// One part of a multipart upload.
    PutPart,
    /// A copy within a region.
    Copy,
    /// A rename within a region.
    Rename,
    /// The end of a multipart upload.
    Complete,
    /// A delete.
    Delete,
}

impl Operation {
    pub(crate) const ALL: [Self; 10] = [
        Self::Get,
        Self::Head,
        Self::List,
        Self::ListWithDelimiter,
        Self::Put,
        Self::PutPart,
        Self::Copy,
        Self::Rename,
        Self::Complete,
        Self::Delete,
    ];

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    pub(crate) fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::Head | Self::List | Self::ListWithDelimiter)
    }

    /// The name in settings, errors and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Head => "head",
            Self::List => "list",
            Self::ListWithDelimiter => "list_with_delimiter",
            Self::Put => "put",
            Self::PutPart => "put_part",
            Self::Copy => "copy",
            Self::Rename => "rename",
            Self::Complete => "complete",
            Self::Delete => "delete",
        }
    }
}

/// Read as text, so that an error in a map of operations can name the key.
impl TryFrom<String> for Operation {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|operation| operation.as_str() == name);
        known.ok_or_else(|| format!("`{name}` is no operation; they are {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
