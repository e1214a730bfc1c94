/** More silent connections than the master's process may open files: it goes on with its work. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { waitFor } from '../../examples/demo/waitFor.js'
import { master, withCluster, worker } from '../support/daemons.js'

describe('a master that may have 200 files open', () => {
  it('keeps room for its files and its workers while 400 connections say nothing', () =>
    withCluster([master, worker], async (cluster) => {
      const daemon = cluster.start(master, 200)
      await daemon.logged('Serving on')
      const sockets = Array.from({ length: 400 }, () => connect(cluster.port, '127.0.0.1').on('error', () => undefined))
      try {
        await Promise.all(sockets.map((socket) => once(socket, 'connect')))
        await cluster.start(worker).logged('Successfully connected to master.')
        for (let number = 0; number < 50; number++)
          writeFileSync(join(cluster.masterHome, 'etc/rules', `edited-${number}.xml`), `${number}`)
        await cluster.allTheSame()
        await waitFor('A line about the crowd', () => daemon.lines.some((line) => line.includes('closed to make room')))
        expect(daemon.lines.filter((line) => line.includes('EMFILE'))).toEqual([])
      } finally {
        for (const socket of sockets) socket.destroy()
      }
    }))
})
