//! The packet ring: its state, and one flow's packets as a capture file.
//!
//! Enters: a flow or one connection, a span, a reason. Leaves: a pcap file. Refuses: roles without
//! the permission, no reason, files over `limit::PCAP_BYTES_MAX` (cut, and said in a header); the
//! command line gives the whole. The trail has the question, with its reason, before a packet is
//! read. Source: `DESIGN.md` section 1; the HTTP contract, `openapi.json`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use identity::Permission;
use model::Millis;
use model::port::PacketsAsk;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::RingStatus;
use crate::app::App;
use crate::body::Body;
use crate::error::{Answer, ApiError, ErrorBody};
use crate::limit::{PCAP_BYTES_MAX, REASON_BYTES_MAX, REASON_BYTES_MIN};
use crate::session::Signed;

/// Whether there is a packet ring, and whether this account may open it.
#[derive(Serialize, ToSchema)]
pub(crate) struct RingState {
    /// The ring; `null` when it is off.
    ring: Option<RingStatus>,
    /// True when the role of this account may open packets.
    may_open: bool,
}

/// The packet ring.
#[utoipa::path(get, path = "/packets", tag = "events", operation_id = "packet_ring",
    responses((status = 200, body = RingState), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn state(State(app): State<App>, signed: Signed) -> Answer<Json<RingState>> {
    signed.need(Permission::View)?;
    let ring = app.call(|state| state.system.ring()).await?;
    Ok(Json(RingState {
        ring: ring.map(Into::into),
        may_open: signed.role.may(Permission::OpenPackets),
    }))
}

/// Which packets, and why.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PacketsWanted {
    /// Community ID of the flow, or else
    flow: Option<String>,
    /// `connection_info.uid` of one connection.
    uid: Option<String>,
    /// Earliest packet, milliseconds.
    from: Option<i64>,
    /// Latest packet, inclusive, milliseconds.
    to: Option<i64>,
    /// Why, 3 to 500 bytes; written to the audit trail.
    reason: String,
}

/// Packets of one flow as a capture file (rssi, admin). `X-Vigie-Limited: true` when it was cut.
#[utoipa::path(post, path = "/packets", tag = "events", operation_id = "packets",
    request_body = PacketsWanted,
    responses((status = 200, description = "A pcap file"), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn packets(
    State(app): State<App>,
    signed: Signed,
    Body(body): Body<PacketsWanted>,
) -> Answer<Response> {
    signed.need(Permission::OpenPackets)?;
    let reason = body.reason.trim().to_owned();
    if !(REASON_BYTES_MIN..=REASON_BYTES_MAX).contains(&reason.len()) {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "no_reason",
            "packets are opened with a reason of 3 to 500 bytes",
        ));
    }
    let ask = PacketsAsk {
        flow: body.flow,
        uid: body.uid,
        from: body.from.map(Millis),
        to: body.to.map(Millis),
        bytes_max: PCAP_BYTES_MAX,
        actor: signed.name,
        reason,
    };
    let found = app.call(move |state| state.system.packets(&ask)).await?;
    let found = found.map_err(ApiError::bad_value)?;
    if found.packets == 0 {
        return Err(ApiError::not_found("packet of this flow in the ring"));
    }
    let mut response = found.pcap.into_response();
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(
        header::CONTENT_TYPE.as_str(),
        "application/vnd.tcpdump.pcap",
    );
    set(
        header::CONTENT_DISPOSITION.as_str(),
        "attachment; filename=\"flow.pcap\"",
    );
    set(
        "x-vigie-limited",
        if found.limited { "true" } else { "false" },
    );
    headers.insert(
        "x-vigie-skipped-blocks",
        HeaderValue::from(found.skipped_blocks),
    );
    Ok(response)
}
