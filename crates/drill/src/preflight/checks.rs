//! The findings about a region as checks with a level and a remedy.

use std::time::Duration;

use object_store::path::Path;
use object_store_failover::FailoverConfig;
use object_store_failover::config::Flavor;

use super::consistency::{Consistency, RegionConsistency};
use super::first_requests::{FirstRead, Listing, RequestFailure};
use super::response_notes::ResponseNote;
use super::{Check, Level, Region};
use crate::tuning::Tuning;
use crate::units::millis;

/// S3 rejects signatures if the clocks differ by more than this.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(15 * 60);
/// A larger difference shows that the clock is not synchronized.
const CLOCK_SKEW_WARNING: Duration = Duration::from_secs(60);

/// The checks of one region; only the first if it does not respond.
pub(super) fn of(
    config: &FailoverConfig,
    index: usize,
    region: &Region,
    listing: &Listing,
    first_read: &FirstRead,
    consistency: &Consistency,
) -> Vec<Check> {
    let reach = reach(config, region, listing, first_read);
    if reach.level == Level::Fail {
        return vec![reach];
    }
    let is_minio = config.regions[index].flavor == Flavor::Minio;
    let last = region.notes.as_ref().and_then(|notes| notes.last());
    let mut checks = vec![reach, credentials(first_read), list(listing)];
    checks.extend(last.as_ref().map(clock));
    checks.push(tags(consistency, &consistency.of[index]));
    checks.extend(versions(first_read));
    checks.extend(proxying(&consistency.of[index], is_minio, listing));
    checks
}

fn check(name: &'static str, level: Level, text: impl Into<String>) -> Check {
    Check {
        name,
        level,
        text: text.into(),
    }
}

/// Whether the region responds, and the time to the first byte.
fn reach(
    config: &FailoverConfig,
    region: &Region,
    listing: &Listing,
    first_read: &FirstRead,
) -> Check {
    let Some(notes) = &region.notes else {
        return check(
            "reach",
            Level::Ok,
            "no network: files or memory of this machine",
        );
    };
    let (Some(first), Some(last)) = (notes.first(), notes.last()) else {
        let failure = match (listing, first_read) {
            (Err(failure), _) | (_, FirstRead::Failed(failure)) => failure.text.as_str(),
            _ => "no response",
        };
        return check(
            "reach",
            Level::Fail,
            format!(
                "{failure}; check the endpoint, its DNS name, whether its port is open from here, \
                 and whether its certificate is trusted (ca_file)"
            ),
        );
    };
    let attempt = config
        .timeouts
        .attempt
        .unwrap_or_else(|| Tuning::defaults().attempt);
    let text = format!(
        "first byte after {} ms on a new connection, {} ms on an open one",
        millis(first.latency),
        millis(last.latency)
    );
    match last.latency > attempt / 2 {
        true => check(
            "reach",
            Level::Warn,
            format!(
                "{text}: more than half of the attempt limit of {attempt:?}; increase \
                 timeouts.attempt of the region"
            ),
        ),
        false => check("reach", Level::Ok, text),
    }
}

fn credentials(first_read: &FirstRead) -> Check {
    match first_read {
        FirstRead::Served { .. } => {
            check("credentials", Level::Ok, "GET of a listed key is served")
        }
        FirstRead::NotFound => check(
            "credentials",
            Level::Ok,
            "GET returns 404: the region lacks the requested key",
        ),
        FirstRead::Failed(failure) => check(
            "credentials",
            Level::Fail,
            format!("GET: {}: {}", failure.text, remedy(failure)),
        ),
    }
}

/// The remedy of a rejected request.
fn remedy(failure: &RequestFailure) -> &'static str {
    match (failure.status, failure.code.as_deref()) {
        (_, Some("InvalidAccessKeyId")) => {
            "the region does not know the access key: create it there, or set another \
             options.access_key_id"
        }
        (_, Some("SignatureDoesNotMatch")) => {
            "the secret differs there, or a proxy changes the Host header"
        }
        (_, Some("RequestTimeTooSkewed")) => {
            "the clocks differ by more than 15 min: run NTP on both machines"
        }
        (_, Some("NoSuchBucket")) => "the bucket does not exist: create it, or correct the url",
        (_, Some("AccessDenied")) | (Some(401 | 403), _) => {
            "the key is known, but its policy denies reads: allow s3:GetObject on the objects"
        }
        _ => "the region does not serve reads: see its log",
    }
}

fn list(listing: &Listing) -> Check {
    match listing {
        Ok(keys) if keys.is_empty() => check(
            "list",
            Level::Warn,
            "the bucket is empty: write some objects, or use --seed-bucket",
        ),
        Ok(keys) => check(
            "list",
            Level::Ok,
            format!("{} keys on the first page", keys.len()),
        ),
        Err(failure) if matches!(failure.status, Some(401 | 403)) => {
            let text = format!(
                "{}: allow s3:ListBucket; without it S3 returns 403 instead of 404 for missing \
                 keys",
                failure.text
            );
            check("list", Level::Warn, text)
        }
        Err(failure) => check(
            "list",
            Level::Warn,
            format!(
                "{}: listings fail here and resume in another region",
                failure.text
            ),
        ),
    }
}

/// The region's clock, compared with the local one; the Date header has a precision of 1 s.
fn clock(note: &ResponseNote) -> Check {
    let date = note
        .headers
        .get(http::header::DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(|date| httpdate::parse_http_date(date).ok());
    let Some(date) = date else {
        return check(
            "clock",
            Level::Warn,
            "responses have no Date header, so the clock cannot be checked",
        );
    };
    let off = date
        .duration_since(note.received_at)
        .unwrap_or_else(|error| error.duration());
    let text = format!("{} s difference to the local clock", off.as_secs());
    match off {
        off if off > MAX_CLOCK_SKEW => check(
            "clock",
            Level::Fail,
            format!(
                "{text}: S3 rejects signatures beyond 15 min (RequestTimeTooSkewed); run NTP on \
                 both machines"
            ),
        ),
        off if off > CLOCK_SKEW_WARNING => check(
            "clock",
            Level::Warn,
            format!("{text}: beyond 15 min every request is rejected; run NTP on both machines"),
        ),
        _ => check("clock", Level::Ok, text),
    }
}

/// Whether an interrupted body can resume in another region.
fn tags(consistency: &Consistency, region: &RegionConsistency) -> Check {
    let named = |what: &str, keys: &[Path]| {
        keys.first()
            .map(|first| format!("{} {what} (such as {first})", keys.len()))
    };
    let fail = named(
        "have another size than in the other regions",
        &region.other_size,
    );
    let warn = [
        named(
            "have another ETag than in the other regions: an interrupted body cannot resume; copy \
             objects with the same part sizes, or replicate them",
            &region.other_tag,
        ),
        named(
            "have no strong ETag: an interrupted body cannot resume",
            &region.weak,
        ),
        named(
            "are missing: replication lags or excludes them",
            &region.missing,
        ),
        named("could not be read", &region.unread),
    ];
    let warn: Vec<_> = warn.into_iter().flatten().collect();
    let same = format!(
        "{} of {} sampled keys are the same as in most regions",
        region.same, consistency.sampled
    );
    match fail {
        _ if consistency.sampled == 0 => check("etags", Level::Warn, "no key to compare"),
        Some(fail) => {
            let text = format!(
                "{same}; {fail}: these are other objects; put overwritten keys under \
                 reads.home_prefixes; {}",
                warn.join("; ")
            );
            check("etags", Level::Fail, text.trim_end_matches("; ").to_owned())
        }
        None if warn.is_empty() => check(
            "etags",
            Level::Ok,
            format!("{same}: an interrupted body can resume in another region"),
        ),
        None => check("etags", Level::Warn, format!("{same}; {}", warn.join("; "))),
    }
}

/// Whether a delete leaves a marker, which needs versioning.
fn versions(first_read: &FirstRead) -> Option<Check> {
    match first_read {
        FirstRead::Served { versioned: true } => Some(check(
            "versions",
            Level::Ok,
            "responses have version ids: a delete leaves a marker, which ends the search for a key",
        )),
        FirstRead::Served { versioned: false } => Some(check(
            "versions",
            Level::Warn,
            "responses have no version id: a delete leaves no marker, so a deleted key may be \
             found in another region until the delete is replicated; enable versioning",
        )),
        FirstRead::NotFound | FirstRead::Failed(_) => None,
    }
}

/// Whether the region serves keys that it lacks, which hides replication lag.
fn proxying(region: &RegionConsistency, is_minio: bool, listing: &Listing) -> Option<Check> {
    match &region.proxied {
        Some(key) => {
            let text = format!(
                "it serves {key}, which it does not list: MinIO's proxying of reads hides \
                 replication lag while other clusters are up; disable it (mc replicate add \
                 --disable-proxy, or [regions.headers] X-Minio-Source-Proxy-Request = \"false\")"
            );
            Some(check("proxying", Level::Warn, text))
        }
        None if !is_minio || listing.is_err() => None,
        None if region.unlisted == 0 => Some(check(
            "proxying",
            Level::Ok,
            "unknown, because all regions list the same keys",
        )),
        None => Some(check(
            "proxying",
            Level::Ok,
            format!(
                "off: it serves none of {} keys that only other regions list",
                region.unlisted
            ),
        )),
    }
}
