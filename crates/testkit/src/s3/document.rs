//! A region on S3 as an entry of a TOML document.

use std::fmt;

/// One entry of `[[regions]]`.
pub struct Document<'a> {
    pub name: &'a str,
    pub bucket: &'a str,
    /// The server's endpoint, or that of a proxy in front of it.
    pub endpoint: &'a str,
    pub key: &'a str,
    pub secret: &'a str,
    /// Lines between the URL and the options: further keys and tables of the region.
    pub more: &'a str,
}

impl fmt::Display for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            bucket,
            endpoint,
            key,
            secret,
            more,
        } = self;
        write!(
            f,
            r#"
[[regions]]
name = "{name}"
url = "s3://{bucket}"
{more}[regions.options]
aws_endpoint = "{endpoint}"
aws_region = "{}"
aws_access_key_id = "{key}"
aws_secret_access_key = "{secret}"
aws_allow_http = true
"#,
            super::REGION
        )
    }
}
