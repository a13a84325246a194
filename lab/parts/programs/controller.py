"""A controller of the building: 64 Modbus registers on port 502.

Usage: controller.py ADDRESS
"""

import asyncio
import sys

from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

registers = SimData(0, values=list(range(200, 264)), datatype=DataType.REGISTERS)
asyncio.run(StartAsyncTcpServer(SimDevice(1, simdata=[registers]), address=(sys.argv[1], 502)))
