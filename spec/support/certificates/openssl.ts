/** Debian's openssl, against which certificates are held that another library made. */
import { spawnSync } from 'node:child_process'
import { isMissing } from '../debianProgram.js'

export const lacksOpenssl = isMissing('openssl', 'openssl')

/** What it prints, of both kinds. */
export const openssl = (...argv: readonly string[]): { readonly status: number | null; readonly says: string } => {
  const { status, stderr, stdout } = spawnSync('openssl', argv, { encoding: 'utf8' })
  return { status, says: `${stdout}${stderr}` }
}
