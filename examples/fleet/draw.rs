//! The plot: what the region sees, and what all of it costs, by the second.

use std::fmt::Write as _;

use crate::args::Args;
use crate::run::Seen;
use crate::variant::Variant;

/// One of the two plots.
struct Panel {
    top: f64,
    most: f64,
    title: String,
    /// Lines across, with what they stand for.
    marks: Vec<(f64, String)>,
}

pub(crate) fn svg(args: &Args, with_room: &[(Variant, Seen)], without_room: &[(Variant, Seen)]) -> String {
    let share = args.per_second as f64 / args.regions as f64;
    let most = with_room.iter().flat_map(|(_, seen)| &seen.at_region).copied().max().unwrap_or(1) as f64;
    let load = |seen: &Seen| -> Vec<f64> {
        seen.attempts.iter().zip(&seen.asked).map(|(attempts, asked)| *attempts as f64 / (*asked).max(1) as f64).collect()
    };
    let highest = without_room.iter().flat_map(|(_, seen)| load(seen)).fold(1.0, f64::max);
    let marks = |step: f64, most: f64| {
        let count = (most / step) as usize;
        (0..=count).map(|mark| (mark as f64 * step, format!("{}", mark as f64 * step))).collect::<Vec<_>>()
    };
    let title = format!("requests a second at the region that dies and returns; each can serve {} times its share", args.room);
    let upper = Panel { top: 50.0, most, title, marks: marks((share / 5.0).round(), most) };
    let title = format!("requests at all regions / reads of all clients; each can serve {} times its share", args.no_room);
    let lower = Panel { top: 340.0, most: highest, title, marks: marks(0.5, highest) };
    let mut text = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="620" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
<text x="{LEFT}" y="20" font-size="14">{} clients, {} regions, {} reads a second; one region is dead from {} s to {} s; its share is {share:.0}</text>
"##,
        args.clients,
        args.regions,
        args.per_second,
        args.dies,
        args.back()
    );
    upper.frame(args, &mut text);
    lower.frame(args, &mut text);
    for (variant, seen) in with_room.iter().rev() {
        upper.line(args, *variant, &seen.at_region.iter().map(|count| *count as f64).collect::<Vec<_>>(), &mut text);
    }
    for (variant, seen) in without_room.iter().rev() {
        lower.line(args, *variant, &load(seen), &mut text);
    }
    let shown = with_room.iter().chain(&without_room[1..]);
    for (index, (variant, _)) in shown.enumerate() {
        let left = LEFT + 150.0 * index as f64;
        let _ = writeln!(
            text,
            r#"<rect x="{left}" y="598" width="12" height="12" fill="{}"/><text x="{}" y="609">{}</text>"#,
            variant.color(),
            left + 17.0,
            variant.name()
        );
    }
    text.push_str("</svg>\n");
    text
}

impl Panel {
    fn x(args: &Args, second: f64) -> f64 {
        LEFT + second / args.seconds as f64 * (WIDTH - LEFT - 20.0)
    }

    fn y(&self, value: f64) -> f64 {
        self.top + HEIGHT * (1.0 - value / self.most)
    }

    fn frame(&self, args: &Args, text: &mut String) {
        let (dies, back) = (Self::x(args, args.dies as f64), Self::x(args, args.back() as f64));
        let _ = writeln!(
            text,
            r##"<rect x="{dies:.1}" y="{}" width="{:.1}" height="{HEIGHT}" fill="#f2f2f2"/><text x="{LEFT}" y="{}" font-weight="bold">{}</text>"##,
            self.top,
            back - dies,
            self.top - 8.0,
            self.title
        );
        for (value, name) in &self.marks {
            let y = self.y(*value);
            let _ = writeln!(
                text,
                r##"<line x1="{LEFT}" x2="{}" y1="{y:.1}" y2="{y:.1}" stroke="#ddd"/><text x="{}" y="{:.1}" text-anchor="end">{name}</text>"##,
                WIDTH - 20.0,
                LEFT - 6.0,
                y + 4.0
            );
        }
        for second in (0..=args.seconds).step_by(20) {
            let x = Self::x(args, second as f64);
            let _ = writeln!(text, r#"<text x="{x:.1}" y="{}" text-anchor="middle">{second} s</text>"#, self.top + HEIGHT + 16.0);
        }
    }

    fn line(&self, args: &Args, variant: Variant, values: &[f64], text: &mut String) {
        // The last second is not whole.
        let ended = values.len() - 1;
        let points: Vec<_> = values[..ended]
            .iter()
            .enumerate()
            .map(|(second, value)| format!("{:.1},{:.1}", Self::x(args, second as f64 + 0.5), self.y(*value)))
            .collect();
        let _ = writeln!(text, r#"<polyline points="{}" fill="none" stroke="{}" stroke-width="1.5"/>"#, points.join(" "), variant.color());
    }
}

const WIDTH: f64 = 900.0;
const LEFT: f64 = 60.0;
const HEIGHT: f64 = 220.0;
