/** The parsers of what carries requests of a manager's programs: the head of a peer's answer, frames of the API bridge, answers to a reload. */
import { invariant } from '../../src/base/invariant.js'
import { limits } from '../../src/base/limits.js'
import { carriedHeadBytes, decodeCarriedHead, encodeCarriedHead } from '../../src/wire/muster/carriedHead.js'
import { BridgeFrameReader, bridgeFrameHead } from '../../src/wire/wazuh/bridgeFrames.js'
import { parseReloadAnswer } from '../../src/wire/wazuh/reloadAnswer.js'
import type { FuzzedParser } from './fuzzParser.js'

const frame = (number: number, kind: number, payload: Uint8Array = new Uint8Array(0)): Buffer =>
  Buffer.concat([bridgeFrameHead(number, kind, payload.byteLength), payload])

const length = (bytes: number): Buffer => {
  const field = Buffer.alloc(8)
  field.writeBigUInt64BE(BigInt(bytes))
  return field
}

export const carriedParsers: readonly FuzzedParser[] = [
  {
    name: 'manager: heads of carried answers',
    examples: () => [true, false].map((isException) => encodeCarriedHead({ isException, bytes: 70_000 })),
    parse: (bytes) => {
      if (bytes.byteLength < carriedHeadBytes) return 'too short'
      const head = decodeCarriedHead(Buffer.from(bytes.subarray(0, carriedHeadBytes)), limits.carriedBytesMax)
      if (!head.ok) return head.error.code
      invariant(head.value.bytes <= limits.carriedBytesMax, 'an answer is within its bound')
      return 'taken'
    },
  },
  {
    name: 'manager: frames of the API bridge',
    examples: () => [
      Buffer.concat([frame(0, 16), frame(1, 17, length(5)), frame(1, 19, Buffer.from('[1,2]')), frame(2, 18, length(2)), frame(3, 20)]),
    ],
    parse: (bytes) => {
      const reader = new BridgeFrameReader()
      // As a pipe may bring them.
      reader.append(bytes.subarray(0, 7))
      reader.next()
      reader.append(bytes.subarray(7))
      let frames = 0
      for (let next = reader.next(); ; next = reader.next()) {
        if (!next.ok) return next.error.code
        if (!next.value) return `${Math.min(frames, 5)} frames`
        if (next.value.kind === 'chunk') invariant(next.value.chunk.byteLength <= limits.streamChunkBytesMax, 'a chunk is within its bound')
        frames += 1
      }
    },
  },
  {
    name: 'manager: answers to a reload of rules',
    examples: () =>
      ['{"error":0,"message":"ok","data":["(7617): warning"]}', '{"error":1,"message":"failed"}'].map((text) => Buffer.from(text)),
    parse: (bytes) => {
      const answer = parseReloadAnswer(bytes)
      if (!answer.ok) return answer.error.code
      const { isLoaded, messages } = answer.value
      invariant(messages.length <= limits.rulesetMessagesMax, 'messages are within their bound')
      for (const { length: chars } of messages) invariant(chars <= limits.rulesetMessageCharsMax, 'a message is within its bound')
      return isLoaded ? 'loaded' : 'not loaded'
    },
  },
]
