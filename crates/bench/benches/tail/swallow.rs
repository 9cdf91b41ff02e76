//! A region that swallows requests: the cost for the reads that reach it, and for all reads.

use std::time::Duration;

use failover_testkit::proxy::Fault;
use object_store_failover::CircuitState;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::fixture::Fixture;
use crate::load::{Seen, load};
use crate::{Scale, target};

const ATTEMPT: Duration = Duration::from_secs(5);

pub(crate) async fn run(scale: Scale) -> bool {
    let fixture = Fixture::new().await;
    let path = fixture.put("object", vec![7; 1024].into()).await;
    let store = fixture.store(json!({}));
    Seen::head("one of three regions swallows requests, default settings, 16 readers");
    let pause = Duration::from_millis(2);
    let before = fixture.requests();
    let healthy = load(&store, &path, 16, scale.secs(60), pause).await;
    healthy.row("healthy", fixture.requests() - before);
    let before = fixture.requests();
    let started_at = Instant::now();
    fixture.proxies[2].set(Fault::Swallow);
    let opened = async {
        while store.health().regions[2].read.state == CircuitState::Closed {
            sleep(Duration::from_millis(1)).await;
        }
        started_at.elapsed()
    };
    let (failing, opened) = tokio::join!(load(&store, &path, 16, scale.secs(60), pause), opened);
    failing.row("one swallows", fixture.requests() - before);
    println!(
        "its circuit opened after {:.0} ms",
        opened.as_secs_f64() * 1e3
    );
    let ratio = failing.ms(0.99) / healthy.ms(0.99);
    let limit = ATTEMPT.as_secs_f64() * 1e3 + healthy.max_ms();
    target(
        failing.failed == 0,
        format!("no failed read: {}", failing.failed),
    ) & target(
        failing.max_ms() <= limit,
        format!(
            "worst at most an attempt limit and a healthy read, {limit:.0} ms: {:.0} ms",
            failing.max_ms()
        ),
    ) & target(
        ratio <= 1.5,
        format!("p99 at most 1.5 times the healthy one: {ratio:.2}"),
    )
}
