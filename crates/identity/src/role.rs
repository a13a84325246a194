//! Roles and what each may do.
//!
//! Enters: a role and a permission. Leaves: yes or no, from one table. Refuses: permissions that
//! are not in the table. Source: `facts/console.md` section 4: a role hides nothing that the person
//! may read; it decides what the person may change.

use serde::{Deserialize, Serialize};

/// What a person is for Vigie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Responsible for information security: reads everything, the audit trail too.
    Rssi,
    /// Hunts and treats incidents.
    Analyst,
    /// Operates Vigie: accounts, zones, system.
    Admin,
}

/// One thing that a request may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Read overview, network, inventory, system, setup.
    View,
    /// Search events, run queries, follow the live stream.
    Hunt,
    /// Read the audit trail.
    ReadTrail,
    /// Create, change and delete accounts.
    ManageAccounts,
    /// Change zones.
    ChangeSetup,
    /// Open packets of a flow, which may hold what patients and staff wrote.
    OpenPackets,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Rssi, Self::Analyst, Self::Admin];

    /// Its name in the API and in the state file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rssi => "rssi",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }

    /// The role of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// True when this role has this permission.
    #[must_use]
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::View | Permission::Hunt => true,
            Permission::ReadTrail | Permission::OpenPackets => {
                matches!(self, Self::Rssi | Self::Admin)
            }
            Permission::ManageAccounts | Permission::ChangeSetup => matches!(self, Self::Admin),
        }
    }
}
