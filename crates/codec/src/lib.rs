//! Formats that several rooms need: bytes in, typed values out, no I/O.
//!
//! Enters: byte slices. Leaves: borrowed or owned values and anomalies. Refuses: reading beyond a
//! slice, allocation from an unchecked length. Source: one per module.

pub mod ber;
pub mod bytes;
pub mod compress;
pub mod dicom;
pub mod digest;
pub mod hl7;
pub mod hpack;
pub mod http;
pub mod kerberos;
pub mod ntlmssp;
pub mod tls;
pub mod x509;
