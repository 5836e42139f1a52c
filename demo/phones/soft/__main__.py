"""The softphone's program: options in, facts out."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from demo.phones.soft import sdp, sip
from demo.phones.soft.agent import Agent
from demo.phones.soft.call import Manners
from demo.phones.soft.facts import Facts
from demo.phones.soft.media import KEYS, BadSound, Sound

GOODBYE = 3.0

ABOUT = """\
A SIP phone on UDP for demonstrations and tests. It takes one call at a time, plays a tone or a WAV
file, records what it hears from the answer on into DIR/heard-1.wav, heard-2.wav, …, and prints one
line of JSON for every fact, with CLOCK_MONOTONIC ("at") and UNIX time ("wall") in seconds."""

COMMANDS = "With --driven, standard input takes lines: call URI, key K, hang_up; its end ends all."


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("softphone.py", description=ABOUT, epilog=COMMANDS)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address of SIP and RTP")
    add("--port", type=int, default=0, help="UDP port of SIP; 0 (default) takes a free one")
    add("--number", default="phone", help="user part of the phone's URI")
    add("--call", metavar="URI", help="call this, for example sip:25@127.0.0.1:5060")
    add("--rings-after", type=seconds, default=0.0, help="from INVITE to 180 (default 0)")
    add("--answers-after", type=seconds, help="from INVITE to 200; default: never")
    add("--rejects", type=status, help="answer with this status instead, 400 to 699")
    add("--early-tone", type=tone, help="183 and this tone in Hz instead of 180")
    add("--tone", type=tone, help="say this tone in Hz; default: silence")
    add("--wav", type=wav, help="say this file (8000 Hz, mono, 16 bit), again and again")
    add("--codec", action="append", choices=sorted(sdp.CODECS), help="default: both")
    add("--no-keys", action="store_true", help="no telephone-events: keys go as tones")
    add("--key", action="append", type=timed_key, default=[], metavar="AFTER:KEY",
        help="press KEY so many seconds after the answer; may be repeated")  # fmt: skip
    add("--hangs-up-after", type=seconds, help="from the answer; default: never")
    add("--record", type=Path, default=Path(), metavar="DIR", help="default: working directory")
    add("--calls", type=int, help="end after so many calls; default: never")
    add("--driven", action="store_true", help="take commands from standard input")
    return parser


def seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 3600:
        raise ValueError(text)
    return value


def status(text: str) -> int:
    value = int(text)
    if not 400 <= value <= 699:
        raise ValueError(text)
    return value


def tone(text: str) -> Sound:
    frequency = int(text)
    if not 20 <= frequency <= 3900:
        raise argparse.ArgumentTypeError("a tone has 20 to 3900 Hz")
    return Sound.tone(frequency)


def wav(text: str) -> Sound:
    try:
        return Sound.wav(Path(text))
    except BadSound as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault


def timed_key(text: str) -> tuple[float, str]:
    after, _, key = text.partition(":")
    if key not in KEYS or len(key) != 1:
        raise ValueError(text)
    return seconds(after), key


def manners(chosen: argparse.Namespace) -> Manners:
    return Manners(
        rings_after=chosen.rings_after,
        answers_after=chosen.answers_after,
        rejects=chosen.rejects,
        early=chosen.early_tone,
        sound=chosen.wav or chosen.tone or Sound.silence(),
        codecs=tuple(chosen.codec or ("PCMA", "PCMU")),
        takes_keys=not chosen.no_keys,
        keys=tuple(chosen.key),
        hangs_up_after=chosen.hangs_up_after,
    )


async def run(chosen: argparse.Namespace) -> None:
    facts = Facts()
    agent = Agent(facts, manners(chosen), number=chosen.number, records=chosen.record)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: agent, local_addr=(chosen.host, chosen.port)
    )
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    work: list[asyncio.Task[object]] = [loop.create_task(over.wait())]
    if chosen.driven:
        work.append(loop.create_task(commands(agent, facts)))
    if chosen.call:
        agent.call(chosen.call)
    if chosen.calls:
        work.append(loop.create_task(agent.served(chosen.calls)))
    _, pending = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
    agent.hang_up()
    try:
        await asyncio.wait_for(agent.idle.wait(), GOODBYE)
    except TimeoutError:
        agent.drop()
    for task in pending:
        task.cancel()
    transport.close()


async def commands(agent: Agent, facts: Facts) -> None:
    """Obey the lines of standard input until it ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while data := await reader.readline():
        line = data.decode("utf-8", "replace").strip()
        try:
            match line.split():
                case ["call", uri]:
                    agent.call(uri)
                case ["key", key]:
                    agent.press(key)
                case ["hang_up"]:
                    agent.hang_up()
                case _:
                    raise ValueError("no such command")
        except (ValueError, sip.Malformed) as fault:
            facts.tell("refused", command=line, reason=str(fault))


def main() -> None:
    asyncio.run(run(options().parse_args()))


if __name__ == "__main__":
    main()
