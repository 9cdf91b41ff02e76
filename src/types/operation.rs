//! Operations of the store. Each has its own rotation, timeouts and retries.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An operation of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "String")]
#[non_exhaustive]
pub enum Operation {
    /// Reads an object or ranges of it.
    Get,
    /// Reads the metadata of an object.
    Head,
    /// Lists a prefix; measured to the first item.
    List,
    /// Lists one level of a prefix completely.
    ListWithDelimiter,
    /// Writes an object in one request.
    Put,
    /// Uploads one part of a multipart upload.
    PutPart,
    /// Copies an object within a region.
    Copy,
    /// Renames an object within a region.
    Rename,
    /// Completes a multipart upload.
    Complete,
    /// Deletes an object.
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
        !matches!(
            self,
            Self::Get | Self::Head | Self::List | Self::ListWithDelimiter
        )
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

/// Parsed from text, so that an error can list the known names.
impl TryFrom<String> for Operation {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = Self::ALL
            .into_iter()
            .find(|operation| operation.as_str() == name);
        known.ok_or_else(|| {
            format!(
                "unknown operation `{name}`, expected one of {}",
                Self::ALL.map(Self::as_str).join(", ")
            )
        })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
