/** The fuzz finds a parser's bugs, and the parsers have none that a few inputs show. */
import { describe, expect, it } from 'vitest'
import { fuzzParser } from '../../bench/fuzzing/fuzzParser.js'
import { parsers } from '../../bench/fuzzing/parsers.js'
import { ClusterError } from '../../src/base/errors.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'

const example = Buffer.from('name=value')

describe('a fuzz', () => {
  it.each(parsers.map((parser) => [parser.name, parser] as const))(
    'of %s finds no bug in a few inputs, and valid ones among them',
    (_, parser) => {
      const { counts, failures, inputs } = fuzzParser(parser, 400, new SeededRandom('few'))
      expect(failures).toEqual([])
      expect(inputs).toBe(400)
      expect(counts.size).toBeGreaterThan(1)
    },
  )

  it('counts refusals, returned or thrown, and reports any other throw with its input', () => {
    const parse = (bytes: Uint8Array): string => {
      if (bytes.byteLength > 12) throw new ClusterError('tooLarge')
      if (bytes.byteLength < 6) throw new TypeError('short')
      return 'taken'
    }
    const { counts, failures } = fuzzParser({ name: 'lengths', examples: () => [example], parse }, 2_000, new SeededRandom('lengths'))
    expect([...counts.keys()].sort()).toEqual(['taken', 'tooLarge'])
    expect(failures.length).toBeGreaterThan(0)
    for (const { input, says } of failures) {
      expect(input.byteLength).toBeLessThan(6)
      expect(says).toContain('short')
    }
  })

  it('reports an input that takes long', () => {
    const slow = { name: 'slow', examples: () => [example], parse: () => 'taken', inputMsMax: -1 }
    const { failures } = fuzzParser(slow, 1, new SeededRandom('slow'))
    expect(failures).toMatchObject([{ index: 0, says: expect.stringContaining('processor time') }])
  })

  it('throws the same inputs again with the same seed', () => {
    const inputsOf = (seed: string): string[] => {
      const seen: string[] = []
      const parse = (bytes: Uint8Array): string => {
        seen.push(Buffer.from(bytes).toString('hex'))
        return 'taken'
      }
      fuzzParser({ name: 'seen', examples: () => [example], parse }, 200, new SeededRandom(seed))
      return seen
    }
    expect(inputsOf('one')).toEqual(inputsOf('one'))
    expect(inputsOf('one')).not.toEqual(inputsOf('another'))
  })
})
