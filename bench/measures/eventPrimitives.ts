/** What no listener can do without, for each event: the primitives of Node that decipher, inflate, check and write it, in a loop. */
import * as crypto from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { cipherKey } from '../../src/wire/agents/agentCipher.js'
import { md5Hex } from '../../src/wire/agents/agentMessage.js'
import { loadAgents, sealedEvents } from '../agentEvents.js'

const rounds = 200
const turns = 3
/** As much as a listener writes at once under load. */
const lineBytes = 500

/** Events for each second of one processor, in the best of some turns: other work on the machine only takes away. */
export const primitiveRate = (dir: string): number => {
  const [agent] = loadAgents(1)
  if (!agent) return Number.NaN
  const header = `!${String(agent.id).padStart(3, '0')}!#AES:`.length
  const { events } = sealedEvents(agent, false)
  const key = cipherKey(agent).slice(0, 32)
  const decipher = crypto.createDecipheriv('aes-256-cbc', key, 'FEDCBA0987654321').setAutoPadding(false)
  const opened = events.map((event) => streamOf(event.subarray(header), key))
  const lines = Buffer.alloc(events.length * lineBytes, 'x')
  const file = openSync(join(dir, 'primitives'), 'w')
  let best = 0
  for (let turn = 0; turn <= turns; turn++) {
    const before = process.cpuUsage()
    for (let round = 0; round < rounds; round++) {
      for (const [index, event] of events.entries()) {
        decipher.update(event.subarray(header))
        md5Hex(inflateSync(opened[index] ?? event))
      }
      writeSync(file, lines, 0, lines.length, 0)
    }
    const { system, user } = process.cpuUsage(before)
    if (turn > 0) best = Math.max(best, (events.length * rounds * 1e6) / (system + user))
  }
  closeSync(file)
  return best
}

/** The zlib stream inside, as the plain way comes to it. */
const streamOf = (sealed: Uint8Array, key: string): Buffer => {
  const decipher = crypto.createDecipheriv('aes-256-cbc', key, 'FEDCBA0987654321')
  const plain = Buffer.concat([decipher.update(sealed), decipher.final()])
  return plain.subarray(plain.findIndex((byte) => byte !== 0x21))
}
