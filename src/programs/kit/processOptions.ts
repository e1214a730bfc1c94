/** What a program at the local socket has around it: this process, and the home that it was called in. */
import type { ProgramOptions } from './controlProgram.js'
import { withLinkedHome } from './linkedHome.js'

export const processOptions = (): ProgramOptions => ({
  env: withLinkedHome(process.env, process.argv[1]),
  // Made when it is first asked for: a program that asks nothing leaves its input alone.
  get stdin() {
    return process.stdin
  },
  stdout: process.stdout,
  stderr: process.stderr,
})
