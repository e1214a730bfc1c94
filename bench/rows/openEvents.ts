/** Opening an agent's event: decrypted, inflated, checked. Beside it, in the same run, the primitives of Node that it cannot do without. */
import * as crypto from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { invariant } from '../../src/base/invariant.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { AgentCipher, cipherKey } from '../../src/wire/agents/agentCipher.js'
import { MessageOpener, md5Hex } from '../../src/wire/agents/agentMessage.js'
import { sealMessage } from '../../src/wire/agents/sealMessage.js'
import { eventText } from '../agentEvents.js'
import type { Row } from '../row.js'

const events = 1_000
const rounds = 100
const turns = 3
const key = '5b1c6a3d0f2e4c8796a5b4c3d2e1f00112233445566778899aabbccddeeff001'
const agent = { id: 1, name: 'agent1', key }
const header = '!001!#AES:'

/** Of one processor, in the best of some turns: other work on the machine only takes away. */
const perSecond = (work: () => void): number => {
  work()
  let best = 0
  for (let turn = 0; turn < turns; turn++) {
    const before = process.cpuUsage()
    for (let round = 0; round < rounds; round++) work()
    const { system, user } = process.cpuUsage(before)
    best = Math.max(best, (events * rounds * 1e6) / (system + user))
  }
  return best
}

export const openEvents: Row = {
  name: 'opening events of 300 B, AES, for each core-second',
  target: '≥ 0.5 × its primitives in a loop',
  run: () => {
    const random = new SeededRandom('events')
    const cipher = new AgentCipher(agent)
    const opener = new MessageOpener()
    const messages = Array.from({ length: events }, (_, at) => {
      const counter = { global: 1, local: 1 + at }
      const sealed = sealMessage({
        cipher,
        kind: 'aes',
        counter,
        random: 12_345,
        text: eventText(random, at),
        id: agent.id,
        isFramed: false,
        level: 9,
      })
      invariant(sealed.ok, 'an event fits')
      return sealed.value
    })
    const opened = perSecond(() => {
      for (const message of messages) invariant(opener.open(message, cipher).ok, 'an event opens')
    })
    const decipher = crypto.createDecipheriv('aes-256-cbc', cipherKey(agent).slice(0, 32), 'FEDCBA0987654321').setAutoPadding(false)
    const streams = messages.map((message) => streamOf(message))
    const primitives = perSecond(() => {
      for (const [at, message] of messages.entries()) {
        decipher.update(message.subarray(header.length))
        md5Hex(inflateSync(streams[at] ?? message))
      }
    })
    return Promise.resolve([
      {
        what: '',
        measured: opened,
        unit: '/s',
        beside: { peer: 'primitives', value: primitives },
        target: { bound: 'atLeast', factor: 0.5 },
        wazuh: '–',
        note: `${(1e6 / opened).toFixed(1)} µs each, beside ${(1e6 / primitives).toFixed(1)} for a kept decipher, inflateSync and MD5; messages of ${Math.round(messages.reduce((sum, { byteLength }) => sum + byteLength, 0) / events)} bytes`,
      },
    ])
  },
}

/** The zlib stream inside, as the plain way comes to it. */
const streamOf = (message: Uint8Array): Buffer => {
  const decipher = crypto.createDecipheriv('aes-256-cbc', cipherKey(agent).slice(0, 32), 'FEDCBA0987654321')
  const plain = Buffer.concat([decipher.update(message.subarray(header.length)), decipher.final()])
  return plain.subarray(plain.findIndex((byte) => byte !== 0x21))
}
