//! Limits of the inventory, each with the reason for its size.
//!
//! Enters: nothing. Leaves: named constants. Refuses: nothing. What a limit turned away is counted
//! in [`super::Counters`].
//! Source: `DESIGN.md` section 5.

/// Most assets unless configured: a large hospital group has fewer devices than this.
pub const ASSETS_MAX_DEFAULT: usize = 32 * 1024;
/// Part of the assets, as a divisor, that is evicted at once when the limit is reached, those seen
/// longest ago first: the cost of finding them is spread over many new assets.
pub const EVICTED_PART: usize = 16;
/// Most addresses of one asset; a hardware address that answers for more stands for others (a
/// router with proxy ARP), and its addresses become assets of their own.
pub const IPS_MAX: usize = 32;
/// Most distinct outside addresses remembered behind one hardware address; reaching it makes the
/// device a router.
pub const OUTSIDE_MAX: usize = 8;
/// Most hardware addresses whose outside addresses are followed.
pub const FRONTS_MAX: usize = 4096;
/// Most attributes of one asset; the least certain one goes. Not above
/// `model::limit::LIST_ITEMS_MAX`.
pub const ATTRIBUTES_MAX: usize = 32;
/// Most attributes of one name: a server has many names, but one must not crowd out the rest.
pub const SAME_NAME_MAX: usize = 8;
/// Longest attribute value in bytes.
pub const VALUE_BYTES_MAX: usize = 256;
/// Most protocols that one asset speaks, and services that it offers.
pub const PROTOCOLS_MAX: usize = 64;
/// Most peers counted exactly; beyond, the number is estimated.
pub const PEERS_EXACT_MAX: usize = 64;
/// Most vendor prefixes: the whole IEEE registry has about 60,000.
pub const VENDORS_MAX: usize = 256 * 1024;
/// First port that a service without recognised protocol is not believed at: ephemeral ports.
pub const EPHEMERAL_PORT: u16 = 32_768;
/// Most lines of the table of hints.
pub const HINTS_MAX: usize = 4096;
/// Most roles of the table.
pub const ROLES_MAX: usize = 256;
/// Most roles told of one asset.
pub const ROLES_TOLD_MAX: usize = 4;
/// Most pieces of evidence told of one role.
pub const REASONS_MAX: usize = 8;
/// Most devices counted behind one behaviour; beyond, the number stays there.
pub const DOERS_MAX: usize = 32;
/// Most entries of an asset's history; the oldest goes.
pub const CHANGES_MAX: usize = 48;
/// Most entries of one kind in it, so that new peers do not crowd out a new identity.
pub const SAME_CHANGE_MAX: usize = 16;
/// Most warnings of one asset; the one seen longest ago goes.
pub const WARNINGS_MAX: usize = 16;
/// Most changes that wait to become events.
pub const CHANGES_WAITING_MAX: usize = 8192;
/// Most titles, names and contested addresses followed, each.
pub const CLAIMS_MAX: usize = 16 * 1024;
/// How long a device is learned before a new peer or another role of it is a change: an hour.
pub const SETTLE_MS: i64 = 3_600_000;
/// Two devices that claim one address within this time both have it: a minute.
pub const CLAIM_MS: i64 = 60_000;
/// A device that sent a frame within this time is there: ten minutes.
pub const ALIVE_MS: i64 = 600_000;
/// An address that comes back within this time was taken, not moved: an hour.
pub const FLIP_MS: i64 = 3_600_000;
/// Devices that were silent for longer than this share no name any more: a day.
pub const NAME_MS: i64 = 86_400_000;
/// A device without hardware address that is silent for longer was not moved: 30 days.
pub const MOVE_MS: i64 = 30 * 86_400_000;
/// Confidence from which an attribute belongs to the identity: another value is a change.
pub const IDENTITY_CONFIDENCE: u8 = 70;
