//! Names of functions, services, objects, properties and errors.
//!
//! Enters: numbers. Leaves: words; numbers that have none here stay numbers. Refuses: nothing.
//! Source: ANSI/ASHRAE 135-2020, clause 21 and annex J.2; ASHRAE's list of vendor identifiers.

use std::borrow::Cow;

/// The name of a function of the link layer that carries no message.
pub(super) const fn link_function(code: u8) -> &'static str {
    match code {
        0 => "bvlc_result",
        1 => "write_broadcast_table",
        2 => "read_broadcast_table",
        3 => "read_broadcast_table_ack",
        5 => "register_foreign_device",
        6 => "read_foreign_device_table",
        7 => "read_foreign_device_table_ack",
        8 => "delete_foreign_device",
        12 => "secure_bvll",
        _ => "other_link_function",
    }
}

/// The name of a message of the network layer.
pub(super) const fn network_message(code: u8) -> &'static str {
    match code {
        0 => "who_is_router_to_network",
        1 => "i_am_router_to_network",
        2 => "i_could_be_router_to_network",
        3 => "reject_message_to_network",
        4 => "router_busy_to_network",
        5 => "router_available_to_network",
        6 => "initialize_routing_table",
        7 => "initialize_routing_table_ack",
        8 => "establish_connection_to_network",
        9 => "disconnect_connection_to_network",
        18 => "what_is_network_number",
        19 => "network_number_is",
        _ => "other_network_message",
    }
}

/// The name of a service without answer.
pub(super) const fn unconfirmed(code: u8) -> &'static str {
    match code {
        0 => "i_am",
        1 => "i_have",
        2 => "unconfirmed_cov_notification",
        3 => "unconfirmed_event_notification",
        4 => "unconfirmed_private_transfer",
        5 => "unconfirmed_text_message",
        6 => "time_synchronization",
        7 => "who_has",
        8 => "who_is",
        9 => "utc_time_synchronization",
        10 => "write_group",
        _ => "other_unconfirmed_service",
    }
}

/// The name of a service with answer.
pub(super) const fn confirmed(code: u8) -> &'static str {
    match code {
        0 => "acknowledge_alarm",
        1 => "confirmed_cov_notification",
        2 => "confirmed_event_notification",
        3 => "get_alarm_summary",
        4 => "get_enrollment_summary",
        5 => "subscribe_cov",
        6 => "atomic_read_file",
        7 => "atomic_write_file",
        8 => "add_list_element",
        9 => "remove_list_element",
        10 => "create_object",
        11 => "delete_object",
        12 => "read_property",
        13 => "read_property_conditional",
        14 => "read_property_multiple",
        15 => "write_property",
        16 => "write_property_multiple",
        17 => "device_communication_control",
        18 => "confirmed_private_transfer",
        19 => "confirmed_text_message",
        20 => "reinitialize_device",
        21 => "vt_open",
        22 => "vt_close",
        23 => "vt_data",
        24 => "authenticate",
        25 => "request_key",
        26 => "read_range",
        27 => "life_safety_operation",
        28 => "subscribe_cov_property",
        29 => "get_event_information",
        _ => "other_confirmed_service",
    }
}

/// The name of an object type.
pub(super) fn object(kind: u16) -> Cow<'static, str> {
    const NAMES: [&str; 30] = [
        "analog_input",
        "analog_output",
        "analog_value",
        "binary_input",
        "binary_output",
        "binary_value",
        "calendar",
        "command",
        "device",
        "event_enrollment",
        "file",
        "group",
        "loop",
        "multi_state_input",
        "multi_state_output",
        "notification_class",
        "program",
        "schedule",
        "averaging",
        "multi_state_value",
        "trend_log",
        "life_safety_point",
        "life_safety_zone",
        "accumulator",
        "pulse_converter",
        "event_log",
        "global_group",
        "trend_log_multiple",
        "load_control",
        "structured_view",
    ];
    match NAMES.get(usize::from(kind)) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(kind.to_string()),
    }
}

/// The name of a property.
pub(super) fn property(id: u32) -> Cow<'static, str> {
    Cow::Borrowed(match id {
        8 => "all",
        10 => "apdu_segment_timeout",
        11 => "apdu_timeout",
        12 => "application_software_version",
        16 => "change_of_state_time",
        23 => "date_list",
        28 => "description",
        30 => "device_address_binding",
        36 => "event_state",
        38 => "exception_schedule",
        44 => "firmware_revision",
        53 => "list_of_group_members",
        54 => "list_of_object_property_references",
        56 => "local_date",
        57 => "local_time",
        58 => "location",
        62 => "max_apdu_length_accepted",
        70 => "model_name",
        73 => "number_of_apdu_retries",
        74 => "number_of_states",
        75 => "object_identifier",
        76 => "object_list",
        77 => "object_name",
        79 => "object_type",
        80 => "optional",
        81 => "out_of_service",
        84 => "polarity",
        85 => "present_value",
        87 => "priority_array",
        96 => "protocol_object_types_supported",
        97 => "protocol_services_supported",
        98 => "protocol_version",
        103 => "reliability",
        104 => "relinquish_default",
        105 => "required",
        107 => "segmentation_supported",
        110 => "state_text",
        111 => "status_flags",
        112 => "system_status",
        117 => "units",
        120 => "vendor_identifier",
        121 => "vendor_name",
        123 => "weekly_schedule",
        131 => "log_buffer",
        139 => "protocol_revision",
        152 => "active_cov_subscriptions",
        155 => "database_revision",
        168 => "profile_name",
        371 => "property_list",
        372 => "serial_number",
        _ => return Cow::Owned(id.to_string()),
    })
}

/// The fact that a property of the device object is.
pub(super) const fn identity(property: u32) -> Option<&'static str> {
    Some(match property {
        12 => "software",
        28 => "description",
        44 => "firmware",
        58 => "location",
        70 => "model",
        77 => "device_name",
        120 => "vendor_id",
        121 => "vendor",
        372 => "serial",
        _ => return None,
    })
}

/// Vendors that are common in buildings; every other is its number.
pub(super) const fn vendor(id: u32) -> Option<&'static str> {
    Some(match id {
        2 => "Trane",
        5 => "Johnson Controls",
        7 => "Siemens",
        8 => "Delta Controls",
        10 => "Schneider Electric",
        16 => "Carrier",
        17 => "Honeywell",
        18 => "Alerton",
        24 => "Automated Logic",
        35 => "Reliable Controls",
        36 => "Tridium",
        260 => "BACnet Stack",
        _ => return None,
    })
}

/// How a device takes long messages.
pub(super) const fn segmentation(code: u32) -> &'static str {
    match code {
        0 => "both",
        1 => "transmit",
        2 => "receive",
        3 => "none",
        _ => "unknown",
    }
}

/// What device communication control switches.
pub(super) const fn switch(code: u32) -> &'static str {
    match code {
        0 => "enable",
        1 => "disable",
        2 => "disable_initiation",
        _ => "unknown",
    }
}

/// How a device is asked to start anew.
pub(super) const fn restart(code: u32) -> &'static str {
    match code {
        0 => "coldstart",
        1 => "warmstart",
        2 => "start_backup",
        3 => "end_backup",
        4 => "start_restore",
        5 => "end_restore",
        6 => "abort_restore",
        7 => "activate_changes",
        _ => "unknown",
    }
}

/// The name of a class of errors.
pub(super) fn error_class(code: u32) -> Cow<'static, str> {
    Cow::Borrowed(match code {
        0 => "device",
        1 => "object",
        2 => "property",
        3 => "resources",
        4 => "security",
        5 => "services",
        6 => "vt",
        7 => "communication",
        _ => return Cow::Owned(code.to_string()),
    })
}

/// The name of an error.
pub(super) fn error_code(code: u32) -> Cow<'static, str> {
    Cow::Borrowed(match code {
        0 => "other",
        2 => "configuration_in_progress",
        3 => "device_busy",
        9 => "invalid_data_type",
        10 => "invalid_file_access_method",
        11 => "invalid_file_start_position",
        16 => "missing_required_parameter",
        25 => "operational_problem",
        26 => "password_failure",
        27 => "read_access_denied",
        29 => "service_request_denied",
        30 => "timeout",
        31 => "unknown_object",
        32 => "unknown_property",
        36 => "unsupported_object_type",
        37 => "value_out_of_range",
        40 => "write_access_denied",
        42 => "invalid_array_index",
        45 => "optional_functionality_not_supported",
        47 => "datatype_not_supported",
        _ => return Cow::Owned(code.to_string()),
    })
}
