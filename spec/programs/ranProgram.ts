/** A program as an operator meets it: arguments and typed text in, text and an exit code out. */
import { Readable, Writable } from 'node:stream'
import type { ProgramOptions } from '../../src/programs/kit/controlProgram.js'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

type Program = (argv: readonly string[], world: ProgramOptions) => Promise<number>

export const sink = (onText: (text: string) => void): Writable =>
  new Writable({
    write: (chunk: Buffer, _, done) => {
      onText(chunk.toString())
      done()
    },
  })

/** Nothing is typed: the input is at its end. */
export const noInput = (): Readable => Readable.from([])

export const ranProgram = async (
  program: Program,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
  stdin = noInput(),
): Promise<Ran> => {
  let out = ''
  let err = ''
  const stdout = sink((text) => {
    out += text
  })
  const stderr = sink((text) => {
    err += text
  })
  const code = await program(argv, { env, stdin, stdout, stderr })
  return { code, out, err }
}
