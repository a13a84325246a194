//! Closing generations, and what happens when sealing is slower than ingestion.
//!
//! Enters: the state of the log thread. Leaves: closed generations for the sealer, rests, waits.
//! Refuses: to wait for the sealer before `hot_bytes_max` bytes are unsealed; to wait longer than
//! [`BEHIND_WAIT`] then. Limits: [`SEALS_MAX`], [`FLUSHES_MAX`], [`PACE`], [`SEAL_WAIT`].
//! Source: `STYLE.md` rules 15 and 27.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use model::metric;

use super::{COMMIT_ROWS_MAX, Writer};
use crate::error::StoreError;
use crate::frame::FILE_HEAD_BYTES;
use crate::seal::SealJob;
use crate::wal::log::Log;

/// Generations that wait for the sealer; the present one grows on when there are more.
const SEALS_MAX: usize = 4;
/// Generations that a caller's `flush` may add to them.
const FLUSHES_MAX: usize = 32;
/// Longest rest after a commit of [`COMMIT_ROWS_MAX`] rows.
const PACE: Duration = Duration::from_millis(40);
/// How long events wait at the bound of unsealed bytes before they are refused.
const BEHIND_WAIT: Duration = Duration::from_secs(2);
/// How long a full disk waits for what is being sealed.
const SEAL_WAIT: Duration = Duration::from_secs(5);
/// Between two looks at the sealer.
const STEP: Duration = Duration::from_millis(5);

impl Writer {
    pub(super) fn answer_rotate(&mut self, reply: &SyncSender<Result<u64, StoreError>>) {
        let closing = self.log.generation;
        let outcome = if self.rows == 0 {
            Ok(self.asked)
        } else if self.waiting.len() >= FLUSHES_MAX {
            Err(self.behind())
        } else {
            self.try_rotate().map(|()| closing)
        };
        drop(reply.send(outcome));
    }

    pub(super) fn is_due(&self) -> bool {
        if self.rows == 0 {
            return false;
        }
        let config = &self.core.config;
        let age = (config.now)().0 - self.born_ms;
        // A small disk cannot hold a large log beside its segments.
        let bytes_max = config
            .seal_wal_bytes
            .min(config.hot_bytes_max / 4)
            .min(self.core.capacity / 8);
        self.log.is_broken()
            || self.rows >= config.seal_rows
            || self.log.bytes() >= bytes_max
            || age >= config.seal_age_ms
    }

    /// Closes the generation and begins the next one, unless the sealer is far behind.
    pub(super) fn rotate(&mut self) {
        let closed = self.core.view().hot.len().saturating_sub(1);
        if closed >= SEALS_MAX && !self.log.is_broken() {
            return;
        }
        if let Err(error) = self.try_rotate() {
            tracing::error!(%error, "the log could not begin a new file; the old one goes on");
        }
    }

    pub(super) fn try_rotate(&mut self) -> Result<(), StoreError> {
        let next = Log::create(&self.core.root.join("wal"), self.log.generation + 1)?;
        let closed = std::mem::replace(&mut self.log, next);
        let ranges = std::mem::take(&mut self.ranges).ranges();
        self.rows = 0;
        self.born_ms = (self.core.config.now)().0;
        let wal_bytes = closed.bytes().saturating_sub(FILE_HEAD_BYTES as u64);
        let job = SealJob {
            generation: closed.generation,
            ranges,
            wal_bytes,
        };
        self.asked = closed.generation;
        self.waiting.push_back(job);
        self.hand_over();
        Ok(())
    }

    /// Gives the sealer what it has room for; never waits for it.
    pub(super) fn hand_over(&mut self) {
        while let Some(job) = self.waiting.pop_front() {
            if let Err(TrySendError::Full(job)) = self.seal.try_send(job) {
                self.waiting.push_front(job);
                return;
            }
        }
    }

    /// Rests in proportion to the rows just committed and to how far the sealer is behind.
    pub(super) fn pace(&self, rows: usize) {
        let most = self.core.config.hot_bytes_max;
        let over = self.core.unsealed().saturating_sub(most / 2);
        if over == 0 || rows == 0 {
            return;
        }
        metric::STORE_PACED.add(1);
        let share = over.saturating_mul(1000) / (most / 2).max(1);
        let rows = rows.min(COMMIT_ROWS_MAX) as u64;
        let most = u64::try_from(PACE.as_micros()).unwrap_or(u64::MAX);
        let rest = most.saturating_mul(share.min(1000)) / 1000 * rows / COMMIT_ROWS_MAX as u64;
        std::thread::sleep(Duration::from_micros(rest));
    }

    /// Waits at the bound of unsealed bytes, not for ever.
    pub(super) fn wait_for_memory(&mut self) -> Result<(), StoreError> {
        let mut waited = Duration::ZERO;
        while self.core.unsealed() >= self.core.config.hot_bytes_max {
            if waited >= BEHIND_WAIT || self.core.stopping() {
                return Err(self.behind());
            }
            if self.is_due() {
                self.rotate();
            }
            self.hand_over();
            std::thread::sleep(STEP);
            waited += STEP;
        }
        Ok(())
    }

    fn behind(&self) -> StoreError {
        StoreError::Behind {
            unsealed: self.core.unsealed(),
            most: self.core.config.hot_bytes_max,
        }
    }

    /// On a full disk without segments: segments are smaller than the log, so seal it and wait.
    pub(super) fn seal_for_room(&mut self) -> bool {
        if self.rows > 0
            && let Err(error) = self.try_rotate()
        {
            tracing::warn!(%error, "the log could not begin a new file to be sealed");
            return false;
        }
        let before = self.core.unsealed();
        let mut waited = Duration::ZERO;
        while waited < SEAL_WAIT && self.asked > self.core.sealed.load(Ordering::Acquire) {
            std::thread::sleep(STEP);
            waited += STEP;
            self.hand_over();
            if self.core.unsealed() < before {
                return true;
            }
        }
        false
    }
}
