"""A message engine: acknowledges every HL7 v2 message it gets over MLLP.

Usage: hl7_engine.py ADDRESS PORT
"""

import asyncio
import sys

import hl7.mllp


async def serve(reader, writer):
    """Answers one connection until its sender leaves."""
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            writer.writemessage(message.create_ack())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(host, port):
    """Listens until it is killed."""
    server = await hl7.mllp.start_hl7_server(serve, host=host, port=port, encoding="utf-8")
    async with server:
        await server.serve_forever()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
