/** The passphrase of an authority's key: the first line of a file, or typed at a terminal without being shown. */
import type { Readable, Writable } from 'node:stream'
import { ClusterError } from '../../base/errors.js'
import { readPemFile } from '../../platform/certificates/pemFiles.js'
import { writeText } from '../kit/writeText.js'

interface Terminal extends Readable {
  readonly isTTY: true
  setRawMode(isRaw: boolean): unknown
}

const isTerminal = (stdin: Readable): stdin is Terminal => 'isTTY' in stdin && stdin.isTTY === true && 'setRawMode' in stdin

const passphraseCharsMax = 1_024

/** Fails with `fileFailed` or `configInvalid`. */
export const passphraseIn = (path: string): string => {
  const file = readPemFile(path)
  if (!file) throw new ClusterError('fileFailed', { message: `The file ${path} does not exists` })
  const [line = ''] = file.text.split(/\r?\n/, 1)
  if (line === '') throw new ClusterError('configInvalid', { message: `The first line of ${path} is empty: it has to be the passphrase` })
  return line
}

/** Fails with `configInvalid` where there is no terminal. */
export const askedPassphrase = async (keyPath: string, stdin: Readable, stdout: Writable): Promise<string> => {
  if (!isTerminal(stdin))
    throw new ClusterError('configInvalid', {
      message: `The key ${keyPath} is encrypted: give its passphrase with --ca-passphrase-file FILE, or run this in a terminal`,
    })
  await writeText(stdout, [`Passphrase of ${keyPath}: `])
  stdin.setRawMode(true)
  try {
    return await typedLine(stdin)
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    await writeText(stdout, ['\n'])
  }
}

const interrupted = '\u0003'
const erasing: ReadonlySet<string> = new Set(['\b', '\u007f'])

const typedLine = async (stdin: Readable): Promise<string> => {
  let typed = ''
  for await (const chunk of stdin.iterator({ destroyOnReturn: false }))
    for (const character of String(chunk)) {
      if (character === interrupted) throw new ClusterError('aborted', { message: 'No passphrase was typed' })
      if (character === '\r' || character === '\n') return typed
      if (erasing.has(character)) typed = typed.slice(0, -1)
      else if (typed.length < passphraseCharsMax) typed += character
    }
  return typed
}
