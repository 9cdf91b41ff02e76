//! A region that swallows connections: what it costs those who meet it, and everybody over a minute.

use std::time::Duration;

use object_store_failover::CircuitState;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::load::{Seen, load};
use crate::rig::Rig;
use crate::support::proxy::Fault;
use crate::{Scale, promise};

const ATTEMPT: Duration = Duration::from_secs(5);

pub(crate) async fn run(scale: Scale) -> bool {
    let rig = Rig::new().await;
    let path = rig.put("object", vec![7; 1024].into()).await;
    let store = rig.store(json!({}));
    Seen::head("one of three regions swallows connections, shipped settings, 16 readers");
    let pause = Duration::from_millis(2);
    let before = rig.requests();
    let healthy = load(&store, &path, 16, scale.secs(60), pause).await;
    healthy.row("healthy", rig.requests() - before);
    let before = rig.requests();
    let began = Instant::now();
    rig.proxies[2].set(Fault::Swallow);
    let opened = async {
        while store.health().regions[2].read.state == CircuitState::Closed {
            sleep(Duration::from_millis(1)).await;
        }
        began.elapsed()
    };
    let (sick, opened) = tokio::join!(load(&store, &path, 16, scale.secs(60), pause), opened);
    sick.row("one swallows", rig.requests() - before);
    println!("its circuit was open after {:.0} ms", opened.as_secs_f64() * 1e3);
    let ratio = sick.ms(0.99) / healthy.ms(0.99);
    let limit = ATTEMPT.as_secs_f64() * 1e3 + healthy.max_ms();
    promise(sick.failed == 0, format!("no failed read: {}", sick.failed))
        & promise(sick.max_ms() <= limit, format!("at most an attempt limit and a healthy read: {:.0} ms of {limit:.0}", sick.max_ms()))
        & promise(ratio <= 1.5, format!("p99 over the whole time within 1.5 times the healthy one: {ratio:.2} times"))
}
