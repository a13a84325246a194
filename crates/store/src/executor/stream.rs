//! Answers batch by batch, for whoever writes them out: nothing is gathered.
//!
//! Enters: a plan, limits, a taker of batches. Leaves: how many rows went and which limit cut them.
//! Refuses: more than [`AHEAD_BATCHES`] batches made ahead of the taker: the engine waits, without
//! holding a thread. Limits: those of any answer, `ANSWER_BYTES_MAX` included.
//! Source: `facts/store.md` section 4.2.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use futures::StreamExt as _;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{Sender, channel};

use super::local::{ANSWER_BYTES_MAX, GRACE, LocalExecutor, POLL};
use super::{Failure, Limits};

/// Batches that wait for the taker.
const AHEAD_BATCHES: usize = 4;

/// What went to the taker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Streamed {
    /// Rows.
    pub(crate) rows: usize,
    /// The limit that cut the answer: `rows`, `time`, `memory`.
    pub(crate) limited: Option<&'static str>,
}

type Item = Result<RecordBatch, Failure>;

impl LocalExecutor {
    /// Runs a plan and hands its batches to `take`, which ends it with a sentence.
    ///
    /// # Errors
    /// See [`Failure`]; the batches before it were taken.
    pub(crate) fn stream(
        &self,
        session: &SessionContext,
        plan: LogicalPlan,
        limits: Limits,
        cancel: &AtomicBool,
        take: &mut dyn FnMut(RecordBatch) -> Result<(), String>,
    ) -> Result<Streamed, Failure> {
        let Some(runtime) = self.runtime() else {
            return Err(Failure::Cancelled);
        };
        let started = Instant::now();
        let wall = Duration::from_millis(limits.time_ms_max);
        let deadline = tokio::time::Instant::from_std(started + wall);
        let (sender, mut batches) = channel(AHEAD_BATCHES);
        let session = session.clone();
        let task = runtime.spawn(async move {
            if let Err(failure) = feed(&session, plan, deadline, &sender).await {
                drop(sender.send(Err(failure)).await);
            }
        });
        let (mut out, mut bytes) = (Streamed::default(), 0usize);
        let outcome = loop {
            if cancel.load(Ordering::Relaxed) {
                break Err(Failure::Cancelled);
            }
            let batch: RecordBatch = match batches.try_recv() {
                Ok(Ok(batch)) => batch,
                // What came in time is an answer, and says that it was cut.
                Ok(Err(Failure::Time)) if out.rows > 0 => {
                    out.limited = Some("time");
                    break Ok(out);
                }
                Ok(Err(failure)) => break Err(failure),
                Err(TryRecvError::Disconnected) => break Ok(out),
                // A plan that does not yield is abandoned.
                Err(TryRecvError::Empty) if started.elapsed() > wall + GRACE => {
                    break Err(Failure::Time);
                }
                Err(TryRecvError::Empty) => {
                    std::thread::sleep(POLL / 5);
                    continue;
                }
            };
            let left = limits.rows_max - out.rows;
            let cut = batch.num_rows() > left;
            let batch = if cut { batch.slice(0, left) } else { batch };
            out.rows += batch.num_rows();
            bytes += batch.get_array_memory_size();
            if let Err(cause) = take(batch) {
                break Err(Failure::Output(cause));
            }
            if cut || bytes > ANSWER_BYTES_MAX {
                out.limited = Some(if cut { "rows" } else { "memory" });
                break Ok(out);
            }
        };
        task.abort();
        outcome
    }
}

/// Sends batches until the end, the deadline, or until nobody takes them.
async fn feed(
    session: &SessionContext,
    plan: LogicalPlan,
    deadline: tokio::time::Instant,
    sender: &Sender<Item>,
) -> Result<(), Failure> {
    let frame = session.execute_logical_plan(plan).await?;
    let started = tokio::time::timeout_at(deadline, frame.execute_stream()).await;
    let mut stream = started.map_err(|_| Failure::Time)??;
    loop {
        let next = tokio::time::timeout_at(deadline, stream.next()).await;
        let Some(batch) = next.map_err(|_| Failure::Time)? else {
            return Ok(());
        };
        if sender.send(Ok(batch?)).await.is_err() {
            return Ok(());
        }
    }
}
