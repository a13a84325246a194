//! The period of a request.
//!
//! Enters: `from` and `to` in milliseconds. Leaves: a period, the last 24 hours when nothing is
//! said. Refuses: periods that end before they begin, and those beyond [`PERIOD_MS_MAX`].
//! Source: the HTTP contract, `openapi.json`.

use model::Millis;
use model::port::Query;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::limit::QUERY_MS_DEFAULT;

/// Query parameters of a period.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodParams {
    /// Beginning, inclusive, milliseconds since 1970; 24 hours before the end when absent.
    from: Option<i64>,
    /// End, exclusive, milliseconds since 1970; now when absent.
    to: Option<i64>,
}

/// A period in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Period {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl PeriodParams {
    pub(crate) fn period(&self, app: &App) -> Answer<Period> {
        Period::new(self.from, self.to, app)
    }
}

impl Period {
    pub(crate) fn new(from: Option<i64>, to: Option<i64>, app: &App) -> Answer<Self> {
        let to = to.unwrap_or_else(|| app.now().0);
        let from = from.unwrap_or(to.saturating_sub(DAY_MS));
        let length = to.saturating_sub(from);
        let known = |ms: i64| (0..=TIME_MS_MAX).contains(&ms);
        if length <= 0 || length > PERIOD_MS_MAX || !known(from) || !known(to) {
            return Err(ApiError::bad_value(
                "from must be before to, both in milliseconds since 1970, at most 20 years apart",
            ));
        }
        Ok(Self { from, to })
    }

    /// A query of this period.
    pub(crate) fn query(self, text: impl Into<String>, rows_max: usize) -> Query {
        Query {
            text: text.into(),
            from: Some(Millis(self.from)),
            to: Some(Millis(self.to)),
            rows_max,
            time_ms_max: QUERY_MS_DEFAULT,
        }
    }

    /// The width of a round bin such that the period has at most `bins_max` of them, and the start
    /// of the first one.
    pub(crate) fn bins(self, bins_max: u64) -> (i64, i64) {
        let bins_max = i64::try_from(bins_max.max(1)).unwrap_or(1);
        let wanted = ceiling(self.to - self.from, bins_max).max(1);
        let round = ROUND_MS.into_iter().find(|round| *round >= wanted);
        let width = round.unwrap_or_else(|| ceiling(wanted, DAY_MS).saturating_mul(DAY_MS));
        (width, self.from.div_euclid(width).saturating_mul(width))
    }

    pub(crate) const fn before(self, ms: i64) -> Self {
        Self {
            from: self.from.saturating_sub(ms),
            to: self.to.saturating_sub(ms),
        }
    }
}

/// `length / width`, rounded up; both are positive.
const fn ceiling(length: i64, width: i64) -> i64 {
    length / width + (length % width != 0) as i64
}

/// One day in milliseconds.
pub(crate) const DAY_MS: i64 = 86_400_000;
const PERIOD_MS_MAX: i64 = 20 * 366 * DAY_MS;
/// The year 2200: beyond it, intervals could overflow.
const TIME_MS_MAX: i64 = 7_258_118_400_000;
/// Widths that a reader of an axis expects.
const ROUND_MS: [i64; 21] = [
    1,
    10,
    100,
    1_000,
    2_000,
    5_000,
    10_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    604_800_000,
];
