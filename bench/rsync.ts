/** The peer of the cold syncs: `rsync -a` from an rsync daemon on the loopback. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { NotMeasurable } from './row.js'
import { systemMs } from './systemClock.js'
import { freePort, sleep, type Workshop } from './workshop.js'

const answers = async (port: number): Promise<boolean> => {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Serves `dir`; resolves with its port once it answers. */
export const startRsyncDaemon = async (workshop: Workshop, dir: string): Promise<number> => {
  if (spawnSync('rsync', ['--version']).error)
    throw new NotMeasurable('rsync is not installed, so there is nothing to compare with (apt-get install rsync).')
  const port = await freePort()
  const place = workshop.place('rsyncd')
  const owner = process.getuid?.() === 0 ? 'uid = root\ngid = root\n' : ''
  writeFileSync(
    join(place, 'rsyncd.conf'),
    `use chroot = no\n${owner}log file = ${join(place, 'log')}\n[tree]\npath = ${dir}\nread only = yes\n`,
  )
  const daemon = spawn(
    'rsync',
    ['--daemon', '--no-detach', '--address=127.0.0.1', `--port=${port}`, `--config=${join(place, 'rsyncd.conf')}`],
    {
      stdio: 'ignore',
    },
  )
  workshop.atEnd(() => {
    daemon.kill('SIGTERM')
  })
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await answers(port)) return port
    await sleep(20)
  }
  throw new Error('The rsync daemon did not start')
}

/** Seconds that `rsync -a` takes to bring the tree into an empty directory. */
export const rsyncSeconds = async (port: number, to: string): Promise<number> => {
  const startMs = systemMs()
  const client = spawn('rsync', ['-a', `rsync://127.0.0.1:${port}/tree/`, `${to}/`], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code]: unknown[] = await once(client, 'exit')
  if (code !== 0) throw new Error(`rsync ended with ${String(code)}`)
  return (systemMs() - startMs) / 1000
}
