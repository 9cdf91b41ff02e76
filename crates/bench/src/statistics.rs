//! The median of a few figures, with its confidence interval.

/// A median and its 95 % interval by order statistics: the number of figures below the true median
/// has a binomial distribution with p = 0.5. This assumes nothing about the distribution of the
/// figures, and needs six of them.
#[derive(Debug, Clone, Copy)]
pub struct Median {
    pub value: f64,
    pub interval: Option<(f64, f64)>,
}

impl Median {
    pub fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<_> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let value = match count {
            0 => f64::NAN,
            _ => (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0,
        };
        let interval = trimmed(count).map(|rank| (sorted[rank], sorted[count - 1 - rank]));
        Self { value, interval }
    }
}

/// How many figures can be trimmed from either end while the rest contains the median with a
/// probability of 95 %.
fn trimmed(count: usize) -> Option<usize> {
    // P(X = below) for the number of figures below the median.
    let mut probability = 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX));
    let (mut cumulative, mut trimmed) = (0.0, None);
    for below in 0..count {
        cumulative += probability;
        if cumulative > 0.025 {
            break;
        }
        trimmed = Some(below);
        probability *= (count - below) as f64 / (below + 1) as f64;
    }
    trimmed
}
