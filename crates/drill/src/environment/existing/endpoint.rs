//! Plain HTTP endpoints, in front of which a proxy can stand.

use std::net::SocketAddr;
use std::time::Duration;

use object_store_failover::RegionConfig;
use object_store_failover::config::OptionValue;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::Url;

/// Options that name an endpoint, of all providers.
const ENDPOINTS: [&str; 9] = [
    "endpoint",
    "endpoint_url",
    "aws_endpoint",
    "aws_endpoint_url",
    "aws_endpoint_url_s3",
    "base_url",
    "google_base_url",
    "azure_endpoint",
    "azure_storage_endpoint",
];
/// Options that need the original host of the endpoint.
const HOST_MATTERS: [&str; 3] = [
    "virtual_hosted_style_request",
    "aws_virtual_hosted_style_request",
    "proxy_url",
];
/// Limit to connect to one address; the first that accepts within it is used.
const PATIENCE: Duration = Duration::from_secs(2);

/// The address of a plain endpoint, and the option that names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    pub(super) option: String,
    text: String,
    pub(super) address: SocketAddr,
}

impl Endpoint {
    /// The plain endpoint of a region; `None` if it has none, or if a proxy cannot stand in front
    /// of it.
    pub async fn of(region: &RegionConfig) -> Option<Self> {
        let named = |names: &[&str]| -> Vec<&String> {
            region
                .options
                .keys()
                .filter(|key| names.contains(&key.to_ascii_lowercase().as_str()))
                .collect()
        };
        let [option] = named(&ENDPOINTS)[..] else {
            return None;
        };
        let OptionValue::Text(text) = region
            .options
            .get(option)
            .filter(|_| named(&HOST_MATTERS).is_empty())?
        else {
            return None;
        };
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "http")?;
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let address = first_reachable(&host, url.port_or_known_default()?).await?;
        Some(Self {
            option: option.clone(),
            text: text.clone(),
            address,
        })
    }

    /// The endpoint at another address; the path is kept.
    pub fn at(&self, address: SocketAddr) -> String {
        let (_, behind) = self.text.split_once("://").unwrap_or(("", &self.text));
        let path = behind.find('/').map_or("", |at| &behind[at..]);
        format!("http://{address}{path}")
    }
}

async fn first_reachable(host: &str, port: u16) -> Option<SocketAddr> {
    for address in lookup_host((host, port)).await.ok()? {
        if matches!(
            timeout(PATIENCE, TcpStream::connect(address)).await,
            Ok(Ok(_))
        ) {
            return Some(address);
        }
    }
    None
}
