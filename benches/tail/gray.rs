//! One of three regions answers 20 times slower than the others, without any error.

use std::time::Duration;

use serde_json::json;

use crate::load::{Seen, load};
use crate::rig::Rig;
use crate::support::proxy::Fault;
use crate::{Scale, promise};

const USUAL: Duration = Duration::from_millis(10);
const READERS: usize = 16;

pub(crate) async fn run(scale: Scale) -> bool {
    let rig = Rig::new().await;
    let path = rig.put("object", vec![7; 1024].into()).await;
    let hedged = rig.store(json!({"name": "hedged", "hedge": {}}));
    let plain = rig.store(json!({"name": "plain"}));
    rig.set(&Fault::Delay(USUAL));
    Seen::head("one of three regions 20 times slower (10 ms, 200 ms), 16 readers");
    let phase = async |name: &str, store, time| {
        let before = rig.requests();
        let seen = load(store, &path, READERS, time, Duration::ZERO).await;
        let requests = rig.requests() - before;
        seen.row(name, requests);
        (seen, requests)
    };
    let (healthy, _) = phase("healthy, hedging on", &hedged, scale.secs(20)).await;
    phase("healthy, hedging off", &plain, scale.secs(10)).await;
    rig.proxies[1].set(Fault::Delay(USUAL * 20));
    let (gray, requests) = phase("one slow, hedging on", &hedged, scale.secs(30)).await;
    phase("one slow, hedging off", &plain, scale.secs(20)).await;
    rig.proxies[1].set(Fault::Delay(USUAL));
    println!("{:?}", hedged.hedges());
    let extra = requests as f64 / gray.reads() as f64 - 1.0;
    let ratio = gray.ms(0.99) / healthy.ms(0.99);
    promise(ratio <= 2.0, format!("with hedging p99 is at most twice the healthy one: {ratio:.2} times"))
        & promise(extra <= 0.05, format!("at most 5 % extra requests: {:.2} %", 100.0 * extra))
        & promise(gray.failed == 0, format!("no failed read: {}", gray.failed))
}
