/** The two ciphers of one agent, made of its line in client.keys when they are first needed. Nothing here ever shows a key. */
import { createHash } from 'node:crypto'
import { agentIdText } from '../../domain/agents/agent.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import { BlowfishCbc, blowfishBlockBytes } from './blowfishCbc.js'
import { aesBlockBytes, KeptCipher, KeptDecipher } from './keptAes.js'

/** OSSEC's agents speak Blowfish only. A manager answers in the one that the agent used last. */
export type CipherKind = 'aes' | 'blowfish'

const aesIv = Buffer.from('FEDCBA0987654321')
const aesKeyChars = 32

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

/** What both ciphers are keyed with: 47 characters. */
export const cipherKey = ({ id, key, name }: Pick<KeyEntry, 'id' | 'key' | 'name'>): string =>
  md5(key) + md5(md5(name) + md5(agentIdText(id))).slice(0, 15)

export class AgentCipher {
  readonly #key: string
  #decipher: KeptDecipher | undefined
  #cipher: KeptCipher | undefined
  #blowfish: BlowfishCbc | undefined

  constructor(entry: Pick<KeyEntry, 'id' | 'key' | 'name'>) {
    this.#key = cipherKey(entry)
  }

  /** Undefined when it cannot have been encrypted with this key. */
  decrypt(kind: CipherKind, sealed: Uint8Array): Buffer | undefined {
    const blockBytes = kind === 'aes' ? aesBlockBytes : blowfishBlockBytes
    if (sealed.byteLength === 0 || sealed.byteLength % blockBytes !== 0) return undefined
    if (kind === 'blowfish') return this.#blowfishCbc().decrypt(sealed)
    this.#decipher ??= new KeptDecipher(this.#key.slice(0, aesKeyChars), aesIv)
    const plain = this.#decipher.decrypt(sealed)
    const end = unpaddedBytes(plain)
    return end === undefined ? undefined : plain.subarray(0, end)
  }

  /** `room`: the plaintext, `plainBytes` (a multiple of 8) long, and behind it as much as paddingBytes says. All of it is overwritten. */
  encrypt(kind: CipherKind, room: Uint8Array, plainBytes: number): Buffer {
    if (kind === 'blowfish') return this.#blowfishCbc().encrypt(room)
    room.fill(room.byteLength - plainBytes, plainBytes)
    this.#cipher ??= new KeptCipher(this.#key.slice(0, aesKeyChars), aesIv)
    return this.#cipher.encrypt(room)
  }

  #blowfishCbc(): BlowfishCbc {
    this.#blowfish ??= new BlowfishCbc(this.#key)
    return this.#blowfish
  }
}

/** What the cipher adds to a plaintext of this many bytes, a multiple of 8. */
export const paddingBytes = (kind: CipherKind, plainBytes: number): number =>
  kind === 'aes' ? aesBlockBytes - (plainBytes % aesBlockBytes) : 0

/** PKCS#7; undefined when the padding is wrong. */
const unpaddedBytes = (plain: Uint8Array): number | undefined => {
  const padding = plain[plain.byteLength - 1] ?? 0
  if (padding === 0 || padding > aesBlockBytes) return undefined
  const end = plain.byteLength - padding
  for (let at = end; at < plain.byteLength; at++) if (plain[at] !== padding) return undefined
  return end
}
