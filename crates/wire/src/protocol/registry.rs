//! The registry of application protocols: the only list to extend.
//!
//! Enters: nothing. Leaves: [`REGISTRY`], asked in this order. Refuses: magic; it is greppable.
//! Source: `DESIGN.md` section 4, wire.

use super::Protocol;

/// Every protocol, the most certain probes first.
#[rustfmt::skip]
pub static REGISTRY: &[&dyn Protocol] = &[
    &super::dns::Mdns,
    &super::dns::Llmnr,
    &super::dns::Nbns,
    &super::dns::Dns,
    &super::ssh::Ssh,
    &super::dhcp::Dhcp,
    &super::quic::Quic,
    &super::snmp::Snmp,
    &super::ntp::Ntp,
    &super::tftp::Tftp,
    &super::ssdp::Ssdp,
    &super::syslog::Syslog,
    &super::smtp::Smtp,
    &super::imap::Imap,
    &super::pop3::Pop3,
    &super::ftp::Ftp,
    &super::mqtt::Mqtt,
    &super::postgresql::Postgresql,
    &super::mysql::Mysql,
    &super::tds::Tds,
    &super::tls::Tls,
    &super::http::Http2,
    &super::http::Http,
    &super::hl7::Hl7,
    &super::dicom::Dicom,
    &super::smb::Smb,
    &super::rdp::Rdp,
    &super::astm::Astm,
    &super::s7comm::S7comm,
    &super::modbus::Modbus,
    &super::bacnet::Bacnet,
    &super::socks::Socks,
    &super::kerberos::Kerberos,
    &super::ldap::Ldap,
    &super::dcerpc::DceRpc,
    &super::radius::Radius,
];
