//! Paces on a paused clock.

mod always;

use std::task::{Context, Poll, Waker};

use futures::future::join_all;
use tokio::time::advance;

use super::*;
use Kind::{Read, Write};

fn config(reads_per_second: u32, writes_per_second: u32) -> ThrottleConfig {
    ThrottleConfig { reads_per_second, writes_per_second, ..ThrottleConfig::default() }
}

fn pace(config: &ThrottleConfig) -> Arc<Pace> {
    Arc::new(Pace::new(Some(config), time::now()))
}

fn crowd(max_in_flight: u32) -> Arc<Pace> {
    pace(&ThrottleConfig { max_in_flight: Some(max_in_flight), ..ThrottleConfig::default() })
}

fn try_enter(pace: &Pace, kind: Kind) -> Entry {
    pace.try_enter(kind, time::now())
}

/// How many go at once.
fn drain(pace: &Pace, kind: Kind) -> u32 {
    (0..).find(|_| !matches!(try_enter(pace, kind), Entry::Go(_))).unwrap()
}

/// How many go within so many milliseconds, the first of them a millisecond from now.
async fn within(pace: &Pace, kind: Kind, millis: u32) -> u32 {
    let mut gone = 0;
    for _ in 0..millis {
        advance(MS).await;
        gone += drain(pace, kind);
    }
    gone
}

fn throttle(pace: &Pace, kind: Kind, retry_after: Option<Duration>) {
    pace.on_throttle(kind, time::now(), retry_after);
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    future.poll_unpin(&mut Context::from_waker(Waker::noop()))
}

fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    poll_once(future).is_pending()
}

// The rate.

#[tokio::test(start_paused = true)]
async fn a_tenth_of_a_second_goes_at_once_and_the_rest_at_the_rate() {
    let pace = pace(&ThrottleConfig::default());
    assert_eq!((drain(&pace, Read), drain(&pace, Write)), (500, 300), "reads and writes know nothing of each other");
    assert_eq!(within(&pace, Read, 1000).await, 5000);
    assert_eq!(within(&pace, Read, 1000).await, 5000);
    // A place is as long as whole nanoseconds allow: rounded up, a rate is never above its setting.
    let writes = drain(&pace, Write) + within(&pace, Write, 1000).await;
    assert!((3299..=3300).contains(&writes), "{writes}");
}

#[tokio::test(start_paused = true)]
async fn low_rates_are_exact_and_never_hold_the_first_call() {
    let pace = pace(&config(1, 50));
    assert_eq!(drain(&pace, Read), 1);
    let Entry::Full { ready_at } = try_enter(&pace, Read) else { panic!("one a second") };
    assert_eq!(ready_at - time::now(), SECOND);
    assert_eq!(within(&pace, Read, 10_000).await, 10);
    advance(SECOND * 3600).await;
    assert_eq!(drain(&pace, Read), 1, "an hour of quiet is no credit");
    assert_eq!((drain(&pace, Write), within(&pace, Write, 1000).await), (5, 50));
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_spread_at_the_rate() {
    let (pace, began) = (pace(&config(1, 100)), time::now());
    let went = join_all((0..1010).map(|_| async {
        let _slot = pace.enter(Write).await;
        began.elapsed()
    }));
    let mut went = went.await;
    went.sort();
    let due: Vec<_> = (0..1010_u32).map(|n| MS * 10 * n.saturating_sub(9)).collect();
    assert_eq!(went, due);
    assert_eq!(pace.limits.as_ref().unwrap().lane(Write).line.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_and_is_not_polled_holds_up_nobody() {
    let pace = pace(&config(1, 100));
    drain(&pace, Write);
    let mut idle: Vec<_> = (0..3).map(|_| pace.enter(Write)).collect();
    assert!(idle.iter_mut().all(is_pending));
    let began = time::now();
    let _slot = pace.enter(Write).await;
    assert_eq!(began.elapsed(), MS * 20, "the next place but one: behind three it looks as late as that");
}

#[tokio::test(start_paused = true)]
async fn when_those_ahead_go_away_the_others_move_up() {
    let pace = pace(&config(1, 1));
    drain(&pace, Write);
    let mut ahead: Vec<_> = (0..1000).map(|_| pace.enter(Write)).collect();
    assert!(ahead.iter_mut().all(is_pending));
    let mut last = pace.enter(Write);
    assert!(is_pending(&mut last));
    drop(ahead);
    let began = time::now();
    let _slot = last.await;
    assert_eq!(began.elapsed(), SECOND);
}

// Adaptive.

#[tokio::test(start_paused = true)]
async fn throttling_halves_the_pace_and_quiet_brings_it_back_step_by_step() {
    let pace = pace(&config(1600, 1600));
    drain(&pace, Read);
    throttle(&pace, Read, None);
    let mut seconds = Vec::new();
    for _ in 0..10 {
        seconds.push(within(&pace, Read, 1000).await);
    }
    assert_eq!(seconds, [800, 900, 1000, 1100, 1200, 1300, 1400, 1500, 1600, 1600]);
    let writes = drain(&pace, Write) + within(&pace, Write, 1000).await;
    assert_eq!(writes, 1760, "writes were not throttled");
}

#[tokio::test(start_paused = true)]
async fn it_halves_at_most_once_a_second_and_down_to_a_64th() {
    let pace = pace(&config(6400, 1));
    let mut seconds = Vec::new();
    for _ in 0..8 {
        let mut gone = 0;
        for _ in 0..10 {
            throttle(&pace, Read, None);
            gone += within(&pace, Read, 100).await;
        }
        seconds.push(gone);
    }
    assert_eq!(seconds, [3200, 1600, 800, 400, 200, 100, 100, 100]);
    let mut climb = Vec::new();
    advance(MS * 900).await;
    drain(&pace, Read);
    for _ in 0..5 {
        climb.push(within(&pace, Read, 1000).await);
    }
    assert_eq!(climb, [200, 400, 800, 1200, 1600], "doubled, then by a 16th of the full pace");
}

#[tokio::test(start_paused = true)]
async fn what_was_saved_up_is_lost_when_the_pace_is_halved() {
    let pace = pace(&ThrottleConfig::default());
    throttle(&pace, Read, None);
    assert_eq!((drain(&pace, Read), drain(&pace, Write)), (0, 300));
}

#[tokio::test(start_paused = true)]
async fn without_adaptive_only_retry_after_counts() {
    let pace = pace(&ThrottleConfig { adaptive: false, ..config(1000, 1000) });
    throttle(&pace, Read, None);
    assert_eq!(drain(&pace, Read), 100);
    throttle(&pace, Read, Some(SECOND));
    let mut writer = pace.enter(Write);
    assert!(is_pending(&mut writer), "what is saved up does not go either");
    assert_eq!(within(&pace, Read, 999).await, 0);
    advance(MS).await;
    assert_eq!(within(&pace, Read, 1000).await, 1000);
}

// Retry-After.

#[tokio::test(start_paused = true)]
async fn nobody_goes_before_the_moment_that_the_region_named() {
    let pace = pace(&config(1000, 1000));
    throttle(&pace, Read, Some(SECOND * 3));
    throttle(&pace, Write, Some(SECOND));
    let until = time::now() + SECOND * 3;
    for kind in [Read, Write] {
        let Entry::Full { ready_at } = try_enter(&pace, kind) else { panic!("{kind:?} went") };
        assert_eq!(ready_at, until, "the longer wish, for both");
    }
    assert_eq!(pace.held_until(time::now()), Some(until));
    let began = time::now();
    let _slot = pace.enter(Read).await;
    assert_eq!(began.elapsed(), MS * 3002, "then at half the pace, and with nothing saved up");
    assert_eq!(pace.held_until(time::now()), None);
    assert_eq!(within(&pace, Read, 997).await, 498, "the pause was no quiet time");
}

#[tokio::test(start_paused = true)]
async fn a_region_is_left_alone_for_ten_seconds_at_most() {
    let pace = pace(&ThrottleConfig::default());
    throttle(&pace, Read, Some(Duration::MAX));
    assert_eq!(pace.held_until(time::now()), Some(time::now() + RETRY_AFTER_MAX));
    advance(RETRY_AFTER_MAX).await;
    assert!(matches!(try_enter(&pace, Write), Entry::Go(_)));
}

#[tokio::test(start_paused = true)]
async fn without_settings_nobody_is_refused_and_a_wish_is_remembered() {
    let pace = Arc::new(Pace::new(None, time::now()));
    throttle(&pace, Read, None);
    assert_eq!(pace.held_until(time::now()), None);
    throttle(&pace, Read, Some(SECOND));
    assert_eq!(pace.held_until(time::now()), Some(time::now() + SECOND));
    for _ in 0..100_000 {
        assert!(matches!(try_enter(&pace, Write), Entry::Go(Slot { _place: None })));
    }
    assert!(pace.enter(Read).now_or_never().is_some());
    advance(SECOND).await;
    assert_eq!(pace.held_until(time::now()), None);
}

// In flight.

#[tokio::test(start_paused = true)]
async fn a_place_is_kept_until_its_slot_is_dropped_for_reads_and_writes_together() {
    let pace = crowd(2);
    let (Entry::Go(one), Entry::Go(_two)) = (try_enter(&pace, Read), try_enter(&pace, Write)) else { panic!("there is room for two") };
    assert!(matches!(try_enter(&pace, Read), Entry::Crowded) && matches!(try_enter(&pace, Write), Entry::Crowded));
    advance(SECOND * 3600).await;
    assert!(matches!(try_enter(&pace, Read), Entry::Crowded));
    drop(one);
    assert!(matches!(try_enter(&pace, Read), Entry::Go(_)));
}

#[tokio::test(start_paused = true)]
async fn places_go_to_those_who_wait_in_the_order_they_came() {
    let pace = crowd(1);
    let Entry::Go(mut slot) = try_enter(&pace, Read) else { panic!("there is room") };
    let mut waiting: Vec<_> = (0..5).map(|n| pace.enter(if n % 2 == 0 { Read } else { Write })).collect();
    assert!(waiting.iter_mut().all(is_pending));
    while !waiting.is_empty() {
        drop(slot);
        assert!(matches!(try_enter(&pace, Read), Entry::Crowded), "nobody overtakes them");
        assert!(waiting.iter_mut().skip(1).all(is_pending));
        slot = waiting.remove(0).now_or_never().expect("it is the first one's turn");
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_is_not_kept_while_waiting_for_the_rate() {
    let pace = pace(&ThrottleConfig { max_in_flight: Some(1), ..config(1000, 1) });
    drain(&pace, Write);
    let mut writers: Vec<_> = (0..10).map(|_| pace.enter(Write)).collect();
    assert!(writers.iter_mut().all(is_pending));
    assert!(matches!(try_enter(&pace, Read), Entry::Go(_)), "slow writes leave room for reads");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_want_of_a_place_costs_no_turn() {
    let pace = pace(&ThrottleConfig { max_in_flight: Some(1), ..config(1, 20) });
    let Entry::Go(slot) = try_enter(&pace, Write) else { panic!("there is room") };
    assert!((0..100).all(|_| matches!(try_enter(&pace, Write), Entry::Crowded)));
    drop(slot);
    assert!(matches!(try_enter(&pace, Write), Entry::Go(_)), "two may go at once, and one has gone");
}

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
