/** The commands of a fake wazuh-db's stream socket, by what was recorded of the real 4.14.7: each its answer, or several frames. */
import type { WazuhDbAgents } from './wazuhDbAgents.js'
import { type GroupsSetting, isGroupsMode, type WazuhDbGroups } from './wazuhDbGroups.js'
import { agentInfoSql, rowText, SqlError, type WazuhDbTables } from './wazuhDbTables.js'

export const answerBytesMax = 65_536
/** Of a list. */
const listBytesMax = answerBytesMax - 512

const near = (text: string): string => `'${text.slice(0, 32)}'`
const badSyntax = (text: string): string => `err Invalid DB query syntax, near ${near(text)}`
/** As C's atoi. */
const numberOf = (text: string): number => Number.parseInt(text, 10) || 0

/** What ends a command with an answer. */
class Refused extends Error {}

type Json = Readonly<Record<string, unknown>>

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Refused(`err Invalid JSON syntax, near ${near(text)}`)
  }
}

/** An object in which these are numbers, or texts. */
const dataOf = (text: string, numbers: readonly string[], texts: readonly string[]): Json => {
  const value = jsonOf(text)
  const data = (typeof value === 'object' && value !== null ? value : {}) as Json
  const isRight = numbers.every((name) => typeof data[name] === 'number') && texts.every((name) => typeof data[name] === 'string')
  if (!isRight) throw new Refused(`err Invalid JSON data, near ${near(text)}`)
  return data
}

const listOf = (rows: readonly Json[]): string => `[${rows.map(rowText).join(',')}]`

/** As many as fit into an answer, and whether that is all. */
const page = (texts: Iterable<string>, bytesMax = listBytesMax): { readonly texts: readonly string[]; readonly isWhole: boolean } => {
  const taken: string[] = []
  let bytes = 0
  for (const text of texts) {
    bytes += Buffer.byteLength(text) + 1
    if (bytes > bytesMax) return { texts: taken, isWhole: false }
    taken.push(text)
  }
  return { texts: taken, isWhole: true }
}

const pageAnswer = ({ isWhole, texts }: ReturnType<typeof page>): string => `${isWhole ? 'ok' : 'due'} [${texts.join(',')}]`

type Command = (argument: string) => string | readonly string[]

export class WazuhDbCommands {
  readonly #tables: WazuhDbTables
  readonly #agents: WazuhDbAgents
  readonly #groups: WazuhDbGroups
  readonly #global: Readonly<Record<string, Command>>
  /** Where sync-agent-info-get goes on: one for all readers. */
  #syncedUpTo = 0

  constructor(tables: WazuhDbTables, agents: WazuhDbAgents, groups: WazuhDbGroups) {
    this.#tables = tables
    this.#agents = agents
    this.#groups = groups
    this.#global = { ...this.#reading(), ...this.#writing(), ...this.#synchronizing() }
  }

  /** The frames that a request brings. */
  answers(request: string): readonly string[] {
    const isLine = request.endsWith('\n')
    const [text = ''] = (isLine ? request.slice(0, -1) : request).split('\0')
    const answers = text.startsWith('{') ? [dispatched(text)] : this.#parsed(text.trimStart())
    return isLine ? answers.map((answer) => `${answer}\n`) : answers
  }

  #parsed(text: string): readonly string[] {
    const space = text.indexOf(' ')
    if (space < 0) return [badSyntax(text)]
    const [actor, rest] = [text.slice(0, space), text.slice(space + 1)]
    const [word = ''] = rest.split(' ')
    const argument = rest.includes(' ') ? rest.slice(word.length + 1) : undefined
    switch (actor) {
      case 'global':
        return this.#carryOut(word, argument)
      case 'agent':
        return [badSyntax(argument === undefined ? rest : argument)]
      case 'wazuhdb':
        return [word === 'remove' ? `ok {"agents":{"${(argument ?? '').padStart(3, '0')}":"Can't delete"}}` : badSyntax(rest)]
      case 'task':
        return ["err Couldn't open DB task"]
      default:
        return [`err Invalid DB query actor: '${actor}'`]
    }
  }

  #carryOut(word: string, argument: string | undefined): readonly string[] {
    const command = Object.hasOwn(this.#global, word) ? this.#global[word] : undefined
    if (!command || (argument === undefined && !withoutArgument.has(word))) return [badSyntax(word)]
    try {
      const answer = command(argument ?? '')
      return typeof answer === 'string' ? [answer] : answer
    } catch (thrown) {
      if (thrown instanceof Refused) return [thrown.message]
      if (thrown instanceof SqlError) return [`err Cannot execute Global database query; ${thrown.message}`]
      throw thrown
    }
  }

  #reading(): Readonly<Record<string, Command>> {
    const list = (sql: string, ...values: (string | number)[]): string => `ok ${listOf(this.#tables.rows(sql, ...values))}`
    return {
      sql: (sql) => list(sql),
      'get-agent-info': (id) => list(agentInfoSql, numberOf(id)),
      'select-agent-name': (id) => list('SELECT name FROM agent WHERE id=?', numberOf(id)),
      'find-agent': (text) => {
        const { ip, name } = dataOf(text, [], ['name', 'ip'])
        return list('SELECT id FROM agent WHERE name=? AND register_ip=?', String(name), String(ip))
      },
      'get-labels': (id) => list('SELECT id,key,value FROM labels WHERE id=? ORDER BY key', numberOf(id)),
      'select-groups': () => list('SELECT name FROM `group` ORDER BY id'),
      'find-group': (name) => list('SELECT id FROM `group` WHERE name=?', name),
      'select-group-belong': (id) => `ok ${JSON.stringify(this.#groups.of(numberOf(id)))}`,
      'select-agent-group': (id) => list('SELECT `group` FROM agent WHERE id=?', numberOf(id)),
      'get-distinct-groups': (after) =>
        list('SELECT DISTINCT `group`,group_hash FROM agent WHERE id>0 AND group_hash>? ORDER BY group_hash', after),
      'get-group-agents': (text) => {
        const [name = '', key, last] = text.split(' ')
        if (key !== 'last_id' || last === undefined) throw new Refused("err Invalid arguments, 'last_id' not found.")
        const sql = 'SELECT id_agent FROM belongs JOIN `group` ON id=id_group WHERE name=? AND id_agent>? ORDER BY priority,id_agent'
        return `ok ${JSON.stringify(this.#tables.rows(sql, name, numberOf(last)).map((row) => row['id_agent']))}`
      },
      'get-all-agents': (text) => {
        if (text === 'context')
          return [...this.#tables.rows('SELECT id,version,name,ip FROM agent ORDER BY id').map((row) => `due ${rowText(row)}`), 'ok []']
        const [key, last] = text.split(' ')
        if (key !== 'last_id' || last === undefined) throw new Refused("err Invalid arguments 'last_id' not found")
        return pageAnswer(page(this.#tables.rows('SELECT id FROM agent WHERE id>? ORDER BY id', numberOf(last)).map(rowText)))
      },
      'get-agents-by-connection-status': (text) => {
        const [last = '', status, node, limit] = text.split(' ')
        if (status === undefined) throw new Refused("err Invalid arguments 'connection_status' not found")
        if (node !== undefined && limit === undefined) throw new Refused("err Invalid arguments 'limit' not found")
        const rows =
          node === undefined
            ? this.#tables.rows('SELECT id FROM agent WHERE id>? AND connection_status=? ORDER BY id', numberOf(last), status)
            : this.#tables.rows(
                'SELECT id FROM agent WHERE id>? AND connection_status=? AND node_name=? ORDER BY id LIMIT ?',
                ...([numberOf(last), status, node, numberOf(limit ?? '')] as const),
              )
        return pageAnswer(page(rows.map(rowText)))
      },
      backup: (action) => `err Invalid backup action: ${action}`,
    }
  }

  #writing(): Readonly<Record<string, Command>> {
    return {
      'insert-agent': (text) => {
        const data = dataOf(text, ['id', 'date_add'], ['name'])
        this.#agents.insert(data)
        return 'ok'
      },
      'delete-agent': (id) => {
        this.#agents.delete(numberOf(id))
        return 'ok'
      },
      'update-agent-name': (text) => {
        const { id, name } = dataOf(text, ['id'], ['name'])
        this.#tables.run('UPDATE agent SET name=? WHERE id=?', String(name), Number(id))
        return 'ok'
      },
      'update-agent-data': (text) => this.#done(() => this.#agents.update(dataOf(text, ['id'], []))),
      'update-keepalive': (text) => this.#done(() => this.#agents.keepAlive(dataOf(text, ['id'], ['connection_status', 'sync_status']))),
      'update-connection-status': (text) =>
        this.#done(() => this.#agents.connection(dataOf(text, ['id', 'status_code'], ['connection_status', 'sync_status']))),
      'update-status-code': (text) => this.#done(() => this.#agents.statusCode(dataOf(text, ['id', 'status_code'], ['sync_status']))),
      'insert-agent-group': (name) => {
        try {
          this.#tables.run('INSERT INTO `group` (name) VALUES (?)', name)
          return 'ok'
        } catch (thrown) {
          if (thrown instanceof SqlError) return 'err Error inserting group in global.db.'
          throw thrown
        }
      },
      'delete-group': (name) => this.#done(() => this.#groups.delete(name)),
      'disconnect-agents': (text) => this.#disconnect(text),
      'reset-agents-connection': (status) => this.#done(() => this.#agents.resetConnections(status)),
      'recalculate-agent-group-hashes': () => this.#done(() => this.#groups.recalculate()),
      'set-agent-groups': (text) => {
        const { data, mode, sync_status = 'synced' } = jsonOf(text) as Json
        if (typeof mode !== 'string' || !Array.isArray(data)) return 'err Invalid JSON data, missing required fields'
        if (!isGroupsMode(mode)) return `err Invalid mode '${mode}' in set_agent_groups command`
        const isDone = this.#groups.set(mode, String(sync_status), data as readonly GroupsSetting[])
        return isDone ? 'ok' : 'err An error occurred during the set of the groups'
      },
    }
  }

  #synchronizing(): Readonly<Record<string, Command>> {
    return {
      'sync-agent-groups-get': (text) => this.#groupsPage(jsonOf(text) as Json),
      'get-groups-integrity': (hash) => {
        if (hash.length !== 40) return `err Hash hex-digest does not have the expected length. Expected (40) got (${hash.length})`
        if (this.#tables.value("SELECT 1 FROM agent WHERE id>0 AND group_sync_status='syncreq' LIMIT 1") !== undefined)
          return 'ok ["syncreq"]'
        return this.#tables.groupsHash() === hash ? 'ok ["synced"]' : 'ok ["hash_mismatch"]'
      },
      'sync-agent-info-get': (text) => {
        const [key, last] = text.split(' ')
        if (key === 'last_id' && last !== undefined) this.#syncedUpTo = numberOf(last)
        const { isWhole, texts } = page(this.#statesFrom())
        return pageAnswer({ isWhole, texts })
      },
      'sync-agent-info-set': (text) =>
        this.#done(() => {
          for (const row of Object.values(jsonOf(text) as object)) {
            if (typeof row !== 'object' || row === null || Array.isArray(row)) continue
            const { id, labels } = row as Json
            this.#agents.overwrite(row as Json, null)
            if (labels === undefined) continue
            if (typeof id !== 'number') throw new Refused('err Cannot update labels due to invalid id.')
            this.#agents.setLabels(id, labels)
          }
        }),
    }
  }

  #done(act: () => void): string {
    act()
    return 'ok'
  }

  /** Each is taken once the next is asked for: what finds no room stays. */
  *#statesFrom(): Generator<string> {
    for (const wish of ['syncreq', 'syncreq_status', 'syncreq_keepalive'] as const) {
      for (const row of this.#agents.wishing(wish, this.#syncedUpTo)) {
        yield rowOrLabelled(row)
        this.#agents.synced(Number(row['id']))
        this.#syncedUpTo = Number(row['id'])
      }
      this.#syncedUpTo = 0
    }
  }

  #groupsPage(options: Json): string {
    const {
      agent_registration_delta: delta = 0,
      condition,
      get_global_hash: isHashed = false,
      last_id = 0,
      set_synced: isTaken = false,
    } = options
    const areRight =
      (condition === undefined || typeof condition === 'string') &&
      typeof last_id === 'number' &&
      last_id >= 0 &&
      typeof delta === 'number' &&
      delta >= 0 &&
      typeof isHashed === 'boolean' &&
      typeof isTaken === 'boolean'
    if (!areRight) return 'err Invalid JSON data, invalid alternative fields data'
    if (condition !== undefined && condition !== 'all' && condition !== 'sync_status')
      return 'err Could not obtain a response from wdb_global_sync_agent_groups_get'
    const only = condition === 'sync_status' ? " AND group_sync_status='syncreq'" : ''
    const sql = `SELECT id,name FROM agent WHERE id>? AND date_add<strftime('%s','now')-?${only} ORDER BY id`
    const rows = condition === undefined ? [] : this.#tables.rows(sql, last_id, delta)
    const { isWhole, texts } = page(
      (function* (groups: WazuhDbGroups) {
        for (const { id, name } of rows) yield JSON.stringify({ id, name, groups: groups.of(Number(id)) })
      })(this.#groups),
    )
    if (isTaken)
      for (const { id } of rows.slice(0, texts.length))
        this.#tables.run("UPDATE agent SET group_sync_status='synced' WHERE id=?", Number(id))
    const hash = isWhole && isHashed ? `,"hash":${JSON.stringify(this.#tables.groupsHash())}` : ''
    return `${isWhole ? 'ok' : 'due'} [{"data":[${texts.join(',')}]${hash}}]`
  }

  #disconnect(text: string): string {
    const [last = '', before, status] = text.split(' ')
    if (before === undefined) return 'err Invalid arguments keepalive not found'
    if (status === undefined) return 'err Invalid arguments sync_status not found'
    const sql = "SELECT id FROM agent WHERE id>? AND connection_status IN ('active','pending') AND last_keepalive<? ORDER BY id"
    const rows = this.#tables.rows(sql, numberOf(last), numberOf(before))
    const fits = page(rows.map(rowText))
    for (const { id } of rows.slice(0, fits.texts.length))
      try {
        this.#agents.connection({ id, connection_status: 'disconnected', sync_status: status })
      } catch (thrown) {
        if (thrown instanceof SqlError) return `err [${rowText({ id })}]`
        throw thrown
      }
    return pageAnswer(fits)
  }
}

const withoutArgument = new Set(['select-groups', 'recalculate-agent-group-hashes', 'get-distinct-groups', 'sync-agent-info-get'])

const rowOrLabelled = ({ labels, ...row }: Json): string => {
  const text = rowText(row)
  return Array.isArray(labels) && labels.length > 0 ? `${text.slice(0, -1)},"labels":${listOf(labels as readonly Json[])}}` : text
}

/** Requests in JSON. */
const dispatched = (text: string): string => {
  const refusal = (error: number, message: string): string => JSON.stringify({ error, message, data: {} })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refusal(1, 'Invalid JSON input')
  }
  const { command } = value as Json
  if (command === undefined) return refusal(2, 'Empty command')
  return command === 'getconfig' ? refusal(6, 'Unrecognized or not configured section') : refusal(3, 'Unrecognized command')
}
