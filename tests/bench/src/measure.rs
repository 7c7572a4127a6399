//! Two sides measured in turns. A slow moment of a shared machine then hits both, and the median of many rounds' ratios
//! forgets it.

use std::time::{Duration, Instant};

/// How much to measure.
pub(crate) struct Rounds {
    pub(crate) quick: bool,
    turns: usize,
    slice: Duration,
}

impl Rounds {
    pub(crate) fn new(quick: bool) -> Self {
        Self { quick, turns: if quick { 31 } else { 101 }, slice: Duration::from_millis(if quick { 25 } else { 60 }) }
    }

    /// How many rounds of something that takes seconds: one more is made before them, which fills caches and does not count.
    pub(crate) fn long(&self) -> usize {
        if self.quick { 5 } else { 15 }
    }

    /// The median over all rounds of (time of `ours` / time of `yardstick`), and both median times.
    pub(crate) fn compare(&self, mut ours: impl FnMut(), mut yardstick: impl FnMut()) -> Comparison {
        // The first runs fill caches and pools.
        for _ in 0..20 {
            ours();
            yardstick();
        }
        let repeats = self.repeats(&mut ours).min(self.repeats(&mut yardstick)).max(1);
        let mut rounds = Vec::with_capacity(self.turns);
        for round in 0..self.turns {
            // Whoever goes second finds the machine as the first left it.
            let (ours, yardstick) = if round % 2 == 0 {
                let ours = time(repeats, &mut ours);
                (ours, time(repeats, &mut yardstick))
            } else {
                let yardstick = time(repeats, &mut yardstick);
                (time(repeats, &mut ours), yardstick)
            };
            rounds.push((ours, yardstick));
        }
        Comparison {
            ratio: median(rounds.iter().map(|(ours, yardstick)| ours / yardstick)),
            ours_us: median(rounds.iter().map(|(ours, _)| ours * 1e6)),
            yardstick_us: median(rounds.iter().map(|(_, yardstick)| yardstick * 1e6)),
        }
    }

    fn repeats(&self, side: &mut impl FnMut()) -> u32 {
        let once = time(3, side).max(1e-7);
        let fit = self.slice.as_secs_f64() / once;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive count, clamped")]
        let fit = fit.clamp(1.0, 100_000.0) as u32;
        fit
    }
}

/// What a comparison found.
pub(crate) struct Comparison {
    pub(crate) ratio: f64,
    pub(crate) ours_us: f64,
    pub(crate) yardstick_us: f64,
}

impl Comparison {
    pub(crate) fn times(&self) -> String {
        format!("{:.1} us against {:.1} us here", self.ours_us, self.yardstick_us)
    }
}

/// Seconds that one run takes.
fn time(repeats: u32, side: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..repeats {
        side();
    }
    start.elapsed().as_secs_f64() / f64::from(repeats)
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    hundredth(values, 50)
}

/// The value that so many of a hundred are below.
pub(crate) fn hundredth(values: impl Iterator<Item = f64>, below: usize) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() * below / 100).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_of_a_hundred_are_below_whatever_the_order() {
        let values = || (0..1_000).rev().map(f64::from);
        assert_eq!((hundredth(values(), 50), hundredth(values(), 99)), (500.0, 990.0));
        assert!((median([5.0, 1.0, 3.0].into_iter()) - 3.0).abs() < f64::EPSILON);
        assert!(median(std::iter::empty()).is_nan());
    }
}
