/** Nodes that a program embeds, out of dist/, on real sockets and files. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const key = 'c98b62a9b6169ac5f67dae55ae4a9088'

describe('an embedded node', () => {
  it('never sends ossec.conf, whatever items it is given', async () => {
    const { createNode } = (await import(new URL('../../dist/index.js', import.meta.url).href)) as typeof import('../../src/index.js')
    const root = mkdtempSync(join(tmpdir(), 'muster-embedded-'))
    const homes = { master: join(root, 'master'), worker: join(root, 'worker') }
    for (const home of Object.values(homes)) mkdirSync(join(home, 'etc'), { recursive: true })
    for (const name of ['ossec.conf', 'own.xml']) writeFileSync(join(homes.master, 'etc', name), 'x')
    const items = [{ dir: 'etc', files: 'all', mode: 0o660, recursive: false, removeEmptyDirectories: false, reload: false }] as const
    const synced = { items, excludedNames: [], excludedEndings: [] }
    const host = '127.0.0.1'
    const master = createNode({ home: homes.master, type: 'master', node: 'm', key, bindAddress: host, master: { host, port: 0 }, synced })
    try {
      const { port = 0 } = await master.start()
      const worker = createNode({ home: homes.worker, type: 'worker', node: 'w', key, master: { host, port }, synced })
      try {
        const applied = new Promise((resolve) => worker.onEvent((event) => event.type === 'applied' && resolve(event)))
        await worker.start()
        expect(await applied).toMatchObject({ created: 1, failed: 0 })
        expect(existsSync(join(homes.worker, 'etc/own.xml'))).toBe(true)
        expect(existsSync(join(homes.worker, 'etc/ossec.conf'))).toBe(false)
      } finally {
        await worker.stop()
      }
    } finally {
      await master.stop()
      rmSync(root, { recursive: true, force: true })
    }
  })
})
