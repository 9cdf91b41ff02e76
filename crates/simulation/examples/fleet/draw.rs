//! The plots: requests per second at the region that fails, and requests per read.

use std::fmt::Write as _;

use crate::args::Args;
use crate::run::Counts;
use crate::variant::Variant;

/// One of the two plots: its top edge, the value at that edge, and its grid lines with labels.
struct Panel {
    top: f64,
    most: f64,
    title: String,
    marks: Vec<(f64, String)>,
}

pub(crate) fn svg(
    args: &Args,
    ample: &[(Variant, Counts)],
    scarce: &[(Variant, Counts)],
) -> String {
    let mut text =
        format!(r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="620" "##);
    let _ = write!(
        text,
        r##"font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
<text x="{LEFT}" y="20" font-size="14">{} clients, {} regions, {} reads per second; "##,
        args.clients, args.regions, args.per_second
    );
    let _ = writeln!(
        text,
        "one region is down from {} s to {} s; its share is {:.0}</text>",
        args.down_from,
        args.down_until(),
        args.share()
    );
    let upper = requests_panel(args, ample);
    let lower = load_panel(args, scarce);
    upper.frame(args, &mut text);
    lower.frame(args, &mut text);
    for (variant, counts) in ample.iter().rev() {
        let requests: Vec<_> = counts.at_region.iter().map(|count| *count as f64).collect();
        upper.line(args, *variant, &requests, &mut text);
    }
    for (variant, counts) in scarce.iter().rev() {
        lower.line(args, *variant, &load(counts), &mut text);
    }
    // The first variant is the same in both plots.
    let shown = ample.iter().chain(&scarce[1..]);
    for (index, (variant, _)) in shown.enumerate() {
        let left = LEFT + 150.0 * index as f64;
        let (color, name) = (variant.color(), variant.name());
        let _ = write!(
            text,
            r#"<rect x="{left}" y="598" width="12" height="12" fill="{color}"/>"#
        );
        let _ = writeln!(text, r#"<text x="{}" y="609">{name}</text>"#, left + 17.0);
    }
    text.push_str("</svg>\n");
    text
}

/// Requests per second at the region that fails.
fn requests_panel(args: &Args, runs: &[(Variant, Counts)]) -> Panel {
    let most = runs
        .iter()
        .flat_map(|(_, counts)| &counts.at_region)
        .copied()
        .max()
        .unwrap_or(1) as f64;
    Panel {
        top: 50.0,
        most,
        title: format!(
            "requests per second at the region that fails; capacity {} times its share",
            args.capacity
        ),
        marks: marks((args.share() / 5.0).round(), most),
    }
}

/// Requests per read.
fn load_panel(args: &Args, runs: &[(Variant, Counts)]) -> Panel {
    let most = runs
        .iter()
        .flat_map(|(_, counts)| load(counts))
        .fold(1.0, f64::max);
    Panel {
        top: 340.0,
        most,
        title: format!(
            "requests at all regions / reads of all clients; capacity {} times the share",
            args.scarce_capacity
        ),
        marks: marks(0.5, most),
    }
}

fn load(counts: &Counts) -> Vec<f64> {
    counts
        .attempts
        .iter()
        .zip(&counts.reads)
        .map(|(attempts, reads)| *attempts as f64 / (*reads).max(1) as f64)
        .collect()
}

fn marks(step: f64, most: f64) -> Vec<(f64, String)> {
    (0..=(most / step) as usize)
        .map(|mark| mark as f64 * step)
        .map(|value| (value, value.to_string()))
        .collect()
}

impl Panel {
    fn x(args: &Args, second: f64) -> f64 {
        LEFT + second / args.seconds as f64 * (WIDTH - LEFT - 20.0)
    }

    fn y(&self, value: f64) -> f64 {
        self.top + HEIGHT * (1.0 - value / self.most)
    }

    fn frame(&self, args: &Args, text: &mut String) {
        let (from, until) = (
            Self::x(args, args.down_from as f64),
            Self::x(args, args.down_until() as f64),
        );
        let (top, width) = (self.top, until - from);
        let _ = write!(
            text,
            r##"<rect x="{from:.1}" y="{top}" width="{width:.1}" height="{HEIGHT}" "##
        );
        let _ = writeln!(
            text,
            r##"fill="#f2f2f2"/><text x="{LEFT}" y="{}" font-weight="bold">{}</text>"##,
            top - 8.0,
            self.title
        );
        for (value, name) in &self.marks {
            let y = self.y(*value);
            let _ = write!(
                text,
                r##"<line x1="{LEFT}" x2="{}" y1="{y:.1}" y2="{y:.1}" stroke="#ddd"/>"##,
                WIDTH - 20.0
            );
            let _ = writeln!(
                text,
                r#"<text x="{}" y="{:.1}" text-anchor="end">{name}</text>"#,
                LEFT - 6.0,
                y + 4.0
            );
        }
        for second in (0..=args.seconds).step_by(20) {
            let x = Self::x(args, second as f64);
            let _ = writeln!(
                text,
                r#"<text x="{x:.1}" y="{}" text-anchor="middle">{second} s</text>"#,
                self.top + HEIGHT + 16.0
            );
        }
    }

    fn line(&self, args: &Args, variant: Variant, values: &[f64], text: &mut String) {
        // The last second is incomplete.
        let ended = values.len() - 1;
        let points: Vec<_> = values[..ended]
            .iter()
            .enumerate()
            .map(|(second, value)| {
                format!(
                    "{:.1},{:.1}",
                    Self::x(args, second as f64 + 0.5),
                    self.y(*value)
                )
            })
            .collect();
        let _ = writeln!(
            text,
            r#"<polyline points="{}" fill="none" stroke="{}" stroke-width="1.5"/>"#,
            points.join(" "),
            variant.color()
        );
    }
}

const WIDTH: f64 = 900.0;
const LEFT: f64 = 60.0;
const HEIGHT: f64 = 220.0;
