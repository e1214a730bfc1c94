/**
 * Randomness that a seed decides: xoshiro128** (Blackman and Vigna), seeded by SHA-256 of a label's path. Each user forks a
 * stream of its own, so that one more draw in one place does not shift the others.
 */
import { createHash } from 'node:crypto'
import { invariant } from '../../base/invariant.js'
import type { Random } from '../../ports/machine.js'

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

export type Xoshiro128State = readonly [number, number, number, number]

/** The generator itself: each call returns the next unsigned 32-bit number. */
export const xoshiro128 = (state: Xoshiro128State): (() => number) => {
  let [a, b, c, d] = state
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotateLeft(d, 11)
    return result >>> 0
  }
}

export class SeededRandom implements Random {
  readonly #label: string
  readonly #next: () => number

  constructor(seed: number | string) {
    this.#label = String(seed)
    const digest = createHash('sha256').update(this.#label).digest()
    this.#next = xoshiro128([digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), digest.readUInt32LE(12)])
  }

  /** A stream of its own that depends on the seed and the labels only, not on what was drawn before. */
  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.#label}/${label}`)
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let at = 0; at < count; at += 4) {
      let word = this.#next()
      for (let i = at; i < count && i < at + 4; i++) {
        bytes[i] = word & 0xff
        word >>>= 8
      }
    }
    return bytes
  }

  fraction(): number {
    const high = this.#next() >>> 5
    const low = this.#next() >>> 6
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    invariant(max >= min, 'a range of random numbers is not empty')
    return min + Math.floor(this.fraction() * (max - min + 1))
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  pick<T>(choices: readonly T[]): T {
    const picked = choices[this.integer(0, choices.length - 1)]
    invariant(picked !== undefined, 'there is something to pick from')
    return picked
  }
}
