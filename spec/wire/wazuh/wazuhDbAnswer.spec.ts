/** Answers of wazuh-db's stream socket: the recorded words, and nothing else. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readWazuhDbAnswer } from '../../../src/wire/wazuh/wazuhDbAnswer.js'

const read = (text: string) => readWazuhDbAnswer(Buffer.from(text))

describe('answers of wazuh-db', () => {
  it('are read as it gives them', () => {
    expect(read('ok')).toEqual({ ok: true, value: { status: 'ok', payload: '', isMore: false } })
    expect(read('ok [{"n":2}]')).toEqual({ ok: true, value: { status: 'ok', payload: '[{"n":2}]', isMore: false } })
    expect(read('due [ 1]')).toEqual({ ok: true, value: { status: 'ok', payload: '[ 1]', isMore: true } })
    expect(read("err Invalid DB query syntax, near 'x'")).toEqual({
      ok: true,
      value: { status: 'err', reason: "Invalid DB query syntax, near 'x'" },
    })
  })

  it('are refused when they are anything else', () => {
    for (const text of ['', ' ', 'okay', 'OK []', 'ign', ' ok']) expect(read(text).ok).toBe(false)
    expect(readWazuhDbAnswer(Buffer.from([0x6f, 0x6b, 0x20, 0xff])).ok).toBe(false)
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void readWazuhDbAnswer(bytes)))
  })
})
