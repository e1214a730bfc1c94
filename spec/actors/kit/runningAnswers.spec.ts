import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RunningAnswers } from '../../../src/actors/kit/runningAnswers.js'
import type { ServingEnd } from '../../../src/actors/kit/servingThread.js'
import { ClusterError } from '../../../src/base/errors.js'
import type { OutgoingStream } from '../../../src/ports/link.js'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Streams that keep the reason of their reset. */
const stream = (): OutgoingStream & { readonly received: string[] } => {
  const abort = new AbortController()
  const received: string[] = []
  return {
    received: received,
    signal: abort.signal,
    write: () => Promise.resolve(),
    end: () => received.push('end'),
    reset: (error) => {
      if (!abort.signal.aborted) received.push(error.code)
      abort.abort(error)
    },
  }
}

const forever = (): ServingEnd => ({ signal: new AbortController().signal, crash: () => undefined })

describe('running answers', () => {
  it('never exceed the bound, whatever is cancelled, and count until their work has ended', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.constantFrom('begin', 'run', 'reset', 'end', 'fail'), { maxLength: 60 }),
        async (most, steps) => {
          const answers = new RunningAnswers('answers', most)
          const working: { readonly out: OutgoingStream | undefined; end(): void; fail(): void }[] = []
          const work = (out?: OutgoingStream): Promise<void> =>
            new Promise((resolve, reject) => working.push({ out, end: resolve, fail: () => reject(new Error('unexpected')) }))
          for (const step of steps) {
            const before = working.length
            if (step === 'begin') {
              const out = stream()
              const begin = (): void =>
                answers.begin({
                  link: { openStream: () => out },
                  stream: 1,
                  thread: forever(),
                  kind: 'control',
                  otherwise: 'requestFailed',
                  send: work,
                })
              if (before === most) expect(begin).toThrow(expect.objectContaining({ code: 'overloaded' }))
              else begin()
            } else if (step === 'run') {
              const refusal = answers.run(() => work()).catch((thrown: { code?: string }) => thrown.code)
              if (before === most) expect(await refusal).toBe('overloaded')
            } else if (step === 'reset') working[0]?.out?.reset(new ClusterError('transferFailed'))
            else if (step === 'end') working.shift()?.end()
            else working.shift()?.fail()
            await settled()
            expect(answers.running).toBe(working.length)
            expect(answers.running).toBeLessThanOrEqual(most)
          }
        },
      ),
    ))

  it('are not begun over a stream that was cancelled before, and the peer gets the reason', () => {
    const out = stream()
    out.reset(new ClusterError('aborted'))
    let begun = 0
    const answers = new RunningAnswers('answers', 1)
    const begin = (): void =>
      answers.begin({
        link: { openStream: () => out },
        stream: 1,
        thread: forever(),
        kind: 'control',
        otherwise: 'requestFailed',
        send: async () => {
          begun += 1
        },
      })
    expect(begin).toThrow(expect.objectContaining({ code: 'aborted' }))
    expect([begun, answers.running]).toEqual([0, 0])
  })

  it('stop with the thread that answers, and report failures by a code', async () => {
    const end = new AbortController()
    const crashes: unknown[] = []
    const thread = { signal: end.signal, crash: (thrown: unknown) => crashes.push(thrown) }
    const [first, second, third] = [stream(), stream(), stream()]
    const answers = new RunningAnswers('answers', 3)
    const begin = (out: OutgoingStream, send: () => Promise<void>): void =>
      answers.begin({ link: { openStream: () => out }, stream: 1, thread, kind: 'file', otherwise: 'transferFailed', send })
    begin(first, () => new Promise((_, reject) => first.signal.addEventListener('abort', () => reject(first.signal.reason))))
    const bug = new Error('unexpected')
    begin(second, () => Promise.reject(bug))
    begin(third, () => Promise.reject(new ClusterError('fileGone')))
    await settled()
    expect([second.received, third.received]).toEqual([['transferFailed'], ['fileGone']])
    expect(crashes).toEqual([bug])
    end.abort()
    await settled()
    expect([first.received, answers.running]).toEqual([['aborted'], 0])
  })
})
