/** The codec reads all that real agents and the real remoted said to each other, and writes what says the same. */
import { describe, expect, it } from 'vitest'
import { cipherKey } from '../../../src/wire/agents/agentCipher.js'
import { MessageOpener, peekId } from '../../../src/wire/agents/agentMessage.js'
import { sealMessage } from '../../../src/wire/agents/sealMessage.js'
import { isRecordedText, readRecording, recordedCiphers, recordedEntry, recordedMessages } from '../../support/agents/agentRecordings.js'

describe.each(['agent-wire', 'manager-wire'])('the recording %s', (name) => {
  const recording = readRecording(name)
  const messages = recordedMessages(recording)

  it('has the keys that are derived from client.keys', () => {
    for (const key of recording.keys) expect(cipherKey(recordedEntry(key))).toBe(key.K)
  })

  it('opens to the fields that were recorded', () => {
    const ciphers = recordedCiphers(recording)
    const opener = new MessageOpener()
    expect(messages.length).toBeGreaterThan(300)
    for (const message of messages) {
      const cipher = ciphers.get(message.key)
      const opened = cipher && opener.open(message.bytes, cipher)
      const where = `${message.case} ${message.seq}`
      if (!opened?.ok) expect.fail(`${where}: ${opened?.error.message}`)
      const { global, local, random, text } = opened.value
      expect({ where, cipher: opened.value.cipher, global, local, random }).toEqual({
        where,
        cipher: message.cipher,
        global: Number(message.global),
        local: Number(message.local),
        random: Number(message.random),
      })
      expect(isRecordedText(text, message), where).toBe(true)
    }
  })

  it('names the agents that were recorded', () => {
    for (const { bytes, id } of messages)
      expect(peekId(bytes)).toBe(id == null ? 'none' : /^(\d{3}|[1-9]\d{3,})$/.test(id) ? Number(id) : 'invalid')
  })

  it('opens to the same again after it was sealed by us', () => {
    const ciphers = recordedCiphers(recording)
    const opener = new MessageOpener()
    for (const message of messages) {
      const cipher = ciphers.get(message.key)
      if (!cipher) continue
      const opened = opener.open(message.bytes, cipher)
      if (!opened.ok) continue
      const { global, local, random } = opened.value
      const text = Buffer.from(opened.value.text)
      const sealed = sealMessage({ cipher, kind: message.cipher, counter: { global, local }, random, text, isFramed: false, level: 9 })
      const again = sealed.ok ? opener.open(sealed.value, cipher) : undefined
      if (!again?.ok) expect.fail(`${message.case} ${message.seq}`)
      expect({ ...again.value, text: '' }).toEqual({ cipher: message.cipher, global, local, random, text: '' })
      expect(again.value.text.equals(text)).toBe(true)
    }
  })
})
