// SIP.js as a phone over WebSocket that a test works by lines: node sipjs.mjs ws|wss REGISTRAR-PORT USER PASSWORD ROOTS
//
// It registers as sip:USER@biloxi.com at 127.0.0.1, and describes sessions without media. Commands and events are those of pjsip.py.

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { WebSocket } from './installed/ws/wrapper.mjs'
import { Inviter, Registerer, RegistererState, SessionState, UserAgent } from './installed/sip.js/lib/index.js'

const [protocol, port, user, password, roots] = process.argv.slice(2)
const tell = (event) => console.log(`* ${event}`)

// The WebSocket of a browser, but for what it trusts and for the name that the certificate of 127.0.0.1 has.
const tls = { ca: readFileSync(roots), servername: 'dns.biloxi.com' }
globalThis.WebSocket = class extends WebSocket {
  constructor(url, subprotocol) {
    super(url, subprotocol, tls)
  }
}

// A session description without anything behind it.
class Described {
  constructor() {
    this.version = 0
    this.direction = 'sendrecv'
  }

  async getDescription(options) {
    this.version += 1
    const direction = options?.hold ? 'sendonly' : this.direction
    const lines = ['v=0', `o=- 1 ${this.version} IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=audio 9 RTP/AVP 0', `a=${direction}`]
    return { body: lines.map((line) => `${line}\r\n`).join(''), contentType: 'application/sdp' }
  }

  hasDescription(kind) {
    return kind === 'application/sdp'
  }

  async setDescription(description) {
    this.direction = description.includes('a=sendonly') ? 'recvonly' : 'sendrecv'
    tell(this.direction === 'recvonly' ? 'is held' : 'is active')
  }

  sendDtmf() {
    return false
  }

  close() {}
}

let call
const watch = (session) => {
  call = session
  session.stateChange.addListener((state) => {
    if (state === SessionState.Established) tell('is established')
    if (state === SessionState.Terminated) tell('is over')
  })
}

const agent = new UserAgent({
  uri: UserAgent.makeURI(`sip:${user}@biloxi.com`),
  authorizationUsername: user,
  authorizationPassword: password,
  transportOptions: { server: `${protocol}://127.0.0.1:${port}` },
  sessionDescriptionHandlerFactory: () => new Described(),
  delegate: {
    onInvite(session) {
      watch(session)
      session.progress()
      tell('is called')
    }
  }
})

// Changes the session, and tells what it has become.
const change = (hold, event) =>
  call.invite({
    sessionDescriptionHandlerOptions: { hold },
    requestDelegate: { onAccept: () => tell(event), onReject: (response) => tell(`is refused: ${response.message.statusCode}`) }
  })

const commands = {
  call(uri) {
    watch(new Inviter(agent, UserAgent.makeURI(uri)))
    return call.invite({ requestDelegate: { onProgress: (response) => tell(`hears ${response.message.statusCode}`) } })
  },
  answer: () => call.accept(),
  hold: () => change(true, 'holds'),
  resume: () => change(false, 'resumes'),
  hang: () => call.bye(),
  async quit() {
    await registerer.dispose()
    await agent.stop()
    process.exit(0)
  }
}

await agent.start()
const registerer = new Registerer(agent)
registerer.stateChange.addListener((state) => {
  if (state === RegistererState.Registered) tell('registered')
})
await registerer.register({
  requestDelegate: { onReject: (response) => tell(`not registered: ${response.message.statusCode}`) }
})
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...what] = line.trim().split(' ')
  await commands[command](what.join(' '))
}
await commands.quit()
