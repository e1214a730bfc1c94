/** Whether a real Wazuh manager is in a home. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findManager } from '../../../src/platform/machine/findManager.js'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-manager-'))
  for (const directory of ['bin', 'queue/db']) mkdirSync(join(home, directory), { recursive: true })
})
afterEach(() => rmSync(home, { recursive: true }))

describe('a home', () => {
  it("is a real manager's when its control program is there", () => {
    expect(findManager(home)).toBeUndefined()
    writeFileSync(join(home, 'bin/wazuh-control'), '')
    expect(findManager(home)).toBe(join(home, 'bin/wazuh-control'))
  })

  it("is a real manager's when the socket of its database is there, but not for a file of that name", async () => {
    const path = join(home, 'queue/db/wdb')
    writeFileSync(path, '')
    expect(findManager(home)).toBeUndefined()
    rmSync(path)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path, resolve))
    expect(findManager(home)).toBe(path)
    await new Promise((resolve) => server.close(resolve))
  })
})
