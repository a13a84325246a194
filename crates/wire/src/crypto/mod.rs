//! The cryptography that reading needs: opening records and packets whose secrets are known.
//!
//! Enters: secrets, nonces, sealed bytes. Leaves: clear bytes, or nothing when they do not open.
//! Refuses: to seal, to make keys, to keep secrets longer than their flow. All primitives are
//! RustCrypto's. Source: RFC 5869 (HKDF), RFC 8446 section 7.1, RFC 5246 section 5, RFC 5116.

mod cipher;
mod derive;

pub(crate) use cipher::{Aead, Cbc, HeaderMask, Suite};
pub(crate) use derive::Hash;
