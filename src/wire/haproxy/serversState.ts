/**
 * `show servers state` of HAProxy's runtime socket: a line with the version of the format, a header of columns after `# `, a line for each
 * server with its fields between spaces, an empty line at the end.
 */
import { ok, type Result, refuse } from '../../base/errors.js'

export interface ServerState {
  readonly name: string
  /** Of an IP; empty for a name that HAProxy has not resolved. */
  readonly address: string
  readonly port: number
  readonly state: 'ready' | 'drain' | 'maintenance'
  /** HAProxy sends it sessions unless it is drained or in maintenance. */
  readonly isUp: boolean
}

const version = '1'
const headerStart = '# '
const columns = ['be_name', 'srv_name', 'srv_addr', 'srv_op_state', 'srv_admin_state', 'srv_port'] as const
const absent = '-'
const numberPattern = /^\d{1,5}$/
const portMax = 65_535

/** Bits of `srv_admin_state`: forced, inherited, of the configuration, of a failed resolution, of a name. */
const maintenanceBits = 0x01 | 0x02 | 0x04 | 0x20 | 0x40
const drainBits = 0x08 | 0x10
/** Values of `srv_op_state`: 0 is down, 3 is stopping. */
const upStates = new Set(['1', '2'])

const malformed = (says: string) => refuse('malformed', { message: `HAProxy's state of servers ${says}` })

/** Refuses with `malformed`; so it does with an answer that is not whole. */
export const readServersState = (text: string): Result<readonly ServerState[]> => {
  const [first, header = '', ...rest] = text.split('\n')
  if (first !== version) return malformed(`is not of version ${version}`)
  if (!header.startsWith(headerStart)) return malformed('has no columns')
  if (rest.length < 2 || rest.at(-1) !== '' || rest.at(-2) !== '') return malformed('is cut short')
  const names = header.slice(headerStart.length).split(' ')
  const places = columns.map((name) => names.indexOf(name))
  if (places.includes(-1)) return malformed(`has no column ${columns[places.indexOf(-1)] ?? ''}`)
  const servers: ServerState[] = []
  for (const line of rest.slice(0, -2)) {
    const fields = line.split(' ')
    if (fields.length !== names.length) return malformed('has a line with other columns')
    const server = serverOf(places.map((place) => fields[place] ?? ''))
    if (!server) return malformed('has a line that is not valid')
    servers.push(server)
  }
  return ok(servers)
}

const serverOf = ([backend = '', name = '', address = '', up = '', admin = '', port = '']: readonly string[]): ServerState | undefined => {
  if (backend === '' || name === '' || address === '') return undefined
  if (!numberPattern.test(up) || !numberPattern.test(admin) || !numberPattern.test(port) || Number(port) > portMax) return undefined
  const bits = Number(admin)
  return {
    name,
    address: address === absent ? '' : address,
    port: Number(port),
    state: bits & maintenanceBits ? 'maintenance' : bits & drainBits ? 'drain' : 'ready',
    isUp: upStates.has(up),
  }
}
