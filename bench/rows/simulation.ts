/** A day of a simulated cluster. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { builtProgram } from '../builtProgram.js'
import { atMost, type Row } from '../row.js'
import { systemMs } from '../systemClock.js'

const virtualHours = 24
/** As `npm run simulate` has it: nearly all that a run makes is garbage soon, and a larger nursery is emptied less often. */
const execArgv = ['--max-semi-space-size=64']

export const simulation: Row = {
  name: 'simulation, 10 nodes × 24 virtual hours, faults on',
  target: '≤ 15 s',
  run: async (workshop) => {
    const args = ['--nodes', '10', '--seed', '42', '--virtual-hours', `${workshop.scaled(virtualHours)}`, '--faults', 'all']
    const script = builtProgram('src/programs/simulate/simulateMain.js')
    const startMs = systemMs()
    const child = spawn(process.execPath, [...execArgv, script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    workshop.atEnd(() => {
      child.kill('SIGKILL')
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-4_000)))
    const [code]: unknown[] = await once(child, 'exit')
    if (code !== 0) throw new Error(`The simulation ended with ${String(code)}:\n${said}`)
    return [{ what: '', measured: (systemMs() - startMs) / 1000, unit: 's', ...atMost(15), note: `simulate ${args.join(' ')}` }]
  },
}
