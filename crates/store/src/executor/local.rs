//! The engine of one machine: DataFusion on its own threads, with its own memory.
//!
//! Enters: plans. Leaves: batches. Refuses: more memory than the pool has, all queries together.
//! Limits: [`ANSWER_BYTES_MAX`]. Source: `facts/store.md` section 4.2, "Settings that matter".

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::registry::FunctionRegistry as _;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt as _;
use tokio::runtime::{Builder, Runtime};

use super::yielding::Yielding;
use super::{Answer, Executor, Failure, Limits};
use crate::catalog::{local_store, local_url};
use crate::config::StoreConfig;
use crate::error::StoreError;
use crate::query::{functions, literals};

/// Most bytes of one answer.
pub(crate) const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How often the caller's flag is looked at.
pub(super) const POLL: Duration = Duration::from_millis(10);
/// What a plan that does not yield gets beyond its time before it is abandoned.
pub(super) const GRACE: Duration = Duration::from_millis(500);
/// Stack of a query thread: plans of long conditions are deep.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// DataFusion in this process.
pub struct LocalExecutor {
    runtime: Option<Runtime>,
    state: SessionState,
    environment: Arc<RuntimeEnv>,
}

impl LocalExecutor {
    /// An engine that reads segments below `root` and spills to its `tmp`.
    ///
    /// # Errors
    /// Threads or directories could not be made.
    pub fn new(root: &Path, config: &StoreConfig) -> Result<Self, StoreError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(config.query_threads.max(1))
            .thread_name("store-query")
            .thread_stack_size(STACK_BYTES)
            .enable_time()
            .build()
            .map_err(|e| StoreError::io(root, "start the query threads", e))?;
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![root.join("tmp")]))
            .with_max_temp_directory_size(config.query_spill_bytes);
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(config.query_memory_bytes)))
            .with_disk_manager_builder(disk)
            .build_arc()?;
        environment.register_object_store(local_url()?.as_ref(), local_store(root)?);
        let mut state = SessionStateBuilder::new_with_default_features()
            .with_config(session_config(config))
            .with_runtime_env(Arc::clone(&environment))
            .with_physical_optimizer_rule(Arc::new(Yielding))
            .build();
        for function in functions::all() {
            state.register_udf(function)?;
        }
        state.register_expr_planner(Arc::new(literals::AddressPlanner))?;
        Ok(Self {
            runtime: Some(runtime),
            state,
            environment,
        })
    }

    /// A session without tables.
    pub(crate) fn session(&self) -> SessionContext {
        // A catalog of its own: views of one query are not seen by another.
        let catalogs = Arc::new(datafusion::catalog::MemoryCatalogProviderList::new());
        let catalog = Arc::new(datafusion::catalog::MemoryCatalogProvider::new());
        let schema = Arc::new(datafusion::catalog::MemorySchemaProvider::new());
        let registered = datafusion::catalog::CatalogProvider::register_schema(
            catalog.as_ref(),
            "public",
            schema,
        );
        debug_assert!(registered.is_ok());
        datafusion::catalog::CatalogProviderList::register_catalog(
            catalogs.as_ref(),
            "vigie".to_owned(),
            catalog,
        );
        let state = SessionStateBuilder::new_from_existing(self.state.clone())
            .with_runtime_env(Arc::clone(&self.environment))
            .with_catalog_list(catalogs)
            .build();
        SessionContext::new_with_state(state)
    }

    /// The threads that run queries.
    pub(super) const fn runtime(&self) -> Option<&Runtime> {
        self.runtime.as_ref()
    }

    /// Runs a future on the query threads and waits for it.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (sender, answer) = sync_channel(1);
        self.runtime.as_ref()?.spawn(async move {
            drop(sender.send(work.await));
        });
        answer.recv().ok()
    }
}

impl Executor for LocalExecutor {
    fn run(
        &self,
        session: &SessionContext,
        plan: LogicalPlan,
        limits: Limits,
        cancel: &AtomicBool,
    ) -> Result<Answer, Failure> {
        let started = Instant::now();
        let wall = Duration::from_millis(limits.time_ms_max);
        let session = session.clone();
        let (sender, answer) = sync_channel(1);
        let Some(runtime) = &self.runtime else {
            return Err(Failure::Cancelled);
        };
        let task = runtime.spawn(async move {
            let outcome = collect(&session, plan, limits, started + wall).await;
            drop(sender.send(outcome));
        });
        loop {
            match answer.recv_timeout(POLL) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::Cancelled),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if cancel.load(Ordering::Relaxed) {
                task.abort();
                return Err(Failure::Cancelled);
            }
            if started.elapsed() > wall + GRACE {
                task.abort();
                return Err(Failure::Time);
            }
        }
    }
}

impl Drop for LocalExecutor {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Also works inside another runtime, where a blocking drop would not.
            runtime.shutdown_background();
        }
    }
}

async fn collect(
    session: &SessionContext,
    plan: LogicalPlan,
    limits: Limits,
    deadline: Instant,
) -> Result<Answer, Failure> {
    let deadline = tokio::time::Instant::from_std(deadline);
    let frame = session.execute_logical_plan(plan).await?;
    let started = tokio::time::timeout_at(deadline, frame.execute_stream()).await;
    let mut stream = started.map_err(|_| Failure::Time)??;
    let mut answer = Answer {
        schema: stream.schema(),
        batches: Vec::new(),
        limited: None,
    };
    let (mut rows, mut bytes) = (0usize, 0usize);
    loop {
        let Ok(next) = tokio::time::timeout_at(deadline, stream.next()).await else {
            if rows == 0 {
                return Err(Failure::Time);
            }
            answer.limited = Some("time");
            return Ok(answer);
        };
        let Some(batch) = next else { return Ok(answer) };
        let batch = batch?;
        let left = limits.rows_max - rows;
        if batch.num_rows() > left {
            answer.batches.push(batch.slice(0, left));
            answer.limited = Some("rows");
            return Ok(answer);
        }
        rows += batch.num_rows();
        bytes += batch.get_array_memory_size();
        answer.batches.push(batch);
        if bytes > ANSWER_BYTES_MAX {
            answer.limited = Some("memory");
            return Ok(answer);
        }
    }
}

fn session_config(config: &StoreConfig) -> SessionConfig {
    let mut session = SessionConfig::new()
        .with_target_partitions(config.query_threads.max(1))
        .with_information_schema(false)
        .with_default_catalog_and_schema("vigie", "public");
    let options = session.options_mut();
    let parquet = &mut options.execution.parquet;
    parquet.pushdown_filters = true;
    parquet.reorder_filters = true;
    parquet.bloom_filter_on_read = true;
    parquet.schema_force_view_types = false;
    options.execution.collect_statistics = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    session
}
