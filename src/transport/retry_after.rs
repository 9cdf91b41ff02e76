//! `Retry-After`: how long a region asks not to receive requests.
//!
//! The value is a number of seconds or a date. A date refers to the clock of the region, which may
//! be wrong by hours. It is therefore compared with the `Date` of the same response, and with the
//! local clock only if there is none. An invalid value is ignored: a pause derived from it would
//! exclude a healthy region.

use std::time::{Duration, SystemTime};

use chrono::DateTime;

/// The time that the header value `text` asks for. `date` is the `Date` of the response, `now` the
/// local time.
pub(super) fn parse(text: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()?
    } else {
        let now = date.and_then(unix).or_else(|| {
            Some(
                now.duration_since(SystemTime::UNIX_EPOCH)
                    .ok()?
                    .as_secs()
                    .cast_signed(),
            )
        })?;
        // A moment in the past: requests are allowed at once.
        unix(text)?.saturating_sub(now).max(0).cast_unsigned()
    };
    Some(Duration::from_secs(seconds)).filter(|time| *time <= RETRY_AFTER_PARSE_MAX)
}

/// Seconds since 1970 of `Sat, 21 Nov 2026 08:00:00 GMT`.
fn unix(date: &str) -> Option<i64> {
    DateTime::parse_from_rfc2822(date.trim())
        .ok()
        .map(|date| date.timestamp())
}

/// Longer values are mistakes. MinIO asks for one or two minutes, throttling stores for seconds.
const RETRY_AFTER_PARSE_MAX: Duration = Duration::from_secs(86_400 * 365);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DATE: &str = "Sat, 21 Nov 2026 08:00:00 GMT";

    /// The local clock, at the same moment as `DATE`.
    fn clock() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(unix(DATE).unwrap().cast_unsigned())
    }

    fn parse_seconds(text: &str, date: Option<&str>) -> Option<u64> {
        parse(text, date, clock()).map(|time| time.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_parsed() {
        assert_eq!(
            ["0", "1", " 120 ", "0007"].map(|text| parse_seconds(text, None)),
            [Some(0), Some(1), Some(120), Some(7)]
        );
        let date = "Sat, 21 Nov 2026 08:01:30 GMT";
        assert_eq!(parse_seconds(date, Some(DATE)), Some(90));
        assert_eq!(parse_seconds(date, None), Some(90), "by the local clock");
        assert_eq!(
            parse_seconds(date, Some("yesterday")),
            Some(90),
            "by the local clock"
        );
        assert_eq!(
            parse_seconds("Fri, 20 Nov 2026 08:00:00 GMT", Some(DATE)),
            Some(0),
            "in the past"
        );
    }

    #[test]
    fn wrong_clock_of_a_region_has_no_effect() {
        assert_eq!(
            parse_seconds(
                "Sun, 22 Nov 2026 08:00:05 GMT",
                Some("Sun, 22 Nov 2026 08:00:00 GMT")
            ),
            Some(5),
            "a day ahead"
        );
        assert_eq!(
            parse_seconds(
                "Mon, 01 Jan 2001 00:00:05 GMT",
                Some("Mon, 01 Jan 2001 00:00:00 GMT")
            ),
            Some(5),
            "years behind"
        );
    }

    #[test]
    fn invalid_values_are_ignored() {
        for text in [
            "",
            " ",
            "-1",
            "+5",
            "1.5",
            "5s",
            "soon",
            "0x10",
            "1e3",
            "٣",
            "99999999",
            "99999999999999999999999",
        ] {
            assert_eq!(parse_seconds(text, Some(DATE)), None, "{text:?}");
        }
        for date in [
            "Sun, 21 Nov 2026 08:01:00 GMT",
            "Sat, 31 Feb 2026 08:00:00 GMT",
            "Sat, 21 Nov 2026",
            "Sat, 21 Nov 2048 08:00:00 GMT",
        ] {
            assert_eq!(parse_seconds(date, Some(DATE)), None, "{date}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_handled(text in ".{0,40}", date in proptest::option::of(".{0,40}")) {
            let time = parse(&text, date.as_deref(), clock());
            prop_assert!(time.is_none_or(|time| time <= RETRY_AFTER_PARSE_MAX));
        }

        #[test]
        fn date_and_seconds_agree(
            sent in 0_i64..4_000_000_000,
            seconds in 0_i64..86_400 * 365,
        ) {
            let http = |seconds| {
                let time = DateTime::from_timestamp(seconds, 0).unwrap();
                time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
            };
            let (date, after) = (http(sent), http(sent + seconds));
            let from_date = parse(&after, Some(&date), clock());
            prop_assert_eq!(from_date, Some(Duration::from_secs(seconds.cast_unsigned())));
            prop_assert_eq!(from_date, parse(&seconds.to_string(), None, clock()));
        }
    }
}
