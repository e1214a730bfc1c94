/** Hashes of passwords: scrypt, in a thread of the system, compared in constant time. */
import { createHash, scrypt, timingSafeEqual } from 'node:crypto'
import type { ApiUser } from '../../domain/api/apiUsers.js'
import type { Random } from '../../ports/machine.js'

/** 32 MiB and about a tenth of a second. */
const cost = { log2N: 15, r: 8, p: 1 } as const
const saltBytes = 16
const hashBytes = 32

interface Cost {
  readonly N: number
  readonly r: number
  readonly p: number
}

const derived = (password: string, salt: Buffer, { N, p, r }: Cost): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const memory = 256 * N * r
    // The same characters typed on two keyboards are the same password.
    scrypt(password.normalize('NFKC'), salt, hashBytes, { N, r, p, maxmem: memory }, (error, key) => (error ? reject(error) : resolve(key)))
  })

export const passwordHash = async (password: string, random: Random): Promise<string> => {
  const salt = Buffer.from(random.bytes(saltBytes))
  const key = await derived(password, salt, { N: 2 ** cost.log2N, r: cost.r, p: cost.p })
  return ['scrypt', cost.log2N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** @param hash as passwordHash makes it, checked by domain/api/apiUsers */
export const isPasswordOf = async (password: string, hash: string): Promise<boolean> => {
  const [, log2N, r, p, salt = '', expected = ''] = hash.split('$')
  const key = await derived(password, Buffer.from(salt, 'base64url'), { N: 2 ** Number(log2N), r: Number(r), p: Number(p) })
  const wanted = Buffer.from(expected, 'base64url')
  return wanted.length === key.length && timingSafeEqual(wanted, key)
}

/** Changes with the password, and says nothing about it. */
export const fingerprintOf = ({ password }: ApiUser): string => createHash('sha256').update(password).digest('base64url').slice(0, 22)
