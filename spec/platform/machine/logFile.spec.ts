import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { createLog } from '../../../src/platform/machine/logFile.js'
import { realClock } from '../../../src/platform/machine/realClock.js'
import { realRandom } from '../../../src/platform/machine/realRandom.js'

const directory = mkdtempSync(join(tmpdir(), 'muster-log-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let files = 0
const newFile = (): string => join(directory, `${files++}.log`)
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1)

const collector = () => {
  const lines: string[] = []
  const stream = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk))
      done()
    },
  })
  return { lines, stream }
}

const format = /^\d{4}\/\d{2}\/\d{2} \d{2}:\d{2}:\d{2} (ERROR|WARNING|INFO|DEBUG|DEBUG2): \[[^\]]*\] \[[^\]]*\] (.*)$/

describe('log file', () => {
  it("has Wazuh's line format, with the tags of where it is", async () => {
    const file = newFile()
    const log = createLog({ file, level: 'debug2' })
    log.error('a')
    const worker = log.at({ tag: 'Worker w1' })
    worker.at({ subtag: 'Integrity sync' }).warning('Starting.')
    worker.info('100%s %d')
    worker.debug('d')
    worker.debug2('e')
    await log.close()
    const lines = linesOf(file)
    for (const line of lines) expect(line).toMatch(format)
    expect(lines.map((line) => line.slice(20))).toEqual([
      'ERROR: [Cluster] [Main] a',
      'WARNING: [Worker w1] [Integrity sync] Starting.',
      'INFO: [Worker w1] [Main] 100%s %d',
      'DEBUG: [Worker w1] [Main] d',
      'DEBUG2: [Worker w1] [Main] e',
    ])
    const secondsAgo = (Date.now() - new Date(lines[0]?.slice(0, 19).replaceAll('/', '-').replace(' ', 'T') ?? '').getTime()) / 1000
    expect(Math.abs(secondsAgo)).toBeLessThan(60)
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  it('leaves out what is less important than its level', async () => {
    const file = newFile()
    const log = createLog({ file, level: 'warning' })
    log.info('i')
    log.debug('d')
    log.warning('w')
    log.error('e')
    await log.close()
    expect(linesOf(file)).toHaveLength(2)
  })

  it('writes any message as one bounded line without control or format characters, in order', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.string({ unit: 'binary' }),
            fc.constantFrom('a\nb', '\u001b[31m', '\r', '\u2028', '\u0085', '\u202e', '\u200b', '\ud800'),
          ),
          {
            minLength: 1,
          },
        ),
        async (messages) => {
          const file = newFile()
          const console = collector()
          const log = createLog({ file, level: 'info', alsoTo: console.stream })
          messages.forEach((message, index) => {
            log.at({ tag: message, subtag: `${index}` }).info(message)
          })
          await log.close()
          const lines = linesOf(file)
          expect(lines).toHaveLength(messages.length)
          lines.forEach((line, index) => {
            expect(line).toContain(`] [${index}] `)
            expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
          })
          expect(console.lines).toHaveLength(messages.length)
        },
      ),
      { numRuns: 50 },
    ))

  it('cuts a line at its bound', async () => {
    const file = newFile()
    const log = createLog({ file, level: 'info' })
    log.info('x'.repeat(1_000_000))
    await log.close()
    expect(linesOf(file)[0]?.length).toBeLessThan(limits.logLineCharsMax + 100)
  })

  it('continues in a new file when the old one was moved away, and loses no line', async () => {
    const file = newFile()
    const log = createLog({ file, level: 'info' })
    log.info('one')
    await log.flush()
    renameSync(file, `${file}.1`)
    log.reopen()
    log.info('two')
    await log.close()
    expect(linesOf(`${file}.1`)[0]).toContain('one')
    expect(linesOf(file)[0]).toContain('two')
  })

  it('writes nothing through a link in its place, says so once, and goes on when it is gone', async () => {
    const file = newFile()
    const outside = newFile()
    writeFileSync(outside, 'of somebody else', { mode: 0o600 })
    const console = collector()
    const log = createLog({ file, level: 'info', alsoTo: console.stream })
    log.info('one')
    await log.flush()
    renameSync(file, `${file}.1`)
    symlinkSync(outside, file)
    log.reopen()
    for (const line of ['two', 'three']) {
      log.info(line)
      await log.flush()
    }
    log.info('four')
    log.flushNow()
    expect(readFileSync(outside, 'utf8')).toBe('of somebody else')
    expect(statSync(outside).mode & 0o777).toBe(0o600)
    const said = console.lines.filter((line) => line.includes('ERROR'))
    expect(said).toHaveLength(1)
    expect(said[0]).toContain(`The log ${file} cannot be written, its lines are lost until it can: it is a link, which is not followed`)
    unlinkSync(file)
    log.info('five')
    await log.close()
    expect(linesOf(file)[0]).toContain('five')
  })

  it('never throws when the file cannot be written, says so once, and later counts the lost lines', async () => {
    const parent = join(directory, 'later')
    const file = join(parent, 'cluster.log')
    const console = collector()
    const log = createLog({ file, level: 'info', alsoTo: console.stream })
    log.info('lost 1')
    await log.flush()
    log.info('lost 2')
    await log.flush()
    expect(console.lines.filter((line) => line.includes('cannot be written'))).toHaveLength(1)
    mkdirSync(parent)
    log.info('kept')
    await log.close()
    const lines = linesOf(file)
    expect(lines[0]).toContain('kept')
    expect(lines[1]).toContain('WARNING: [Cluster] [Main] 2 lines of this log could not be written')
    expect(lines).toHaveLength(2)
  })

  it('bounds what waits for a slow disk, and writes on the spot when the process is about to end', () => {
    const file = newFile()
    const log = createLog({ file, level: 'info' })
    for (let index = 0; index < 2_000; index++) log.info('x'.repeat(limits.logLineCharsMax))
    log.flushNow()
    expect(statSync(file).size).toBeLessThanOrEqual(limits.logPendingBytesMax)
    expect(statSync(file).size).toBeGreaterThan(limits.logPendingBytesMax / 2)
    expect(readdirSync(directory)).toContain(file.slice(directory.length + 1))
  })
})

describe('the real clock and random', () => {
  it('refuses a delay that would fire at once, and cancels timers', () => {
    expect(() => realClock.setTimeout(() => undefined, 2 ** 31)).toThrow()
    expect(() => realClock.setTimeout(() => undefined, Number.NaN)).toThrow()
    const timer = realClock.setTimeout(() => expect.unreachable(), 0)
    realClock.clearTimeout(timer)
    realClock.clearTimeout(undefined)
    expect(realClock.monotonicMs()).toBeLessThanOrEqual(realClock.monotonicMs())
  })

  it('draws fractions uniformly from [0, 1)', () => {
    const buckets = new Array<number>(10).fill(0)
    for (let index = 0; index < 10_000; index++) {
      const fraction = realRandom.fraction()
      expect(fraction >= 0 && fraction < 1).toBe(true)
      const bucket = Math.floor(fraction * 10)
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(250)
    expect(realRandom.bytes(16)).toHaveLength(16)
  })
})
