//! Addresses in SQL as people write them: `src_ip = '10.0.0.1'`.
//!
//! Enters: expressions with their schema. Leaves: text literals beside address columns as
//! addresses; address columns as text where text is asked for. Refuses: a literal that is no
//! address.
//! Source: DataFusion's type coercion, which knows no way from text to 16 octets.

use std::net::IpAddr;

use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{DFSchema, ExprSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::{Cast, InList, Like, ScalarFunction};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, ExprSchemable as _, LogicalPlan};

use super::functions::{self, IP, ip_literal};

/// Converts operands while SQL is planned, before their types are compared.
#[derive(Debug)]
pub(crate) struct AddressPlanner;

impl ExprPlanner for AddressPlanner {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let RawBinaryExpr { op, left, right } = expr;
        let (left, right) = pair(left, right, schema)?;
        Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
    }
}

/// Converts what the planner's hook does not see: lists, ranges, patterns, casts.
pub(crate) fn convert(plan: LogicalPlan) -> Result<LogicalPlan> {
    let done = plan.transform_up_with_subqueries(|node| {
        let mut schema = DFSchema::empty();
        for input in node.inputs() {
            schema.merge(input.schema());
        }
        if let LogicalPlan::TableScan(scan) = &node {
            schema.merge(&scan.projected_schema);
        }
        node.map_expressions(|expr| {
            let name = expr.schema_name().to_string();
            let changed = expr.transform_up(|expr| rewrite(expr, &schema))?;
            // The column keeps the name that the query gave it.
            if changed.transformed && changed.data.schema_name().to_string() != name {
                return Ok(changed.update_data(|expr| keep_name(expr, name)));
            }
            Ok(changed)
        })
    })?;
    if done.transformed {
        done.data.recompute_schema()
    } else {
        Ok(done.data)
    }
}

fn keep_name(expr: Expr, name: String) -> Expr {
    let is_value = !matches!(expr, Expr::Alias(_) | Expr::Column(_));
    if is_value
        && !matches!(
            expr,
            Expr::BinaryExpr(_) | Expr::InList(_) | Expr::Between(_)
        )
    {
        expr.alias(name)
    } else {
        expr
    }
}

fn rewrite(expr: Expr, schema: &dyn ExprSchema) -> Result<Transformed<Expr>> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other forms stay as they are"
    )]
    Ok(match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let before = (left.clone(), right.clone());
            let (left, right) = pair(*left, *right, schema)?;
            let changed = before.0.as_ref() != &left || before.1.as_ref() != &right;
            let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)));
            Transformed::new(expr, changed, TreeNodeRecursion::Continue)
        }
        Expr::InList(InList {
            expr,
            list,
            negated,
        }) if is_ip(&expr, schema) => {
            let list: Result<Vec<Expr>> = list.into_iter().map(address).collect();
            Transformed::yes(Expr::InList(InList::new(expr, list?, negated)))
        }
        Expr::Between(Between {
            expr,
            negated,
            low,
            high,
        }) if is_ip(&expr, schema) => {
            let (low, high) = (Box::new(address(*low)?), Box::new(address(*high)?));
            Transformed::yes(Expr::Between(Between::new(expr, negated, low, high)))
        }
        Expr::Like(like) if is_ip(&like.expr, schema) => {
            let Like {
                negated,
                expr,
                pattern,
                escape_char,
                case_insensitive,
            } = like;
            let expr = Box::new(as_text(*expr));
            let like = Like::new(negated, expr, pattern, escape_char, case_insensitive);
            Transformed::yes(Expr::Like(like))
        }
        Expr::Cast(Cast { expr, field })
            if field.data_type().is_string() && is_ip(&expr, schema) =>
        {
            Transformed::yes(as_text(*expr))
        }
        other => Transformed::no(other),
    })
}

fn pair(left: Expr, right: Expr, schema: &dyn ExprSchema) -> Result<(Expr, Expr)> {
    if is_text(&right) && is_ip(&left, schema) {
        let right = address(right)?;
        Ok((left, right))
    } else if is_text(&left) && is_ip(&right, schema) {
        let left = address(left)?;
        Ok((left, right))
    } else {
        Ok((left, right))
    }
}

fn is_ip(expr: &Expr, schema: &dyn ExprSchema) -> bool {
    expr.get_type(schema).is_ok_and(|found| found == IP)
}

fn is_text(expr: &Expr) -> bool {
    text(expr).is_some()
}

fn text(expr: &Expr) -> Option<&str> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "three forms of text")]
    match expr {
        Expr::Literal(
            ScalarValue::Utf8(Some(text))
            | ScalarValue::Utf8View(Some(text))
            | ScalarValue::LargeUtf8(Some(text)),
            _,
        ) => Some(text),
        _ => None,
    }
}

fn address(expr: Expr) -> Result<Expr> {
    let Some(text) = text(&expr) else {
        return Ok(expr);
    };
    match text.trim().parse::<IpAddr>() {
        Ok(ip) => Ok(ip_literal(ip)),
        Err(_) => plan_err!(
            "'{text}' is not an IP address; for a block write cidr_match(column, '10.0.0.0/8')"
        ),
    }
}

fn as_text(expr: Expr) -> Expr {
    let function = functions::all()
        .into_iter()
        .find(|function| function.name() == "ip_text");
    match function {
        Some(function) => Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![expr])),
        None => expr,
    }
}
