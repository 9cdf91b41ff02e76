//! Plain endpoints, before which a proxy can stand.

use std::net::SocketAddr;
use std::time::Duration;

use object_store_failover::{OptionValue, RegionConfig};
use tokio::net::{TcpStream, lookup_host};
use url::Url;

use crate::clock::within;

/// Options that name an endpoint, in the words of every provider.
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
/// Options under which an endpoint's host says more than where to connect.
const HOST_MATTERS: [&str; 3] = ["virtual_hosted_style_request", "aws_virtual_hosted_style_request", "proxy_url"];
/// Of a name with several addresses the first that answers within this time is taken.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where a plain endpoint leads to, and the option that names it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Endpoint {
    pub(super) option: String,
    text: String,
    pub(super) address: SocketAddr,
}

impl Endpoint {
    /// That of this region; None where it has none that is plain, and where a proxy before it would be in the way.
    pub(crate) async fn of(region: &RegionConfig) -> Option<Self> {
        let named = |names: &[&str]| -> Vec<&String> {
            region.options.keys().filter(|key| names.contains(&key.to_ascii_lowercase().as_str())).collect()
        };
        let [option] = named(&ENDPOINTS)[..] else {
            return None;
        };
        let OptionValue::Text(text) = region.options.get(option).filter(|_| named(&HOST_MATTERS).is_empty())? else {
            return None;
        };
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "http")?;
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let address = reached(&host, url.port_or_known_default()?).await?;
        Some(Self { option: option.clone(), text: text.clone(), address })
    }

    /// The same at another address: what stands behind the host stays.
    pub(crate) fn at(&self, address: SocketAddr) -> String {
        let (_, behind) = self.text.split_once("://").unwrap_or(("", &self.text));
        let path = behind.find('/').map_or("", |at| &behind[at..]);
        format!("http://{address}{path}")
    }
}

async fn reached(host: &str, port: u16) -> Option<SocketAddr> {
    for address in lookup_host((host, port)).await.ok()? {
        if matches!(within(PATIENCE, TcpStream::connect(address)).await, Some(Ok(_))) {
            return Some(address);
        }
    }
    None
}
