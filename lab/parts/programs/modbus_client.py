"""Reads 16 registers of a controller, or writes 8.

Usage: modbus_client.py ADDRESS read|write
"""

import sys

from pymodbus.client import ModbusTcpClient

client = ModbusTcpClient(sys.argv[1])
if not client.connect():
    sys.exit(f"{sys.argv[1]}: no connection")
if sys.argv[2] == "read":
    print(client.read_holding_registers(0, count=16, device_id=1).registers)
else:
    for register in range(8):
        print(client.write_register(register, 9, device_id=1))
client.close()
