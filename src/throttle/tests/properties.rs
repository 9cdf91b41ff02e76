//! Properties for random callers and regions.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Pass(u16),
    Acquire(CircuitClass, u8),
    Throttle(CircuitClass, Option<u16>),
}

fn step() -> impl Strategy<Value = Step> {
    let class = prop_oneof![Just(Read), Just(Write)].boxed();
    prop_oneof![
        3 => (0..2000_u16).prop_map(Step::Pass),
        6 => (class.clone(), 1..100_u8).prop_map(|(class, times)| Step::Acquire(class, times)),
        1 => (class, proptest::option::of(0..12_000_u16))
            .prop_map(|(class, millis)| Step::Throttle(class, millis)),
    ]
}

fn paused(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test);
}

/// Checks that no period between two calls contains more than the rate and the burst allow.
fn check_rate(admitted: &[Instant], per_second: u32) {
    let burst = f64::from((per_second / 10).max(1));
    for (first, from) in admitted.iter().enumerate() {
        let (count, until) = (admitted.len() - first, admitted[admitted.len() - 1]);
        let allowed = burst + (until - *from).as_secs_f64() * f64::from(per_second) + 1e-3;
        assert!(
            count as f64 <= allowed,
            "{count} calls since {:?}, {allowed} allowed",
            until - *from
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn rate_is_never_exceeded_and_ready_at_is_kept(
        reads in 1..200_u32,
        writes in 1..200_u32,
        adaptive: bool,
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        paused(async move {
            let config = ThrottleConfig { adaptive, ..config(reads, writes) };
            let throttle = throttle_with(&config);
            let (mut admitted, mut retry_after_until) = ([Vec::new(), Vec::new()], None);
            for step in steps {
                match step {
                    Step::Pass(millis) => advance(MS * u32::from(millis)).await,
                    Step::Throttle(class, millis) => {
                        let retry_after = millis.map(|millis| MS * u32::from(millis));
                        on_throttled(&throttle, class, retry_after);
                        let end = |time: Duration| clock::now() + time.min(RETRY_AFTER_MAX);
                        retry_after_until = retry_after_until.max(retry_after.map(end));
                    }
                    Step::Acquire(class, times) => for _ in 0..times {
                        let is_paused = retry_after_until.is_some_and(|until| until > clock::now());
                        let admitted_at = match try_acquire(&throttle, class) {
                            Acquire::Ready(_) => clock::now(),
                            // `ready_at` is the end of the pause; the rate limit applies after it.
                            Acquire::RateLimited { .. } if is_paused => break,
                            Acquire::RateLimited { ready_at } => {
                                advance(ready_at - clock::now()).await;
                                let acquired = try_acquire(&throttle, class);
                                assert!(matches!(acquired, Acquire::Ready(_)), "at {ready_at:?}");
                                ready_at
                            }
                            Acquire::Saturated => panic!("there is no concurrency limit"),
                        };
                        let is_early = retry_after_until.is_some_and(|until| until > admitted_at);
                        assert!(!is_early, "admitted before the end of Retry-After");
                        admitted[class.index()].push(admitted_at);
                        let per_second = [reads, writes][class.index()];
                        check_rate(&admitted[class.index()], per_second);
                    },
                }
            }
        });
    }

    #[test]
    fn cancelled_callers_leak_no_slots(
        slots in 1..5_u32,
        steps in proptest::collection::vec(
            (0..4_u8, any::<prop::sample::Index>(), 0..30_u32),
            1..200,
        ),
    ) {
        paused(async move {
            let config = ThrottleConfig { max_in_flight: Some(slots), ..config(200, 50) };
            let throttle = throttle_with(&config);
            let (mut waiting, mut permits) = (Vec::new(), Vec::new());
            for (step, index, millis) in steps {
                match step {
                    0 => {
                        let class = if millis % 2 == 0 { Read } else { Write };
                        waiting.push(throttle.acquire(class));
                    }
                    1 if !waiting.is_empty() => {
                        drop(waiting.swap_remove(index.index(waiting.len())));
                    }
                    2 if !permits.is_empty() => {
                        drop(permits.swap_remove(index.index(permits.len())));
                    }
                    _ => advance(MS * millis).await,
                }
                // Only one waiter is polled, so that others are ready and not polled.
                if !waiting.is_empty() {
                    let polled = index.index(waiting.len());
                    if let Poll::Ready(permit) = poll_once(&mut waiting[polled]) {
                        drop(waiting.swap_remove(polled));
                        permits.push(permit);
                    }
                }
                if let Acquire::Ready(permit) = try_acquire(&throttle, Read) {
                    permits.push(permit);
                }
                assert!(permits.len() <= slots as usize);
            }
            drop((waiting, permits));
            let limits = throttle.limits.as_ref().unwrap();
            let semaphore = limits.concurrency.as_ref().unwrap();
            assert_eq!(semaphore.available_permits(), slots as usize);
            assert_eq!(limits.rates.iter().map(|rate| rate.queue.len()).sum::<usize>(), 0);
            let _all = join_all((0..slots).map(|_| throttle.acquire(Write))).await;
            assert!(matches!(try_acquire(&throttle, Write), Acquire::Saturated));
        });
    }
}
