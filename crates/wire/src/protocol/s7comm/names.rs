//! Names of functions, areas and blocks.
//!
//! Enters: numbers. Leaves: words. Refuses: nothing; what is unknown says so.
//! Source: Wireshark's description of S7comm.

/// The name of a job's function.
pub(super) const fn function(code: u8) -> &'static str {
    match code {
        0x00 => "cpu_services",
        0x04 => "read_var",
        0x05 => "write_var",
        0x1a => "request_download",
        0x1b => "download_block",
        0x1c => "download_ended",
        0x1d => "start_upload",
        0x1e => "upload",
        0x1f => "end_upload",
        0x28 => "plc_control",
        0x29 => "plc_stop",
        0xf0 => "setup_communication",
        _ => "unknown_function",
    }
}

/// The name of a function about the controller itself.
pub(super) const fn user_data(group: u8, function: u8) -> &'static str {
    match (group, function) {
        (1, _) => "programmer_command",
        (2, _) => "cyclic_data",
        (3, 1) => "list_blocks",
        (3, 2) => "list_blocks_of_type",
        (3, 3) => "get_block_info",
        (3, _) => "block_function",
        (4, 1) => "read_szl",
        (4, 2) => "message_service",
        (4, _) => "cpu_function",
        (5, 1) => "set_password",
        (5, 2) => "clear_password",
        (5, _) => "security",
        (7, 1 | 3) => "read_clock",
        (7, 2 | 4) => "set_clock",
        (0, _) => "mode_transition",
        _ => "userdata",
    }
}

/// The name of a memory area.
pub(super) const fn area(code: u8) -> &'static str {
    match code {
        0x03 => "system_info",
        0x05 => "system_flags",
        0x06 => "analog_inputs",
        0x07 => "analog_outputs",
        0x1c => "counters",
        0x1d => "timers",
        0x80 => "peripherals",
        0x81 => "inputs",
        0x82 => "outputs",
        0x83 => "flags",
        0x84 => "data_block",
        0x85 => "instance_data_block",
        0x86 => "local_data",
        _ => "other",
    }
}

/// Kind and number of the block that a file name names ("_0A00001P": data block 1).
pub(super) fn block(file: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(file).ok()?;
    let text = text.strip_prefix(['_', '$'])?;
    let kind = match text.get(..2)? {
        "08" => "OB",
        "0A" => "DB",
        "0B" => "SDB",
        "0C" => "FC",
        "0D" => "SFC",
        "0E" => "FB",
        "0F" => "SFB",
        _ => return None,
    };
    let number: u32 = text.get(2..7)?.parse().ok()?;
    Some(format!("{kind}{number}"))
}

/// What a service of the program's control does.
pub(super) fn service(name: &str, argument: &[u8]) -> &'static str {
    match name {
        "P_PROGRAM" if argument.starts_with(b"C") => "cold_start",
        "P_PROGRAM" => "hot_start",
        "_INSE" => "activate_block",
        "_DELE" => "delete_block",
        "_GARB" => "compress_memory",
        "_MODU" => "copy_ram_to_rom",
        _ => "other_service",
    }
}
