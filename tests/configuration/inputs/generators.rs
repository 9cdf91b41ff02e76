//! Generated inputs for each fuzz target: mostly nearly valid, sometimes arbitrary bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use failover_testkit::fuzz_targets::{
    ALL, classification, configuration, dates, etags, paths, ranges, retry_after,
};

proptest! {
    // A quarter of the default, because each case runs on four providers.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 4,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes(data in vec(any::<u8>(), 0..200)) {
        ALL.iter().for_each(|(_, target)| target(&data));
    }

    #[test]
    fn documents(document in document()) {
        configuration::target(document.as_bytes());
    }

    #[test]
    fn classification_by_text_and_by_wire(key in key(), response in response(STATUSES)) {
        classification::target(format!("{key}\n{response}").as_bytes());
    }

    #[test]
    fn keys(key in key()) {
        paths::target(key.as_bytes());
    }

    #[test]
    fn range_responses(ranges in vec(range(), 0..5), response in response(&[200, 206, 416])) {
        ranges::target(format!("{}\n{response}", ranges.join(" ")).as_bytes());
    }

    #[test]
    fn etags_of_bodies(
        tags in [tag(), tag()],
        responses in [response(&[200, 206]), response(&[200, 206, 412, 503])],
    ) {
        etags::target(format!("{}\n{}", tags.join("\n"), responses.join("\n--\n")).as_bytes());
    }

    #[test]
    fn retry_after_headers(response in response(&[301, 404, 429, 500, 503])) {
        retry_after::target(response.as_bytes());
    }

    #[test]
    fn dates_in_conditions_and_responses(
        seconds in number(),
        nanoseconds in 0_u32..2_000_000_000,
        response in response(&[200, 207, 304]),
    ) {
        dates::target(format!("{seconds} {nanoseconds}\n{response}").as_bytes());
    }
}

/// A response in the format of the targets.
fn response(statuses: &'static [u16]) -> impl Strategy<Value = String> {
    let line = (
        select(HEADERS),
        prop_oneof![number(), tag(), date(), content_range(), "[ -~]{0,20}"],
    );
    let lines = vec(
        line.prop_map(|(name, value)| format!("{name}: {value}\n")),
        0..4,
    );
    (select(statuses), lines, body())
        .prop_map(|(status, lines, body)| format!("{status}\n{}\n{body}", lines.concat()))
}

fn body() -> impl Strategy<Value = String> {
    let code = prop_oneof![select(CODES).prop_map(str::to_owned), "[ -~\n]{0,80}"];
    let error = (select(TEXTS), code, ".{0,12}");
    prop_oneof![
        error.prop_map(|(words, code, more)| format!(
            "{words}<Error><Code>{code}</Code><Message>{more}</Message></Error>"
        )),
        date().prop_map(|date| format!(
            "<ListBucketResult><Contents><Key>k</Key><LastModified>{date}</LastModified>\
             <ETag>t</ETag><Size>1</Size></Contents></ListBucketResult>"
        )),
        (select(TEXTS), "(.|\n){0,40}").prop_map(|(words, more)| format!("{words}{more}")),
        "[0-9]{0,12}",
    ]
}

fn key() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        select(PARTS).prop_map(str::to_owned),
        select(TEXTS).prop_map(str::to_owned),
        "[^/]{0,12}"
    ];
    vec(part, 0..5).prop_map(|parts| parts.join("/"))
}

fn number() -> impl Strategy<Value = String> {
    let edge = select(vec![
        0,
        1,
        u64::from(u32::MAX),
        i64::MAX as u64,
        u64::MAX - 1,
        u64::MAX,
    ]);
    prop_oneof![
        edge.prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        (0_u64..12).prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[0-9+.e-]{0,24}",
    ]
}

fn range() -> impl Strategy<Value = String> {
    (number(), number(), 0..4).prop_map(|(start, end, kind)| match kind {
        0 => format!("{start}-"),
        1 => format!("-{end}"),
        _ => format!("{start}-{end}"),
    })
}

fn content_range() -> impl Strategy<Value = String> {
    (number(), number(), number())
        .prop_map(|(start, end, size)| format!("bytes {start}-{end}/{size}"))
}

fn tag() -> impl Strategy<Value = String> {
    prop_oneof![select(TAGS).prop_map(str::to_owned), "[^\n]{0,12}"]
}

fn date() -> impl Strategy<Value = String> {
    let number = || (-1_i64..400).prop_map(|number| number.to_string());
    let http = (
        number(),
        select(vec!["Jan", "Feb", "Nov", "Dez", ""]),
        -1_i64..10_001,
        number(),
        select(vec!["GMT", "UTC", "+9959", "EST", ""]),
    );
    prop_oneof![
        http.prop_map(|(day, month, year, hour, zone)| format!(
            "Sat, {day} {month} {year} {hour}:00:60 {zone}"
        )),
        (-10_000_i64..270_000, 0..14, 0..33).prop_map(|(year, month, day)| format!(
            "{year:04}-{month:02}-{day:02}T23:59:60.999999999Z"
        )),
        number(),
    ]
}

/// A document whose values mostly have the right type.
fn document() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        select(VALUES).prop_map(str::to_owned),
        number(),
        "[ -~]{0,10}".prop_map(|text| format!("{text:?}")),
    ];
    let key = || prop_oneof![8 => select(KEYS).prop_map(str::to_owned), 1 => "[a-z_.]{1,10}"];
    let lines = |most| {
        vec((key(), value.clone()), 0..most).prop_map(|lines| {
            lines
                .iter()
                .map(|(key, value)| format!("{key} = {value}\n"))
                .collect::<String>()
        })
    };
    let region = ("[ -~]{0,4}", select(URLS), lines(3)).prop_map(|(name, url, more)| {
        format!("[[regions]]\nname = {name:?}\nurl = {url:?}\n{more}")
    });
    let table = (select(TABLES), lines(3)).prop_map(|(table, more)| format!("[{table}]\n{more}"));
    (lines(2), vec(region, 0..4), vec(table, 0..3))
        .prop_map(|(top, regions, tables)| format!("{top}{}{}", regions.concat(), tables.concat()))
}

const STATUSES: &[u16] = &[
    100, 200, 204, 206, 207, 301, 304, 307, 400, 401, 403, 404, 405, 408, 409, 411, 412, 416, 429,
    500, 502, 503, 504, 599, 999,
];
const CODES: &[&str] = &[
    "SlowDown",
    "NoSuchKey",
    "NoSuchBucket",
    "ExpiredToken",
    "ServerBusy",
    "RequestTimeout",
    "InternalError",
    "503",
    "",
];
const TAGS: &[&str] = &[
    "",
    "*",
    "0",
    "1",
    "\"t\"",
    "W/\"t\"",
    "t",
    "\"t\", \"u\"",
    "\"",
    "W/",
    "é",
];
const PARTS: &[&str] = &[
    "", ".", "..", "%2E%2E", "%2F", "%00", "a", "b", "?x=1", "#x", "\\", " ", "\u{202e}", "\u{0}",
    "\r\n", "🦀",
];
const HEADERS: &[&str] = &[
    "content-range",
    "content-length",
    "etag",
    "last-modified",
    "retry-after",
    "date",
    "x-amz-request-id",
    "x-amz-delete-marker",
    "x-minio-error-code",
    "x-ms-error-code",
    "x-amz-version-id",
    "content-type",
    "x-amz-meta-a",
    "location",
];
const TEXTS: &[&str] = &[
    "",
    "Server returned non-2xx status code: 503 Service Unavailable: ",
    "Server returned non-2xx status code: ",
    "Server returned error response: ",
    "Received redirect without LOCATION",
    "Wanted range starting at ",
    "Requested 0..3, got 0..4",
    "Range request not supported by ",
    "Invalid last modified '",
    "Metadata value for \"",
    "SlowDown/429 Too Many Requests",
    "HTTP/1.1 404 Not Found",
];
const URLS: &[&str] = &[
    "memory:///",
    "memory:///a/b",
    "s3://bucket",
    "s3://bucket/prefix",
    "gs://bucket",
    "az://container",
    "abfss://container@account.dfs.core.windows.net/p",
    "http://host/p",
    "https://account.blob.core.windows.net/container",
    "https://user:hunter2@host/",
    "s3://",
    "ftp://host",
    "s3://bucket?sig=1",
    "data:,x",
    "http://[::1",
    "",
];
const TABLES: &[&str] = &[
    "breaker",
    "retry",
    "timeouts",
    "rotation",
    "hedge",
    "reads",
    "writes",
    "throttle",
    "events",
    "probe",
    "timeouts.operations.list",
    "x",
];
const KEYS: &[&str] = &[
    "name",
    "weight",
    "ordered",
    "flavor",
    "options.region",
    "options.access_key_id",
    "options.secret_access_key",
    "options.endpoint",
    "options.google_bearer_token",
    "options.google_service_account_key",
    "options.account_name",
    "options.account_key",
    "options.sas_key",
    "options.proxy_url",
    "options.timeout",
    "options.allow_http",
    "options.default_headers",
    "headers.x-a",
    "headers.range",
    "breaker.open_for",
    "timeouts.attempt",
    "attempt",
    "total",
    "stall",
    "connect",
    "failure_threshold",
    "failure_rate",
    "open_for",
    "open_for_max",
    "jitter",
    "ramp",
    "policy",
    "home",
    "canary",
    "reads_per_second",
    "max_in_flight",
    "key",
    "interval",
    "budget",
    "rounds",
    "after",
    "not_found",
    "home_prefixes",
];
const VALUES: &[&str] = &[
    "\"a\"",
    "\"b\"",
    "\"1s\"",
    "\"0s\"",
    "\"1ns\"",
    "\"364days\"",
    "\"584942417355years\"",
    "true",
    "false",
    "1",
    "0",
    "-1",
    "0.5",
    "nan",
    "inf",
    "-0.0",
    "1e308",
    "9223372036854775807",
    "[]",
    "{}",
    "{ env = \"NO_SUCH_VARIABLE\" }",
    "{ env = 1 }",
    "\"any\"",
    "\"home\"",
    "\"none\"",
    "\"nearest\"",
    "\"random\"",
    "\"minio\"",
    "\"http://host:1\"",
    "\"socks5://user:pw@host\"",
    "\"eyJ9\"",
    "\"{\\\"private_key\\\": \\\"x\\\"}\"",
    "1979-05-27",
];
