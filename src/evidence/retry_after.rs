//! `Retry-After`: how long a region asks to be left alone.
//!
//! It comes as seconds, or as a date. A date means the region's clock, which may be wrong by hours, so it is held against the date of
//! the very same answer, and against our own clock only where the answer has none. What cannot be meant counts as not said: a pause
//! made of nonsense would keep a healthy region out of use.

use std::time::{Duration, SystemTime};

use chrono::DateTime;

/// The time that a `Retry-After` of this text asks for; `date` is that of the answer, `now` the one of our clock.
pub(super) fn parse(text: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()?
    } else {
        let now = date.and_then(unix).or_else(|| Some(now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs().cast_signed()))?;
        // A moment that is over: it may be asked at once.
        unix(text)?.saturating_sub(now).max(0).cast_unsigned()
    };
    Some(Duration::from_secs(seconds)).filter(|time| *time <= LONGEST)
}

/// Seconds since 1970 of `Sat, 21 Nov 2026 08:00:00 GMT`.
fn unix(date: &str) -> Option<i64> {
    DateTime::parse_from_rfc2822(date.trim()).ok().map(|date| date.timestamp())
}

/// As for settings: nobody means a year. MinIO asks for one or two minutes, throttling stores for seconds.
const LONGEST: Duration = Duration::from_secs(86_400 * 365);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DATE: &str = "Sat, 21 Nov 2026 08:00:00 GMT";

    /// Our clock, at the same moment as `DATE`.
    fn clock() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(unix(DATE).unwrap().cast_unsigned())
    }

    fn asked(text: &str, date: Option<&str>) -> Option<u64> {
        parse(text, date, clock()).map(|time| time.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        assert_eq!(["0", "1", " 120 ", "0007"].map(|text| asked(text, None)), [Some(0), Some(1), Some(120), Some(7)]);
        assert_eq!(asked("Sat, 21 Nov 2026 08:01:30 GMT", Some(DATE)), Some(90));
        assert_eq!(asked("Sat, 21 Nov 2026 08:01:30 GMT", None), Some(90), "by our own clock");
        assert_eq!(asked("Sat, 21 Nov 2026 08:01:30 GMT", Some("yesterday")), Some(90), "by our own clock");
        assert_eq!(asked("Fri, 20 Nov 2026 08:00:00 GMT", Some(DATE)), Some(0), "it is over");
    }

    #[test]
    fn a_region_whose_clock_is_wrong_is_waited_for_no_longer() {
        assert_eq!(asked("Sun, 22 Nov 2026 08:00:05 GMT", Some("Sun, 22 Nov 2026 08:00:00 GMT")), Some(5), "a day ahead of ours");
        assert_eq!(asked("Mon, 01 Jan 2001 00:00:05 GMT", Some("Mon, 01 Jan 2001 00:00:00 GMT")), Some(5), "years behind it");
    }

    #[test]
    fn what_cannot_be_meant_was_not_said() {
        for text in ["", " ", "-1", "+5", "1.5", "5s", "soon", "0x10", "1e3", "٣", "99999999", "99999999999999999999999"] {
            assert_eq!(asked(text, Some(DATE)), None, "{text:?}");
        }
        for date in ["Sun, 21 Nov 2026 08:01:00 GMT", "Sat, 31 Feb 2026 08:00:00 GMT", "Sat, 21 Nov 2026", "Sat, 21 Nov 2048 08:00:00 GMT"]
        {
            assert_eq!(asked(date, Some(DATE)), None, "{date}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in ".{0,40}", date in proptest::option::of(".{0,40}")) {
            prop_assert!(parse(&text, date.as_deref(), clock()).is_none_or(|time| time <= LONGEST));
        }

        #[test]
        fn a_moment_is_as_far_away_as_its_seconds_say(sent in 0_i64..4_000_000_000, seconds in 0_i64..86_400 * 365) {
            let http = |seconds| DateTime::from_timestamp(seconds, 0).unwrap().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let (date, after) = (http(sent), http(sent + seconds));
            let told = parse(&after, Some(&date), clock());
            prop_assert_eq!(told, Some(Duration::from_secs(seconds.cast_unsigned())));
            prop_assert_eq!(told, parse(&seconds.to_string(), None, clock()));
        }
    }
}
