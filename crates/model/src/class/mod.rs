//! OCSF classes: the registry and the bodies of events.
//!
//! Enters: one file per class. Leaves: [`CLASSES`], the one list of what Vigie records.
//! Refuses: deprecated classes. Source: OCSF 1.8.0; `docs/ocsf-health/` for the `health` extension.
//! To add a class: one file here, one line in `bodies!`.

mod authentication;
mod dhcp;
mod dns;
mod email;
mod ftp;
mod http;
mod inventory;
mod medical;
mod network;
mod ntp;
mod rdp;
mod smb;
mod ssh;
mod tunnel;

use crate::record::{Cell, Field, Record, Value};
use crate::sensitive::Sensitive;

pub use authentication::Authentication;
pub use dhcp::Dhcp;
pub use dns::Dns;
pub use email::Email;
pub use ftp::Ftp;
pub use http::Http;
pub use inventory::Inventory;
pub use medical::Medical;
pub use network::Network;
pub use ntp::Ntp;
pub use rdp::Rdp;
pub use smb::Smb;
pub use ssh::Ssh;
pub use tunnel::Tunnel;

/// One OCSF class that Vigie writes.
#[derive(Debug)]
pub struct Class {
    /// OCSF class identifier.
    pub uid: u32,
    /// Name in snake case: the SQL view, the search value of `class:`, the value of `--only`.
    pub name: &'static str,
    /// Name for people, as in OCSF.
    pub caption: &'static str,
    /// OCSF category identifier.
    pub category_uid: u32,
    /// OCSF category name.
    pub category: &'static str,
    /// True when events of this class have a [`crate::Connection`].
    pub network: bool,
    /// Activities: identifier and name, as in OCSF.
    pub activities: &'static [(u16, &'static str)],
    /// Fields of the body.
    pub fields: &'static [Field],
}

impl Class {
    /// The class of an OCSF identifier.
    #[must_use]
    pub fn of_uid(uid: u32) -> Option<&'static Self> {
        CLASSES.iter().copied().find(|class| class.uid == uid)
    }

    /// The class of a name or of a decimal identifier, as `--only` takes them.
    #[must_use]
    pub fn of_name(name: &str) -> Option<&'static Self> {
        CLASSES
            .iter()
            .copied()
            .find(|class| class.name == name || name.parse() == Ok(class.uid))
    }

    /// The name of an activity; "Other" when the class does not know it.
    #[must_use]
    pub fn activity(&self, id: u16) -> &'static str {
        let known = self.activities.iter().find(|(known, _)| *known == id);
        known.map_or(if id == 0 { "Unknown" } else { "Other" }, |(_, name)| name)
    }
}

macro_rules! bodies {
    ($( $(#[doc = $doc:literal])+ $name:ident => $class:expr; )+) => {
        /// What an event says beyond who and when: one variant per class.
        #[derive(Clone, PartialEq)]
        pub enum Body {
            $( $(#[doc = $doc])+ $name(Box<$name>), )+
        }

        /// Every class that Vigie writes, ascending by identifier.
        pub static CLASSES: &[&Class] = &[$( &$class, )+];

        impl Body {
            /// Its class.
            #[must_use]
            pub fn class(&self) -> &'static Class {
                match self { $( Self::$name(_) => &$class, )+ }
            }

            /// An empty body of the class with this identifier.
            #[must_use]
            pub fn empty(uid: u32) -> Option<Self> {
                $( if uid == $class.uid { return Some(Self::$name(Box::default())); } )+
                None
            }

            /// Calls `visit` with every field's index and value.
            pub fn each<'a, V: FnMut(usize, Cell<'a>) + ?Sized>(&'a self, visit: &mut V) {
                match self { $( Self::$name(body) => body.each(visit), )+ }
            }

            /// Sets field `index`; false when it does not exist or the kind differs.
            pub fn set(&mut self, index: usize, value: Value) -> bool {
                match self { $( Self::$name(body) => body.set(index, value), )+ }
            }

            /// Calls `change` with every sensitive value present.
            pub fn each_sensitive(&mut self, change: &mut dyn FnMut(usize, &mut Sensitive)) {
                match self { $( Self::$name(body) => body.each_sensitive(change), )+ }
            }
        }

        $(
            impl From<$name> for Body {
                fn from(body: $name) -> Self {
                    Self::$name(Box::new(body))
                }
            }
        )+
    };
}

bodies! {
    /// Authentication 3002.
    Authentication => authentication::CLASS;
    /// Network Activity 4001: flows, TLS handshakes.
    Network => network::CLASS;
    /// HTTP Activity 4002.
    Http => http::CLASS;
    /// DNS Activity 4003.
    Dns => dns::CLASS;
    /// DHCP Activity 4004.
    Dhcp => dhcp::CLASS;
    /// RDP Activity 4005.
    Rdp => rdp::CLASS;
    /// SMB Activity 4006.
    Smb => smb::CLASS;
    /// SSH Activity 4007.
    Ssh => ssh::CLASS;
    /// FTP Activity 4008.
    Ftp => ftp::CLASS;
    /// Email Activity 4009.
    Email => email::CLASS;
    /// NTP Activity 4013.
    Ntp => ntp::CLASS;
    /// Tunnel Activity 4014.
    Tunnel => tunnel::CLASS;
    /// Device Inventory Info 5001.
    Inventory => inventory::CLASS;
    /// Medical Exchange Activity 99904001, of the `health` extension.
    Medical => medical::CLASS;
}
