//! Joins that give their thread back.
//!
//! Enters: physical plans. Leaves: the same, each operator that can multiply rows wrapped so that
//! it yields after a share of batches. Refuses: nothing.
//! Without it a sort above the product of two tables asks for batch after batch without ever
//! waiting: neither the time limit nor the caller's cancellation would reach it, and its threads
//! would be lost to every later query. Source: tokio, cooperative scheduling.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;

/// Operators that make many batches of one that they read.
const MULTIPLY: &[&str] = &[
    "CrossJoinExec",
    "NestedLoopJoinExec",
    "PiecewiseMergeJoinExec",
    "HashJoinExec",
    "SortMergeJoinExec",
    "UnnestExec",
    "RecursiveQueryExec",
];

/// See the module.
#[derive(Debug)]
pub(super) struct Yielding;

impl PhysicalOptimizerRule for Yielding {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wrapped = plan.transform_up(|plan| {
            if MULTIPLY.contains(&plan.name()) {
                let plan: Arc<dyn ExecutionPlan> = Arc::new(CooperativeExec::new(plan));
                return Ok(Transformed::yes(plan));
            }
            Ok(Transformed::no(plan))
        });
        wrapped.data()
    }

    fn name(&self) -> &'static str {
        "yielding"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
