"""A phone that is PJSIP's: it does what lines on standard input say, and tells in lines of JSON.

It tells on standard error: its own log has standard output. Run by the Python that
``scripts/setup_pjsua.sh`` has given the bindings of PJSUA2. Arguments: its number, password and
registrar. Lines: ``call URI``, ``hold N``, ``join N M`` (an attended transfer: N's far end is
handed over to M's), ``quit``; calls are numbered from 1 as they come. What it sends is silence.
"""

import importlib
import json
import os
import select
import sys
from typing import Any

pj: Any = importlib.import_module("pjsua2")
TURN = 20
"Milliseconds."

phone: "SipPhone"


def tell(event: str, **facts: object) -> None:
    sys.stderr.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stderr.flush()


class SipCall(pj.Call):
    def __init__(self, number: int, call_id: int) -> None:
        super().__init__(phone, call_id)
        self.number = number

    def onCallState(self, _: Any) -> None:
        info = self.getInfo()
        tell(info.stateText.lower(), call=self.number, status=info.lastStatusCode)

    def onCallTransferStatus(self, told: Any) -> None:
        tell("transfer", call=self.number, status=told.statusCode, final=told.finalNotify)


class SipPhone(pj.Account):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[SipCall] = []

    def onRegState(self, told: Any) -> None:
        tell("registered", status=told.code)

    def onIncomingCall(self, told: Any) -> None:
        self.new_call(told.callId).answer(with_status(200))

    def new_call(self, call_id: int = -1) -> SipCall:
        self.calls.append(SipCall(len(self.calls) + 1, call_id))
        return self.calls[-1]

    def do(self, line: str) -> None:
        match line.split():
            case ["call", uri]:
                self.new_call().makeCall(uri, pj.CallOpParam(True))
            case ["hold", number]:
                self.calls[int(number) - 1].setHold(pj.CallOpParam(True))
            case ["join", number, other]:
                one, two = self.calls[int(number) - 1], self.calls[int(other) - 1]
                one.xferReplaces(two, pj.CallOpParam(True))


def with_status(status: int) -> Any:
    parameters = pj.CallOpParam()
    parameters.statusCode = status
    return parameters


def start() -> Any:
    endpoint, settings = pj.Endpoint(), pj.EpConfig()
    settings.uaConfig.threadCnt = 0
    settings.uaConfig.mainThreadOnly = True
    settings.medConfig.noVad = True
    settings.logConfig.level = settings.logConfig.consoleLevel = 0
    endpoint.libCreate()
    endpoint.libInit(settings)
    local = pj.TransportConfig()
    local.boundAddress = "127.0.0.1"
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, local)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    return endpoint


def account(number: str, password: str, registrar: str) -> Any:
    settings = pj.AccountConfig()
    settings.idUri = f"sip:{number}@{registrar}"
    settings.regConfig.registrarUri = f"sip:{registrar}"
    settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", number, 0, password))
    settings.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    return settings


def run(endpoint: Any) -> None:
    waiting = b""
    while True:
        endpoint.libHandleEvents(TURN)
        if not select.select([sys.stdin], [], [], 0)[0]:
            continue
        read = os.read(sys.stdin.fileno(), 4096)
        *lines, waiting = (waiting + read).split(b"\n")
        for line in lines:
            phone.do(line.decode())
        if not read or b"quit" in lines:
            return


if __name__ == "__main__":
    number, password, registrar = sys.argv[1:]
    endpoint = start()
    phone = SipPhone()
    phone.create(account(number, password, registrar))
    run(endpoint)
    endpoint.hangupAllCalls()
    endpoint.libHandleEvents(TURN)
    os._exit(0)
