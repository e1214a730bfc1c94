/** A password from the operator: out of a file, from a terminal without showing it, or from what is piped in. */
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { isPassword, passwordAllowed } from '../../domain/api/apiUsers.js'
import type { ProgramOptions } from '../kit/controlProgram.js'
import { writeText } from '../kit/writeText.js'

interface Terminal extends Readable {
  readonly isTTY: true
  setRawMode(isRaw: boolean): void
}

const isTerminal = (stdin: Readable): stdin is Terminal => 'isTTY' in stdin && stdin.isTTY === true

const refused = (message: string, cause?: unknown): ClusterError => new ClusterError('argumentsInvalid', { message, cause })

const checked = (password: string): string => {
  if (!isPassword(password)) throw refused(`The password is not valid: must be ${passwordAllowed}`)
  return password
}

const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0] ?? ''

/** Fails with `argumentsInvalid`. */
export const readPassword = async (file: string | undefined, { stderr, stdin }: ProgramOptions): Promise<string> => {
  if (file !== undefined) {
    try {
      return checked(firstLine(readFileSync(file, 'utf8')))
    } catch (thrown) {
      if (thrown instanceof ClusterError) throw thrown
      throw refused(`${file} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, thrown)
    }
  }
  if (!isTerminal(stdin)) return checked(firstLine(await pipedText(stdin)))
  await writeText(stderr, ['Password: '])
  const password = checked(await typedLine(stdin))
  await writeText(stderr, ['\nPassword again: '])
  const again = await typedLine(stdin)
  await writeText(stderr, ['\n'])
  if (again !== password) throw refused('The two passwords are not the same')
  return password
}

const pipedText = async (stdin: Readable): Promise<string> => {
  let text = ''
  for await (const chunk of stdin) {
    text += String(chunk)
    if (text.includes('\n') || text.length > 4 * limits.apiPasswordCharsMax) break
  }
  return text
}

const backspaces = ['\b', '\x7f']
const enters = ['\r', '\n', '\x04']
const interrupt = '\x03'

/** Typed in raw mode: the terminal shows nothing of it. */
const typedLine = (stdin: Terminal): Promise<string> =>
  new Promise((resolve, reject) => {
    let typed: string[] = []
    stdin.setRawMode(true)
    const end = (then: () => void): void => {
      stdin.off('data', onData)
      stdin.setRawMode(false)
      stdin.pause()
      then()
    }
    const onData = (chunk: Buffer | string): void => {
      for (const character of String(chunk)) {
        if (character === interrupt) end(() => reject(refused('No password was given')))
        else if (enters.includes(character)) end(() => resolve(typed.join('')))
        else if (backspaces.includes(character)) typed = typed.slice(0, -1)
        else if (typed.length <= limits.apiPasswordCharsMax) typed.push(character)
      }
    }
    stdin.on('data', onData)
    stdin.resume()
  })
