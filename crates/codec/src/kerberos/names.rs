//! Names of Kerberos numbers.
//!
//! Enters: numbers. Leaves: their names; unknown ones stay numbers. Refuses: nothing.
//! Source: IANA "Kerberos Parameters"; RFC 4120 section 7.5.9; [MS-KILE] section 2.2.

use std::borrow::Cow;

/// Name of an encryption type.
#[must_use]
pub fn etype_name(etype: i32) -> Cow<'static, str> {
    Cow::Borrowed(match etype {
        1 => "des-cbc-crc",
        2 => "des-cbc-md4",
        3 => "des-cbc-md5",
        5 => "des3-cbc-md5",
        7 => "des3-cbc-sha1",
        16 => "des3-cbc-sha1-kd",
        17 => "aes128-cts-hmac-sha1-96",
        18 => "aes256-cts-hmac-sha1-96",
        19 => "aes128-cts-hmac-sha256-128",
        20 => "aes256-cts-hmac-sha384-192",
        23 => "rc4-hmac",
        24 => "rc4-hmac-exp",
        25 => "camellia128-cts-cmac",
        26 => "camellia256-cts-cmac",
        -128 => "rc4-md4",
        -133 => "rc4-hmac-old",
        -135 => "rc4-hmac-old-exp",
        _ => return Cow::Owned(etype.to_string()),
    })
}

/// Name of a type of pre-authentication data.
#[must_use]
pub fn padata_name(kind: i32) -> Cow<'static, str> {
    Cow::Borrowed(match kind {
        1 => "tgs-req",
        2 => "enc-timestamp",
        3 => "pw-salt",
        11 => "etype-info",
        13 => "sam-challenge",
        14 => "pk-as-req-old",
        15 => "pk-as-rep-old",
        16 => "pk-as-req",
        17 => "pk-as-rep",
        19 => "etype-info2",
        20 => "svr-referral-info",
        128 => "pac-request",
        129 => "for-user",
        130 => "for-x509-user",
        132 => "as-checksum",
        133 => "fx-cookie",
        136 => "fx-fast",
        137 => "fx-error",
        138 => "encrypted-challenge",
        141 => "otp-challenge",
        142 => "otp-request",
        147 => "pkinit-kx",
        149 => "req-enc-pa-rep",
        150 => "as-freshness",
        151 => "spake",
        161 => "key-list-req",
        162 => "key-list-rep",
        165 => "supported-etypes",
        166 => "extended-error",
        167 => "pac-options",
        _ => return Cow::Owned(kind.to_string()),
    })
}

/// Name of an error code.
#[must_use]
pub fn error_name(code: i32) -> Cow<'static, str> {
    let known = usize::try_from(code).ok().and_then(|at| ERRORS.get(at));
    match known {
        Some(name) if !name.is_empty() => Cow::Borrowed(name),
        _ => Cow::Owned(code.to_string()),
    }
}

/// Names of the options that are set, of a request to a KDC.
pub fn option_names(options: u32) -> impl Iterator<Item = &'static str> {
    let set = |(bit, _): &&(u32, &str)| options & (0x8000_0000 >> bit) != 0;
    let names: Vec<&'static str> = OPTIONS.iter().filter(set).map(|(_, name)| *name).collect();
    names.into_iter()
}

const OPTIONS: [(u32, &str); 15] = [
    (1, "forwardable"),
    (2, "forwarded"),
    (3, "proxiable"),
    (4, "proxy"),
    (5, "allow-postdate"),
    (6, "postdated"),
    (8, "renewable"),
    (14, "cname-in-addl-tkt"),
    (15, "canonicalize"),
    (16, "request-anonymous"),
    (26, "disable-transited-check"),
    (27, "renewable-ok"),
    (28, "enc-tkt-in-skey"),
    (30, "renew"),
    (31, "validate"),
];

#[rustfmt::skip]
const ERRORS: [&str; 94] = [
    "KDC_ERR_NONE", "KDC_ERR_NAME_EXP", "KDC_ERR_SERVICE_EXP", "KDC_ERR_BAD_PVNO",
    "KDC_ERR_C_OLD_MAST_KVNO", "KDC_ERR_S_OLD_MAST_KVNO", "KDC_ERR_C_PRINCIPAL_UNKNOWN",
    "KDC_ERR_S_PRINCIPAL_UNKNOWN", "KDC_ERR_PRINCIPAL_NOT_UNIQUE", "KDC_ERR_NULL_KEY",
    "KDC_ERR_CANNOT_POSTDATE", "KDC_ERR_NEVER_VALID", "KDC_ERR_POLICY", "KDC_ERR_BADOPTION",
    "KDC_ERR_ETYPE_NOSUPP", "KDC_ERR_SUMTYPE_NOSUPP", "KDC_ERR_PADATA_TYPE_NOSUPP",
    "KDC_ERR_TRTYPE_NOSUPP", "KDC_ERR_CLIENT_REVOKED", "KDC_ERR_SERVICE_REVOKED",
    "KDC_ERR_TGT_REVOKED", "KDC_ERR_CLIENT_NOTYET", "KDC_ERR_SERVICE_NOTYET",
    "KDC_ERR_KEY_EXPIRED", "KDC_ERR_PREAUTH_FAILED", "KDC_ERR_PREAUTH_REQUIRED",
    "KDC_ERR_SERVER_NOMATCH", "KDC_ERR_MUST_USE_USER2USER", "KDC_ERR_PATH_NOT_ACCEPTED",
    "KDC_ERR_SVC_UNAVAILABLE", "", "KRB_AP_ERR_BAD_INTEGRITY", "KRB_AP_ERR_TKT_EXPIRED",
    "KRB_AP_ERR_TKT_NYV", "KRB_AP_ERR_REPEAT", "KRB_AP_ERR_NOT_US", "KRB_AP_ERR_BADMATCH",
    "KRB_AP_ERR_SKEW", "KRB_AP_ERR_BADADDR", "KRB_AP_ERR_BADVERSION", "KRB_AP_ERR_MSG_TYPE",
    "KRB_AP_ERR_MODIFIED", "KRB_AP_ERR_BADORDER", "", "KRB_AP_ERR_BADKEYVER", "KRB_AP_ERR_NOKEY",
    "KRB_AP_ERR_MUT_FAIL", "KRB_AP_ERR_BADDIRECTION", "KRB_AP_ERR_METHOD", "KRB_AP_ERR_BADSEQ",
    "KRB_AP_ERR_INAPP_CKSUM", "KRB_AP_PATH_NOT_ACCEPTED", "KRB_ERR_RESPONSE_TOO_BIG", "", "", "",
    "", "", "", "", "KRB_ERR_GENERIC", "KRB_ERR_FIELD_TOOLONG", "KDC_ERR_CLIENT_NOT_TRUSTED",
    "KDC_ERR_KDC_NOT_TRUSTED", "KDC_ERR_INVALID_SIG", "KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED",
    "KDC_ERR_CERTIFICATE_MISMATCH", "KRB_AP_ERR_NO_TGT", "KDC_ERR_WRONG_REALM",
    "KRB_AP_ERR_USER_TO_USER_REQUIRED", "KDC_ERR_CANT_VERIFY_CERTIFICATE",
    "KDC_ERR_INVALID_CERTIFICATE", "KDC_ERR_REVOKED_CERTIFICATE",
    "KDC_ERR_REVOCATION_STATUS_UNKNOWN", "KDC_ERR_REVOCATION_STATUS_UNAVAILABLE",
    "KDC_ERR_CLIENT_NAME_MISMATCH", "KDC_ERR_KDC_NAME_MISMATCH",
    "KDC_ERR_INCONSISTENT_KEY_PURPOSE", "KDC_ERR_DIGEST_IN_CERT_NOT_ACCEPTED",
    "KDC_ERR_PA_CHECKSUM_MUST_BE_INCLUDED", "KDC_ERR_DIGEST_IN_SIGNED_DATA_NOT_ACCEPTED",
    "KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED", "", "", "", "KRB_AP_ERR_IAKERB_KDC_NOT_FOUND",
    "KRB_AP_ERR_IAKERB_KDC_NO_RESPONSE", "", "", "", "KDC_ERR_PREAUTH_EXPIRED",
    "KDC_ERR_MORE_PREAUTH_DATA_REQUIRED", "KDC_ERR_PREAUTH_BAD_AUTHENTICATION_SET",
    "KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS",
];
