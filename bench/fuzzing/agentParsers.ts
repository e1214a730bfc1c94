/** The parsers of the agents' protocol, port 1514. */
import { deflateSync } from 'node:zlib'
import { invariant } from '../../src/base/invariant.js'
import { AgentCipher, type CipherKind, paddingBytes } from '../../src/wire/agents/agentCipher.js'
import { AgentFrameReader, framed } from '../../src/wire/agents/agentFrames.js'
import { MessageOpener, md5Hex, peekId } from '../../src/wire/agents/agentMessage.js'
import { agentControl, managerControl, parseAgentControl, parseManagerControl } from '../../src/wire/agents/controlMessage.js'
import { parseKeepAlive } from '../../src/wire/agents/keepAliveText.js'
import { readMerged } from '../../src/wire/agents/readMerged.js'
import { sealMessage } from '../../src/wire/agents/sealMessage.js'
import { checkPushable, pushPieceEnd } from '../../src/wire/agents/sharedPush.js'
import type { FuzzedParser } from './fuzzParser.js'

const cipher = new AgentCipher({ id: 1, name: 'agent1', key: '5b1c6a3d0f2e4c8796a5b4c3d2e1f00112233445566778899aabbccddeeff001' })
const opener = new MessageOpener()
const kinds: readonly CipherKind[] = ['aes', 'blowfish']

const keepAlive =
  'Linux |vm |6.1.0 |#1 SMP |x86_64 [Debian GNU/Linux|debian: 12 (bookworm)] - Wazuh v4.14.7 / b8a8b5cd865c68230861b9684a1a540f\n"env":prod\n!"h":secret\n2124cb16ff24847e54fb38eb1bfe983c merged.mg\n#"_agent_ip":127.0.0.1\n'
const windows = 'Microsoft Windows 11 [Ver: 10.0.22631] |pc |x86_64 - Wazuh v4.14.7\nx merged.mg\n'
const json =
  '{"agent":{"version":"v5.0.0","merged_sum":"m","ip":"1.2.3.4","uname":"Linux |a |6 |#1 |aarch64 [Ubuntu|ubuntu: 24.04]"},"host":{"os":{"name":"Ubuntu"}}}'
const event = '1:/var/log/auth.log:Nov 26 13:18:35 host sshd[42]: Accepted publickey for alice from 10.0.0.1 port 55555 ssh2'

const agentTexts = [
  agentControl.startup('v4.14.7'),
  agentControl.startup(),
  agentControl.shutdown(),
  agentControl.keepAlive(keepAlive),
  agentControl.keepAlive(json),
  agentControl.answer('2865b8d4', 'ok {"labels":[]}'),
  agentControl.requestAck('1f'),
  Buffer.from(event),
]
const managerTexts = [
  managerControl.ack(),
  managerControl.error('Agent version must be lower or equal to manager version'),
  managerControl.request(0x2865b8d4, 'agent getconfig client'),
  managerControl.answerAck('1f'),
  managerControl.reconnect(),
  managerControl.pushStart('2124cb16ff24847e54fb38eb1bfe983c', 'merged.mg'),
  managerControl.pushEnd(),
]
const merged = Buffer.from(`#default\n!31 agent.conf\n<agent_config>\n</agent_config>\n!5 a/b.txt\n12345!0 empty\n`)

const sealedExamples = (isFramed: boolean): Buffer[] =>
  [...agentTexts, ...managerTexts].flatMap((text) =>
    kinds.map((kind) => {
      const sealed = sealMessage({ cipher, kind, counter: { global: 1, local: 42 }, random: 12_345, text, id: 1, isFramed, level: 9 })
      invariant(sealed.ok, 'an example fits')
      return sealed.value
    }),
  )

/** With the agent's own key: what lies behind the encryption and the checksum. */
const sealBody = (body: Uint8Array, kind: CipherKind): Buffer => {
  const stream = deflateSync(Buffer.concat([Buffer.from(md5Hex(body)), body]).subarray(0, 65_000), { level: 1 })
  const padding = 8 - (stream.byteLength % 8)
  const plainBytes = padding + stream.byteLength
  const room = Buffer.concat([Buffer.alloc(padding, '!'), stream, Buffer.alloc(paddingBytes(kind, plainBytes))])
  return Buffer.concat([Buffer.from(kind === 'aes' ? '#AES:' : ':'), cipher.encrypt(kind, room, plainBytes)])
}

const framesIn = (bytes: Uint8Array): string => {
  const reader = new AgentFrameReader()
  // The first byte of the input says how it is split.
  const size = 1 + (bytes[0] ?? 0) * 7
  for (let at = 0; at < bytes.byteLength; at += size) {
    reader.append(bytes.subarray(at, at + size))
    for (let next = reader.next(); !next.ok || next.value !== undefined; next = reader.next()) if (!next.ok) return next.error.code
  }
  return 'taken'
}

export const agentParsers: readonly FuzzedParser[] = [
  { name: 'agent frames', examples: () => [Buffer.concat(sealedExamples(true)), framed(Buffer.from('#ping'))], parse: framesIn },
  {
    name: 'agent message',
    examples: () => sealedExamples(false),
    parse: (bytes) => {
      peekId(bytes)
      const opened = opener.open(Buffer.from(bytes), cipher)
      return opened.ok ? 'taken' : opened.error.code
    },
  },
  {
    name: 'agent message body',
    examples: () => agentTexts.map((text) => Buffer.concat([Buffer.from('123450000000001:0042:'), text])),
    parse: (bytes) => {
      const opened = opener.open(sealBody(bytes, (bytes.byteLength & 7) === 0 ? 'blowfish' : 'aes'), cipher)
      return opened.ok ? 'taken' : opened.error.code
    },
  },
  { name: 'agent control message', examples: () => agentTexts, parse: (bytes) => parseAgentControl(bytes).kind },
  { name: 'manager control message', examples: () => managerTexts, parse: (bytes) => parseManagerControl(bytes).kind },
  {
    name: 'keep-alive',
    examples: () => [keepAlive, windows, json].map((text) => Buffer.from(text)),
    parse: (bytes) => (Object.keys(parseKeepAlive(Buffer.from(bytes).toString())).length > 0 ? 'taken' : 'nothing said'),
  },
  {
    name: 'merged.mg',
    examples: () => [merged],
    parse: (bytes) => {
      const pushable = checkPushable(bytes)
      if (pushable.ok) for (let from = 0; from < bytes.byteLength; ) from = pushPieceEnd(bytes, from)
      const read = readMerged(bytes)
      return read.ok ? 'taken' : read.error.code
    },
  },
]
