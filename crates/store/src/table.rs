//! One class as a table: segments and memory of one view, as one scan.
//!
//! Enters: a view, the tenants looked at, a time window. Leaves: plain Parquet leaves and memory
//! leaves under one union, so that a distributed engine needs no codec of ours. Refuses: nothing;
//! segments whose times or tenant cannot match are not opened.
//! Source: `facts/store.md` sections 5 and 6; `docs/adr/0007`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::Precision;
use datafusion::common::{ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;

use crate::catalog::local_url;
use crate::hot::View;
use crate::schema::ClassSchema;
use crate::segment::SegmentMeta;
use crate::tenant::Tenant;

/// A class within a view.
pub(crate) struct StoreTable {
    pub(crate) schema: &'static ClassSchema,
    pub(crate) view: Arc<View>,
    pub(crate) tenant: Tenant,
}

impl std::fmt::Debug for StoreTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.schema.class.name, self.view.catalog.number)
    }
}

#[async_trait]
impl TableProvider for StoreTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema.arrow)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let window = Window::of(filters);
        let segments: Vec<&Arc<SegmentMeta>> = self
            .view
            .catalog
            .segments
            .iter()
            .filter(|segment| segment.class_uid == self.schema.class.uid)
            .filter(|segment| self.tenant.holds(segment.replay.as_deref()))
            .filter(|segment| window.may_match(segment))
            .collect();
        let hot = self.view.hot_batches(self.schema.class.uid, self.tenant);
        let mut leaves: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !segments.is_empty() {
            leaves.push(self.files(state, projection, &segments)?);
        }
        if !hot.is_empty() || leaves.is_empty() {
            leaves.push(self.memory(state, projection, hot)?);
        }
        match <[Arc<dyn ExecutionPlan>; 1]>::try_from(leaves) {
            Ok([only]) => Ok(only),
            Err(leaves) => UnionExec::try_new(leaves),
        }
    }
}

impl StoreTable {
    fn files(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        segments: &[&Arc<SegmentMeta>],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        let source =
            ParquetSource::new(Arc::clone(&self.schema.arrow)).with_table_parquet_options(options);
        let partitions = state.config().target_partitions().clamp(1, segments.len());
        let mut groups: Vec<Vec<PartitionedFile>> = vec![Vec::new(); partitions];
        for (at, segment) in segments.iter().enumerate() {
            if let Some(group) = groups.get_mut(at % partitions) {
                group.push(self.file(segment));
            }
        }
        let url = local_url()
            .map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?;
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups.into_iter().map(FileGroup::new).collect())
            .with_projection_indices(projection.cloned())?
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn file(&self, segment: &SegmentMeta) -> PartitionedFile {
        let mut statistics = Statistics::new_unknown(&self.schema.arrow);
        statistics.num_rows =
            usize::try_from(segment.rows).map_or(Precision::Absent, Precision::Exact);
        PartitionedFile::new(segment.path.clone(), segment.bytes)
            .with_statistics(Arc::new(statistics))
    }

    fn memory(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        hot: Vec<RecordBatch>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let partitions = state
            .config()
            .target_partitions()
            .clamp(1, hot.len().max(1));
        let mut groups: Vec<Vec<RecordBatch>> = vec![Vec::new(); partitions];
        for (at, batch) in hot.into_iter().enumerate() {
            if let Some(group) = groups.get_mut(at % partitions) {
                group.push(batch);
            }
        }
        let schema = Arc::clone(&self.schema.arrow);
        let exec = MemorySourceConfig::try_new_exec(&groups, schema, projection.cloned())?;
        Ok(exec)
    }
}

/// The event times that filters leave possible.
struct Window {
    from: i64,
    to: i64,
}

impl Window {
    fn of(filters: &[Expr]) -> Self {
        let mut window = Self {
            from: i64::MIN,
            to: i64::MAX,
        };
        filters.iter().for_each(|filter| window.narrow(filter));
        window
    }

    fn may_match(&self, segment: &SegmentMeta) -> bool {
        segment.time_max >= self.from && segment.time_min <= self.to
    }

    fn narrow(&mut self, filter: &Expr) {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "only two forms say something"
        )]
        match filter {
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::And,
                right,
            }) => {
                self.narrow(left);
                self.narrow(right);
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                if let (true, Some(at)) = (is_time(left), literal(right)) {
                    self.compare(*op, at);
                } else if let (Some(at), true, Some(op)) =
                    (literal(left), is_time(right), op.swap())
                {
                    self.compare(op, at);
                }
            }
            Expr::Between(between) if !between.negated && is_time(&between.expr) => {
                if let Some(low) = literal(&between.low) {
                    self.compare(Operator::GtEq, low);
                }
                if let Some(high) = literal(&between.high) {
                    self.compare(Operator::LtEq, high);
                }
            }
            _ => {}
        }
    }

    fn compare(&mut self, op: Operator, at: i64) {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "other operators leave all times"
        )]
        match op {
            Operator::Eq => {
                self.from = self.from.max(at);
                self.to = self.to.min(at);
            }
            Operator::Gt | Operator::GtEq => self.from = self.from.max(at),
            Operator::Lt | Operator::LtEq => self.to = self.to.min(at),
            _ => {}
        }
    }
}

fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(column) if column.name == "time")
}

fn literal(expr: &Expr) -> Option<i64> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "two forms of a time")]
    match expr {
        Expr::Literal(ScalarValue::TimestampMillisecond(at, _), _) => *at,
        // Seconds and finer units come from casts of SQL literals that were folded.
        Expr::Literal(ScalarValue::TimestampNanosecond(Some(at), _), _) => Some(at / 1_000_000),
        _ => None,
    }
}
