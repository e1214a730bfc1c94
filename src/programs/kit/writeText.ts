/** Writes text no faster than its reader takes it, and notices when the reader is gone. */
import type { Writable } from 'node:stream'
import { ClusterError } from '../../base/errors.js'

/** The reader closed its end: there is nobody to inform, and nothing went wrong. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone'
}

const chunkChars = 16 * 1024

/**
 * Fails with ReaderGone when the reader closed its end, with `requestFailed` when the text cannot be written for another reason.
 * `onWrite` is called before anything is written.
 */
export const writeText = async (out: Writable, parts: Iterable<string> | AsyncIterable<string>, onWrite?: () => void): Promise<void> => {
  let failure: Error | undefined
  let wake: (() => void) | undefined
  const onError = (error: NodeJS.ErrnoException): void => {
    failure =
      error.code === 'EPIPE'
        ? new ReaderGone('The reader is gone', { cause: error })
        : new ClusterError('requestFailed', { message: `The output cannot be written: ${error.message}`, cause: error })
    wake?.()
  }
  const write = (text: string): Promise<void> => {
    onWrite?.()
    return new Promise((resolve, reject) => {
      wake = () => (failure ? reject(failure) : resolve())
      if (failure) reject(failure)
      else out.write(text, (error) => (error ? onError(error) : wake?.()))
    })
  }
  out.on('error', onError)
  try {
    let gathered = ''
    for await (const part of parts) {
      gathered += part
      if (gathered.length < chunkChars) continue
      await write(gathered)
      gathered = ''
    }
    if (gathered !== '') await write(gathered)
  } finally {
    // An error may still arrive after the callback of its write; without a listener it would end the process.
    setImmediate(() => out.off('error', onError))
  }
}
