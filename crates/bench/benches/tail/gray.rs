//! One of three regions is 20 times slower than the others, without any error.

use std::time::Duration;

use failover_testkit::proxy::Fault;
use serde_json::json;

use crate::fixture::Fixture;
use crate::load::{Seen, load};
use crate::{Scale, target};

const USUAL: Duration = Duration::from_millis(10);
const READERS: usize = 16;

pub(crate) async fn run(scale: Scale) -> bool {
    let fixture = Fixture::new().await;
    let path = fixture.put("object", vec![7; 1024].into()).await;
    let hedged = fixture.store(json!({"name": "hedged", "hedge": {}}));
    let plain = fixture.store(json!({"name": "plain"}));
    fixture.set(&Fault::Delay(USUAL));
    Seen::head("one of three regions 20 times slower (10 ms, 200 ms), 16 readers");
    let phase = async |name: &str, store, time| {
        let before = fixture.requests();
        let seen = load(store, &path, READERS, time, Duration::ZERO).await;
        let requests = fixture.requests() - before;
        seen.row(name, requests);
        (seen, requests)
    };
    let (healthy, _) = phase("healthy, hedging on", &hedged, scale.secs(20)).await;
    phase("healthy, hedging off", &plain, scale.secs(10)).await;
    fixture.proxies[1].set(Fault::Delay(USUAL * 20));
    let (gray, requests) = phase("one slow, hedging on", &hedged, scale.secs(30)).await;
    phase("one slow, hedging off", &plain, scale.secs(20)).await;
    fixture.proxies[1].set(Fault::Delay(USUAL));
    println!("{:?}", hedged.hedges());
    let extra = requests as f64 / gray.reads() as f64 - 1.0;
    let ratio = gray.ms(0.99) / healthy.ms(0.99);
    target(
        ratio <= 2.0,
        format!("p99 with hedging at most 2 times the healthy one: {ratio:.2}"),
    ) & target(
        extra <= 0.05,
        format!("at most 5 % extra requests: {:.2} %", 100.0 * extra),
    ) & target(gray.failed == 0, format!("no failed read: {}", gray.failed))
}
