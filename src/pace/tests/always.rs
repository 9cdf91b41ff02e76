//! What holds whatever callers and regions do.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Pass(u16),
    Ask(Kind, u8),
    Throttle(Kind, Option<u16>),
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(Read), Just(Write)].boxed();
    prop_oneof![
        3 => (0..2000_u16).prop_map(Step::Pass),
        6 => (kind.clone(), 1..100_u8).prop_map(|(kind, times)| Step::Ask(kind, times)),
        1 => (kind, proptest::option::of(0..12_000_u16)).prop_map(|(kind, millis)| Step::Throttle(kind, millis)),
    ]
}

fn paused(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(test);
}

/// More than the setting allows between any two calls, the burst included?
fn check_rate(gone: &[Instant], per_second: u32) {
    let burst = f64::from((per_second / 10).max(1));
    for (first, from) in gone.iter().enumerate() {
        let (count, until) = (gone.len() - first, gone[gone.len() - 1]);
        let allowed = burst + (until - *from).as_secs_f64() * f64::from(per_second) + 1e-3;
        assert!(count as f64 <= allowed, "{count} calls since {:?}, {allowed} allowed", until - *from);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_rate_is_ever_exceeded_and_a_moment_that_is_named_is_kept(
        reads in 1..200_u32, writes in 1..200_u32, adaptive: bool, steps in proptest::collection::vec(step(), 1..60)
    ) {
        paused(async move {
            let pace = pace(&ThrottleConfig { adaptive, ..config(reads, writes) });
            let (mut gone, mut held) = ([Vec::new(), Vec::new()], None);
            for step in steps {
                match step {
                    Step::Pass(millis) => advance(MS * u32::from(millis)).await,
                    Step::Throttle(kind, millis) => {
                        let asked = millis.map(|millis| MS * u32::from(millis));
                        throttle(&pace, kind, asked);
                        held = held.max(asked.map(|asked| time::now() + asked.min(RETRY_AFTER_MAX)));
                    }
                    Step::Ask(kind, times) => for _ in 0..times {
                        let ready_at = match try_enter(&pace, kind) {
                            Entry::Go(_) => time::now(),
                            // During a hold the moment is when it ends; the rate has its say afterwards.
                            Entry::Full { .. } if held.is_some_and(|until| until > time::now()) => break,
                            Entry::Full { ready_at } => {
                                advance(ready_at - time::now()).await;
                                assert!(matches!(try_enter(&pace, kind), Entry::Go(_)), "{ready_at:?} was promised");
                                ready_at
                            }
                            Entry::Crowded => panic!("there is no such limit"),
                        };
                        assert!(held.is_none_or(|until| until <= ready_at), "it was to be left alone");
                        gone[kind as usize].push(ready_at);
                        check_rate(&gone[kind as usize], [reads, writes][kind as usize]);
                    },
                }
            }
        });
    }

    #[test]
    fn callers_that_go_away_at_any_moment_leave_every_place_behind(
        places in 1..5_u32, steps in proptest::collection::vec((0..4_u8, any::<prop::sample::Index>(), 0..30_u32), 1..200)
    ) {
        paused(async move {
            let pace = pace(&ThrottleConfig { max_in_flight: Some(places), ..config(200, 50) });
            let (mut waiting, mut inside) = (Vec::new(), Vec::new());
            for (step, index, millis) in steps {
                match step {
                    0 => waiting.push(pace.enter(if millis % 2 == 0 { Read } else { Write })),
                    1 if !waiting.is_empty() => drop(waiting.swap_remove(index.index(waiting.len()))),
                    2 if !inside.is_empty() => drop(inside.swap_remove(index.index(inside.len()))),
                    _ => advance(MS * millis).await,
                }
                // Some of those who wait are polled, and some for whom it is their turn are not.
                if !waiting.is_empty() {
                    let polled = index.index(waiting.len());
                    if let Poll::Ready(slot) = poll_once(&mut waiting[polled]) {
                        drop(waiting.swap_remove(polled));
                        inside.push(slot);
                    }
                }
                if let Entry::Go(slot) = try_enter(&pace, Read) {
                    inside.push(slot);
                }
                assert!(inside.len() <= places as usize);
            }
            drop((waiting, inside));
            let limits = pace.limits.as_ref().unwrap();
            assert_eq!(limits.places.as_ref().unwrap().available_permits(), places as usize);
            assert_eq!(limits.lanes.iter().map(|lane| lane.line.len()).sum::<usize>(), 0);
            let _all = join_all((0..places).map(|_| pace.enter(Write))).await;
            assert!(matches!(try_enter(&pace, Write), Entry::Crowded));
        });
    }
}
