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
