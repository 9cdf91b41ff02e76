//! The median of a few figures, and how well they tell it.

/// A median and its 95 % interval by order statistics: of as many figures as there are, so many lie below the median as heads fall in as
/// many throws of a coin. It asks nothing of their distribution, and needs six.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Median {
    pub(crate) value: f64,
    pub(crate) interval: Option<(f64, f64)>,
}

impl Median {
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<_> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let value = match count {
            0 => f64::NAN,
            _ => (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0,
        };
        let interval = cut(count).map(|cut| (sorted[cut], sorted[count - 1 - cut]));
        Self { value, interval }
    }
}

/// How many figures may be cut from either end so that what is left holds the median in 95 of 100 cases.
fn cut(count: usize) -> Option<usize> {
    // The chance that at most so many of `count` throws are heads.
    let mut throws = 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX));
    let (mut chance, mut cut) = (0.0, None);
    for heads in 0..count {
        chance += throws;
        if chance > 0.025 {
            break;
        }
        cut = Some(heads);
        throws *= (count - heads) as f64 / (heads + 1) as f64;
    }
    cut
}
