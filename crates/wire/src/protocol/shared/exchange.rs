//! Exchanges of protocols for which OCSF has no class.
//!
//! Enters: a protocol's name, an operation, facts. Leaves: the body of a Network Activity.
//! Refuses: nothing. Source: OCSF 1.8.0 `network_activity`; `DESIGN.md` section 5.

use model::Text;
use model::class::Network;
use model::fact::Facts;

/// OCSF activity of an exchange: Traffic.
pub(in crate::protocol) const TRAFFIC: u16 = 6;
/// OCSF status of what went well.
pub(in crate::protocol) const SUCCESS: u16 = 1;
/// OCSF status of what did not.
pub(in crate::protocol) const FAILURE: u16 = 2;

/// The body of one exchange.
pub(in crate::protocol) fn body(
    about: &'static str,
    operation: &'static str,
    facts: &mut Facts,
) -> Network {
    Network {
        about: Text::Borrowed(about),
        operation: Some(Text::Borrowed(operation)),
        facts: facts.take(),
        ..Network::default()
    }
}
