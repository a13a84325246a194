//! HTTP Activity: one request and its answer.
//!
//! Enters: HTTP/1 message heads. Leaves: OCSF class 4002. Refuses: bodies, credentials, cookies.
//! Source: OCSF 1.8.0 `http_activity`; RFC 9110, RFC 9112.

use super::Class;
use crate::record::{Record, Text, record};
use crate::sensitive::Sensitive;

record! {
    /// One HTTP exchange.
    pub struct Http {
        /// Request method.
        method: Option<Text> => "http_method", "http_request.http_method";
        /// Protocol version of the request ("1.1").
        version: Option<Text> => "http_version", "http_request.version";
        /// Host asked for, lower case, without port.
        host: Option<Text> => "host", "http_request.url.hostname";
        /// Port in the Host field or the target, if any.
        port: Option<u16> => "url_port", "http_request.url.port";
        /// Path of the target.
        path: Option<Sensitive> => "url_path", "http_request.url.path";
        /// Query of the target.
        query: Option<Sensitive> => "url_query", "http_request.url.query_string";
        /// User-Agent field.
        user_agent: Option<Text> => "user_agent", "http_request.user_agent";
        /// Referer field.
        referrer: Option<Sensitive> => "referrer", "http_request.referrer";
        /// Bytes of the request body seen.
        request_bytes: Option<u64> => "request_bytes", "http_request.body_length";
        /// Status code of the answer; absent when none was seen.
        code: Option<u16> => "http_code", "http_response.code";
        /// Reason phrase of the answer.
        reason: Option<Text> => "http_reason", "http_response.message";
        /// Content-Type of the answer, without parameters.
        content_type: Option<Text> => "content_type", "http_response.content_type";
        /// Bytes of the answer's body seen.
        response_bytes: Option<u64> => "response_bytes", "http_response.body_length";
        /// Milliseconds from the request's first byte to the answer's first byte.
        latency_ms: Option<i64> => "http_latency_ms", "http_response.latency";
        /// Name that the answer gives its body (Content-Disposition); absent when the path says it.
        file_name: Option<Sensitive> => "file_name", "file.name";
        /// Extension of that name, or of the path, lower case, without the dot.
        file_ext: Option<Text> => "file_ext", "file.ext";
        /// Octets of the answer's body, its content coding undone; absent when that was not done.
        file_bytes: Option<u64> => "file_bytes", "file.size";
        /// Media type of the answer's body, by its content.
        file_mime: Option<Text> => "file_mime", "file.mime_type";
        /// SHA-256 of the answer's body, its content coding undone; absent unless asked for.
        file_sha256: Option<Text> => "file_sha256", "file.hashes[].value";
        /// Content-Type of the request, without parameters.
        request_type: Option<Text> => "request_type", "unmapped.http.request_content_type";
        /// Server field of the answer.
        server: Option<Text> => "http_server", "unmapped.http.server";
        /// Authentication scheme used (`basic`, `bearer`, `negotiate`); never the credential.
        auth_scheme: Option<Text> => "http_auth", "unmapped.http.auth_scheme";
        /// Position of the exchange in its flow, from 1.
        transaction: Option<u32> => "http_transaction", "unmapped.http.transaction";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.http.anomalies";
        /// Type of the answer's body, by its content ("pdf", "pe", "docx").
        file_type: Option<Text> => "file_type", "unmapped.file.type";
        /// `truncated`, or `incomplete: ` and why; absent when the whole of it was seen.
        file_state: Option<Text> => "file_state", "unmapped.file.state";
        /// Name that the request gives its body (Content-Disposition).
        upload_name: Option<Sensitive> => "upload_name", "unmapped.upload.name";
        /// Extension of that name, or of the path of a PUT, lower case.
        upload_ext: Option<Text> => "upload_ext", "unmapped.upload.ext";
        /// Octets of the request's body, its content coding undone; absent when that was not done.
        upload_bytes: Option<u64> => "upload_bytes", "unmapped.upload.bytes";
        /// Type of the request's body, by its content.
        upload_type: Option<Text> => "upload_type", "unmapped.upload.type";
        /// SHA-256 of the request's body; absent unless asked for.
        upload_sha256: Option<Text> => "upload_sha256", "unmapped.upload.sha256";
        /// As `file_state`, of the request's body.
        upload_state: Option<Text> => "upload_state", "unmapped.upload.state";
    }
}

/// OCSF HTTP Activity.
pub(super) static CLASS: Class = Class {
    uid: 4002,
    name: "http_activity",
    caption: "HTTP Activity",
    category_uid: 4,
    category: "Network Activity",
    network: true,
    activities: &[
        (1, "Connect"),
        (2, "Delete"),
        (3, "Get"),
        (4, "Head"),
        (5, "Options"),
        (6, "Post"),
        (7, "Put"),
        (8, "Trace"),
        (9, "Patch"),
    ],
    fields: Http::FIELDS,
};
