//! Rate and concurrency limits on a paused clock.

mod properties;

use std::task::{Context, Poll, Waker};

use futures::future::join_all;
use tokio::time::advance;

use super::*;
use crate::error::Evidence;
use CircuitClass::{Read, Write};

fn config(reads_per_second: u32, writes_per_second: u32) -> ThrottleConfig {
    ThrottleConfig {
        reads_per_second,
        writes_per_second,
        ..ThrottleConfig::default()
    }
}

fn throttle_with(config: &ThrottleConfig) -> Arc<Throttle> {
    Arc::new(Throttle::new(Some(config), clock::now()))
}

fn with_max_in_flight(max_in_flight: u32) -> Arc<Throttle> {
    throttle_with(&ThrottleConfig {
        max_in_flight: Some(max_in_flight),
        ..ThrottleConfig::default()
    })
}

fn try_acquire(throttle: &Throttle, class: CircuitClass) -> Acquire {
    throttle.try_acquire(class, clock::now())
}

/// Calls that are admitted at once.
fn drain(throttle: &Throttle, class: CircuitClass) -> u32 {
    (0..)
        .find(|_| !matches!(try_acquire(throttle, class), Acquire::Ready(_)))
        .unwrap()
}

/// Calls that are admitted within `millis` milliseconds, starting in one.
async fn within(throttle: &Throttle, class: CircuitClass, millis: u32) -> u32 {
    let mut admitted = 0;
    for _ in 0..millis {
        advance(MS).await;
        admitted += drain(throttle, class);
    }
    admitted
}

fn on_throttled(throttle: &Throttle, class: CircuitClass, retry_after: Option<Duration>) {
    let evidence = Evidence {
        retry_after,
        ..Evidence::default()
    };
    let failure = Failure::new(FailureClass::Throttled, "").with_evidence(evidence);
    throttle.on_failure(class, &failure, clock::now());
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    future.poll_unpin(&mut Context::from_waker(Waker::noop()))
}

fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    poll_once(future).is_pending()
}

// The rate.

#[tokio::test(start_paused = true)]
async fn burst_is_a_tenth_of_a_second() {
    let throttle = throttle_with(&ThrottleConfig::default());
    assert_eq!(
        (drain(&throttle, Read), drain(&throttle, Write)),
        (500, 300),
        "reads and writes are limited separately"
    );
    assert_eq!(within(&throttle, Read, 1000).await, 5000);
    assert_eq!(within(&throttle, Read, 1000).await, 5000);
    // An interval is whole nanoseconds, rounded up: the rate never exceeds its setting.
    let writes = drain(&throttle, Write) + within(&throttle, Write, 1000).await;
    assert!((3299..=3300).contains(&writes), "{writes}");
}

#[tokio::test(start_paused = true)]
async fn low_rates_are_exact() {
    let throttle = throttle_with(&config(1, 50));
    assert_eq!(drain(&throttle, Read), 1);
    let Acquire::RateLimited { ready_at } = try_acquire(&throttle, Read) else {
        panic!("the rate is one call a second")
    };
    assert_eq!(ready_at - clock::now(), SECOND);
    assert_eq!(within(&throttle, Read, 10_000).await, 10);
    advance(SECOND * 3600).await;
    assert_eq!(drain(&throttle, Read), 1, "an idle hour is no credit");
    assert_eq!(
        (
            drain(&throttle, Write),
            within(&throttle, Write, 1000).await
        ),
        (5, 50)
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_start_at_the_rate() {
    let (throttle, start) = (throttle_with(&config(1, 100)), clock::now());
    let times = join_all((0..1010).map(|_| async {
        let _permit = throttle.acquire(Write).await;
        start.elapsed()
    }));
    let mut times = times.await;
    times.sort();
    let due: Vec<_> = (0..1010_u32)
        .map(|n| MS * 10 * n.saturating_sub(9))
        .collect();
    assert_eq!(times, due);
    assert_eq!(throttle.limits.as_ref().unwrap().rate(Write).queue.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn unpolled_waiter_blocks_no_other() {
    let throttle = throttle_with(&config(1, 100));
    drain(&throttle, Write);
    let mut idle: Vec<_> = (0..3).map(|_| throttle.acquire(Write)).collect();
    assert!(idle.iter_mut().all(is_pending));
    let start = clock::now();
    let _permit = throttle.acquire(Write).await;
    assert_eq!(start.elapsed(), MS * 20, "half of the three calls ahead");
}

#[tokio::test(start_paused = true)]
async fn cancelled_waiters_leave_the_queue() {
    let throttle = throttle_with(&config(1, 1));
    drain(&throttle, Write);
    let mut ahead: Vec<_> = (0..1000).map(|_| throttle.acquire(Write)).collect();
    assert!(ahead.iter_mut().all(is_pending));
    let mut last = throttle.acquire(Write);
    assert!(is_pending(&mut last));
    drop(ahead);
    let start = clock::now();
    let _permit = last.await;
    assert_eq!(start.elapsed(), SECOND);
}

// Adaptive.

#[tokio::test(start_paused = true)]
async fn throttling_halves_the_rate_and_quiet_restores_it() {
    let throttle = throttle_with(&config(1600, 1600));
    drain(&throttle, Read);
    on_throttled(&throttle, Read, None);
    let mut seconds = Vec::new();
    for _ in 0..10 {
        seconds.push(within(&throttle, Read, 1000).await);
    }
    assert_eq!(
        seconds,
        [800, 900, 1000, 1100, 1200, 1300, 1400, 1500, 1600, 1600]
    );
    let writes = drain(&throttle, Write) + within(&throttle, Write, 1000).await;
    assert_eq!(writes, 1760, "writes were not throttled");
}

#[tokio::test(start_paused = true)]
async fn rate_halves_once_a_second_down_to_a_64th() {
    let throttle = throttle_with(&config(6400, 1));
    let mut seconds = Vec::new();
    for _ in 0..8 {
        let mut admitted = 0;
        for _ in 0..10 {
            on_throttled(&throttle, Read, None);
            admitted += within(&throttle, Read, 100).await;
        }
        seconds.push(admitted);
    }
    assert_eq!(seconds, [3200, 1600, 800, 400, 200, 100, 100, 100]);
    let mut catch_up = Vec::new();
    advance(MS * 900).await;
    drain(&throttle, Read);
    for _ in 0..5 {
        catch_up.push(within(&throttle, Read, 1000).await);
    }
    assert_eq!(
        catch_up,
        [200, 400, 800, 1200, 1600],
        "doubles, then rises by a 16th of the full rate"
    );
}

#[tokio::test(start_paused = true)]
async fn halved_rate_loses_its_burst() {
    let throttle = throttle_with(&ThrottleConfig::default());
    on_throttled(&throttle, Read, None);
    assert_eq!((drain(&throttle, Read), drain(&throttle, Write)), (0, 300));
}

#[tokio::test(start_paused = true)]
async fn without_adaptive_only_retry_after_counts() {
    let throttle = throttle_with(&ThrottleConfig {
        adaptive: false,
        ..config(1000, 1000)
    });
    on_throttled(&throttle, Read, None);
    assert_eq!(drain(&throttle, Read), 100);
    on_throttled(&throttle, Read, Some(SECOND));
    let mut writer = throttle.acquire(Write);
    assert!(is_pending(&mut writer), "the burst waits too");
    assert_eq!(within(&throttle, Read, 999).await, 0);
    advance(MS).await;
    assert_eq!(within(&throttle, Read, 1000).await, 1000);
}

// Retry-After.

#[tokio::test(start_paused = true)]
async fn retry_after_pauses_both_classes() {
    let throttle = throttle_with(&config(1000, 1000));
    on_throttled(&throttle, Read, Some(SECOND * 3));
    on_throttled(&throttle, Write, Some(SECOND));
    let until = clock::now() + SECOND * 3;
    for class in [Read, Write] {
        let Acquire::RateLimited { ready_at } = try_acquire(&throttle, class) else {
            panic!("{class:?} was admitted")
        };
        assert_eq!(ready_at, until, "the longer time, for both");
    }
    assert_eq!(throttle.retry_after_until(clock::now()), Some(until));
    let start = clock::now();
    let _permit = throttle.acquire(Read).await;
    assert_eq!(
        start.elapsed(),
        MS * 3002,
        "then half the rate and no burst"
    );
    assert_eq!(throttle.retry_after_until(clock::now()), None);
    assert_eq!(
        within(&throttle, Read, 997).await,
        498,
        "the pause is no time without throttling"
    );
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_capped_at_ten_seconds() {
    let throttle = throttle_with(&ThrottleConfig::default());
    on_throttled(&throttle, Read, Some(Duration::MAX));
    assert_eq!(
        throttle.retry_after_until(clock::now()),
        Some(clock::now() + RETRY_AFTER_MAX)
    );
    advance(RETRY_AFTER_MAX).await;
    assert!(matches!(try_acquire(&throttle, Write), Acquire::Ready(_)));
}

#[tokio::test(start_paused = true)]
async fn without_settings_retry_after_is_only_recorded() {
    let throttle = Arc::new(Throttle::new(None, clock::now()));
    on_throttled(&throttle, Read, None);
    assert_eq!(throttle.retry_after_until(clock::now()), None);
    on_throttled(&throttle, Read, Some(SECOND));
    assert_eq!(
        throttle.retry_after_until(clock::now()),
        Some(clock::now() + SECOND)
    );
    for _ in 0..100_000 {
        assert!(matches!(
            try_acquire(&throttle, Write),
            Acquire::Ready(ThrottlePermit { _slot: None })
        ));
    }
    assert!(throttle.acquire(Read).now_or_never().is_some());
    advance(SECOND).await;
    assert_eq!(throttle.retry_after_until(clock::now()), None);
}

// In flight.

#[tokio::test(start_paused = true)]
async fn reads_and_writes_share_concurrency_slots() {
    let throttle = with_max_in_flight(2);
    let (Acquire::Ready(one), Acquire::Ready(_two)) =
        (try_acquire(&throttle, Read), try_acquire(&throttle, Write))
    else {
        panic!("two slots are free")
    };
    assert!(
        matches!(try_acquire(&throttle, Read), Acquire::Saturated)
            && matches!(try_acquire(&throttle, Write), Acquire::Saturated)
    );
    advance(SECOND * 3600).await;
    assert!(matches!(try_acquire(&throttle, Read), Acquire::Saturated));
    drop(one);
    assert!(matches!(try_acquire(&throttle, Read), Acquire::Ready(_)));
}

#[tokio::test(start_paused = true)]
async fn slots_are_fifo() {
    let throttle = with_max_in_flight(1);
    let Acquire::Ready(mut permit) = try_acquire(&throttle, Read) else {
        panic!("a slot is free")
    };
    let mut waiting: Vec<_> = (0..5)
        .map(|n| throttle.acquire(if n % 2 == 0 { Read } else { Write }))
        .collect();
    assert!(waiting.iter_mut().all(is_pending));
    while !waiting.is_empty() {
        drop(permit);
        assert!(
            matches!(try_acquire(&throttle, Read), Acquire::Saturated),
            "no call overtakes a waiter"
        );
        assert!(waiting.iter_mut().skip(1).all(is_pending));
        permit = waiting
            .remove(0)
            .now_or_never()
            .expect("the first waiter is next");
    }
}

#[tokio::test(start_paused = true)]
async fn no_slot_is_held_while_waiting_for_the_rate() {
    let throttle = throttle_with(&ThrottleConfig {
        max_in_flight: Some(1),
        ..config(1000, 1)
    });
    drain(&throttle, Write);
    let mut writers: Vec<_> = (0..10).map(|_| throttle.acquire(Write)).collect();
    assert!(writers.iter_mut().all(is_pending));
    assert!(
        matches!(try_acquire(&throttle, Read), Acquire::Ready(_)),
        "slow writes do not block reads"
    );
}

#[tokio::test(start_paused = true)]
async fn saturated_call_takes_no_cell() {
    let throttle = throttle_with(&ThrottleConfig {
        max_in_flight: Some(1),
        ..config(1, 20)
    });
    let Acquire::Ready(permit) = try_acquire(&throttle, Write) else {
        panic!("a slot is free")
    };
    assert!((0..100).all(|_| matches!(try_acquire(&throttle, Write), Acquire::Saturated)));
    drop(permit);
    assert!(
        matches!(try_acquire(&throttle, Write), Acquire::Ready(_)),
        "one of two cells is taken"
    );
}

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
