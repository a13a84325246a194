//! SQL functions of our own: addresses and identities.
//!
//! Enters: columns. Leaves: `ip`, `ip_text`, `cidr_match`, `event_uid`.
//! Refuses: texts that are no address: a literal is an error, a column's value gives NULL.
//! Source: RFC 4291, RFC 4632.

use std::net::IpAddr;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanArray, FixedSizeBinaryBuilder, StringArray,
};
use datafusion::arrow::datatypes::{DataType, UInt32Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use model::net::{mapped, unmapped};
use model::{EventUid, NodeId};

use crate::schema::IP_OCTETS;

/// Every function.
pub(crate) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        Arc::new(ScalarUDF::from(Ip::new())),
        Arc::new(ScalarUDF::from(IpText::new())),
        Arc::new(ScalarUDF::from(CidrMatch::new())),
        Arc::new(ScalarUDF::from(Uid::new())),
    ]
}

/// The address type of columns.
pub(crate) const IP: DataType = DataType::FixedSizeBinary(IP_OCTETS);

/// A literal of the address type.
pub(crate) fn ip_literal(ip: IpAddr) -> Expr {
    lit(ScalarValue::FixedSizeBinary(
        IP_OCTETS,
        Some(mapped(ip).to_vec()),
    ))
}

/// First and last address of a CIDR block, mapped.
pub(crate) fn cidr_range(text: &str) -> Option<([u8; 16], [u8; 16])> {
    let (address, length) = text.trim().split_once('/')?;
    let ip: IpAddr = address.trim().parse().ok()?;
    let length: u32 = length.trim().parse().ok()?;
    let (bits, offset) = if ip.is_ipv4() { (32, 96) } else { (128, 0) };
    if length > bits {
        return None;
    }
    let host_bits = 128 - (offset + length);
    let mask = if host_bits == 128 {
        0
    } else {
        u128::MAX << host_bits
    };
    let address = u128::from_be_bytes(mapped(ip));
    Some((
        (address & mask).to_be_bytes(),
        (address | !mask).to_be_bytes(),
    ))
}

/// `column` within a block, as a range.
pub(crate) fn within(column: Expr, block: ([u8; 16], [u8; 16])) -> Expr {
    let octets = |v: [u8; 16]| lit(ScalarValue::FixedSizeBinary(IP_OCTETS, Some(v.to_vec())));
    column
        .clone()
        .gt_eq(octets(block.0))
        .and(column.lt_eq(octets(block.1)))
}

macro_rules! function {
    ($(#[doc = $doc:literal])+ $name:ident, $sql:literal, [$($argument:expr),*], $returns:expr) => {
        $(#[doc = $doc])+
        #[derive(Debug, PartialEq, Eq, Hash)]
        struct $name {
            signature: Signature,
        }

        impl $name {
            fn new() -> Self {
                let arguments = vec![$($argument),*];
                Self { signature: Signature::exact(arguments, Volatility::Immutable) }
            }
        }

        impl ScalarUDFImpl for $name {
            fn name(&self) -> &str {
                $sql
            }
            fn signature(&self) -> &Signature {
                &self.signature
            }
            fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
                Ok($returns)
            }
            fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
                let arrays = ColumnarValue::values_to_arrays(&args.args)?;
                let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
                let array = Self::of(&arrays)?;
                if constant {
                    return ScalarValue::try_from_array(&array, 0).map(ColumnarValue::Scalar);
                }
                Ok(ColumnarValue::Array(array))
            }
            fn simplify(
                &self,
                args: Vec<Expr>,
                _info: &SimplifyContext,
            ) -> Result<ExprSimplifyResult> {
                Self::simpler(args)
            }
        }
    };
}

function! {
    /// `ip('10.0.0.1')`: text to address.
    Ip, "ip", [DataType::Utf8], IP
}

impl Ip {
    fn of(arrays: &[ArrayRef]) -> Result<ArrayRef> {
        let [texts] = arrays else {
            return exec_err!("ip takes one text");
        };
        let texts = texts.as_string::<i32>();
        let mut out = FixedSizeBinaryBuilder::with_capacity(texts.len(), IP_OCTETS);
        for text in texts {
            match text.and_then(|text| text.trim().parse::<IpAddr>().ok()) {
                Some(ip) => out.append_value(mapped(ip))?,
                None => out.append_null(),
            }
        }
        Ok(Arc::new(out.finish()))
    }

    fn simpler(args: Vec<Expr>) -> Result<ExprSimplifyResult> {
        if let [Expr::Literal(ScalarValue::Utf8(Some(text)), _)] = args.as_slice() {
            return match text.trim().parse() {
                Ok(ip) => Ok(ExprSimplifyResult::Simplified(ip_literal(ip))),
                Err(_) => plan_err!("'{text}' is not an IP address"),
            };
        }
        Ok(ExprSimplifyResult::Original(args))
    }
}

function! {
    /// `ip_text(src_ip)`: address to text.
    IpText, "ip_text", [IP], DataType::Utf8
}

impl IpText {
    fn of(arrays: &[ArrayRef]) -> Result<ArrayRef> {
        let [addresses] = arrays else {
            return exec_err!("ip_text takes one address");
        };
        let addresses = addresses.as_fixed_size_binary();
        let texts: StringArray = addresses
            .iter()
            .map(|octets| {
                let octets: [u8; 16] = octets?.try_into().ok()?;
                Some(unmapped(octets).to_string())
            })
            .collect();
        Ok(Arc::new(texts))
    }

    fn simpler(args: Vec<Expr>) -> Result<ExprSimplifyResult> {
        Ok(ExprSimplifyResult::Original(args))
    }
}

function! {
    /// `cidr_match(src_ip, '10.0.0.0/8')`: true inside the block.
    CidrMatch, "cidr_match", [IP, DataType::Utf8], DataType::Boolean
}

impl CidrMatch {
    fn of(arrays: &[ArrayRef]) -> Result<ArrayRef> {
        let [addresses, blocks] = arrays else {
            return exec_err!("cidr_match takes an address and a block");
        };
        let addresses = addresses.as_fixed_size_binary();
        let blocks = blocks.as_string::<i32>();
        let hits: BooleanArray = addresses
            .iter()
            .zip(blocks)
            .map(|(octets, block)| {
                let (from, to) = cidr_range(block?)?;
                let octets: [u8; 16] = octets?.try_into().ok()?;
                Some(from <= octets && octets <= to)
            })
            .collect();
        Ok(Arc::new(hits))
    }

    /// A literal block becomes a range, which segments and pages can be skipped by.
    fn simpler(args: Vec<Expr>) -> Result<ExprSimplifyResult> {
        if let [column, Expr::Literal(ScalarValue::Utf8(Some(text)), _)] = args.as_slice() {
            return match cidr_range(text) {
                Some(block) => Ok(ExprSimplifyResult::Simplified(within(
                    column.clone(),
                    block,
                ))),
                None => plan_err!("'{text}' is not a block like 10.0.0.0/8"),
            };
        }
        Ok(ExprSimplifyResult::Original(args))
    }
}

function! {
    /// `event_uid(node, seq)`: the identity as text.
    Uid, "event_uid", [DataType::UInt32, DataType::UInt64], DataType::Utf8
}

impl Uid {
    fn of(arrays: &[ArrayRef]) -> Result<ArrayRef> {
        let [nodes, seqs] = arrays else {
            return exec_err!("event_uid takes node and seq");
        };
        let nodes = nodes.as_primitive::<UInt32Type>();
        let seqs = seqs.as_primitive::<UInt64Type>();
        let texts: StringArray = nodes
            .iter()
            .zip(seqs)
            .map(|(node, seq)| {
                Some(
                    EventUid {
                        node: NodeId(node?),
                        seq: seq?,
                    }
                    .to_string(),
                )
            })
            .collect();
        Ok(Arc::new(texts))
    }

    fn simpler(args: Vec<Expr>) -> Result<ExprSimplifyResult> {
        Ok(ExprSimplifyResult::Original(args))
    }
}
