/** The fuzz finds a parser's bugs, and the parsers have none that a few inputs show. */
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { fuzzedInput, fuzzParser } from '../../bench/fuzzing/fuzzParser.js'
import { parsers } from '../../bench/fuzzing/parsers.js'
import { watchedFuzz } from '../../bench/fuzzing/watchedFuzz.js'
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

  it('ends a parser that never ends, and names its input, which can be made again', async () => {
    const begun = new SharedArrayBuffer(4)
    const endless = "const { workerData } = require('node:worker_threads'); new Int32Array(workerData)[0] = 7; for (;;);"
    const worker = new Worker(endless, { eval: true, workerData: begun })
    const watch = { inputMsMax: 1_000, checkMs: 100, onProgress: () => undefined }
    expect(await watchedFuzz(worker, { begun }, watch)).toEqual({ endless: 7 })
    const seen: Uint8Array[] = []
    const parser = { name: 'seen', examples: () => [example], parse: (bytes: Uint8Array) => String(seen.push(bytes)) }
    fuzzParser(parser, 8, new SeededRandom('again'))
    expect(fuzzedInput(parser, new SeededRandom('again'), 7)).toEqual(seen[7])
  })

  it('fails with the thread of its inputs, and not in silence', async () => {
    const worker = new Worker("throw new Error('broken')", { eval: true })
    const watch = { inputMsMax: 1_000, checkMs: 100, onProgress: () => undefined }
    await expect(watchedFuzz(worker, { begun: new SharedArrayBuffer(4) }, watch)).rejects.toThrow('broken')
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
