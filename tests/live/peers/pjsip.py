"""PJSIP as a phone that a test works by lines: pjsip.py PROTOCOL REGISTRAR-PORT USER PASSWORD ROOTS

It registers as sip:USER@biloxi.com at 127.0.0.1. It takes one command a line on its standard input: call URI, answer, hold, resume,
hang up, quit. Each event is a line of its own that begins with `* `; the rest is PJSIP's log.
"""

import os
import queue
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "installed", "pjsua2"))
import pjsua2 as pj

protocol, port, user, password, roots = sys.argv[1:6]


def tell(event):
    print("*", event, flush=True)


class Call(pj.Call):
    medium = None

    def onCallState(self, _):
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_EARLY and info.role == pj.PJSIP_ROLE_UAC:
            tell(f"hears {info.lastStatusCode}")
        if info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            tell("is established")
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            tell(f"is over: {info.lastStatusCode}")

    def onCallMediaState(self, _):
        info = self.getInfo()
        was, self.medium = self.medium, info.media[0].status
        states = {
            pj.PJSUA_CALL_MEDIA_ACTIVE: "resumes" if was == pj.PJSUA_CALL_MEDIA_LOCAL_HOLD else "is active",
            pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "holds",
            pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "is held",
        }
        tell(states.get(self.medium, f"has medium {self.medium}"))


class Account(pj.Account):
    call = None

    def onRegState(self, change):
        tell("registered" if change.code == 200 and change.expiration else f"not registered: {change.code}")

    def onIncomingCall(self, incoming):
        self.call = Call(self, incoming.callId)
        self.answer(180)
        tell("is called")

    def answer(self, status):
        operation = pj.CallOpParam()
        operation.statusCode = status
        self.call.answer(operation)


def endpoint():
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.logConfig.level = config.logConfig.consoleLevel = 4
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    endpoint.libInit(config)
    endpoint.audDevManager().setNullDev()
    kinds = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP, "tls": pj.PJSIP_TRANSPORT_TLS}
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    transport.tlsConfig.CaListFile = roots
    transport.tlsConfig.verifyServer = True
    endpoint.transportCreate(kinds[protocol], transport)
    endpoint.libStart()
    return endpoint


def account():
    config = pj.AccountConfig()
    config.idUri = f"sip:{user}@biloxi.com"
    config.regConfig.registrarUri = "sip:biloxi.com"
    config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
    config.sipConfig.proxies.append(f"sip:127.0.0.1:{port};transport={protocol};lr")
    config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    account = Account()
    account.create(config)
    return account


def obey(account, command, what):
    operation = pj.CallOpParam(True)
    if command == "call":
        account.call = Call(account)
        account.call.makeCall(what, operation)
    elif command == "answer":
        account.answer(200)
    elif command == "hold":
        account.call.setHold(operation)
    elif command == "resume":
        operation.opt.flag = pj.PJSUA_CALL_UNHOLD
        account.call.reinvite(operation)
    elif command == "hang":
        account.call.hangup(operation)
    else:
        raise ValueError(command)


def main():
    ep = endpoint()
    phone = account()
    lines = queue.Queue()

    def read():
        for line in sys.stdin:
            lines.put(line.strip())
        lines.put("quit")

    threading.Thread(target=read, daemon=True).start()
    while True:
        ep.libHandleEvents(20)
        try:
            line = lines.get_nowait()
        except queue.Empty:
            continue
        if line == "quit":
            break
        obey(phone, *(line.split(" ", 1) + [""])[:2])
    # A call that outlives the library trips an assertion of it.
    phone.call = None
    phone.shutdown()
    ep.libDestroy()


main()
